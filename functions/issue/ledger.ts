import { ConflictError } from '../core/errors.ts';
import { assertLease, claimLease, releaseLease } from '../core/lease.ts';
import type { Inventory, Versioned } from '../core/ports.ts';
import type { CertificateRecord, Transition } from '../core/record.ts';
import type { Instant } from '../core/time.ts';
import { apply, type Happening } from '../core/transitions.ts';

const ACTOR = 'issue';

/** Rounds of re-reading when somebody else (a deploy, a person) wrote the record meanwhile. */
const REBASE_ROUNDS = 5;

type Change = (record: CertificateRecord) => CertificateRecord;

/**
 * One worker's hold on one record. Happenings gather in memory and are made durable before the next effect, so that the
 * ledger says what is about to be done before it is done, and holds the receipt before anything else is.
 */
export class Ledger {
  readonly #inventory: Inventory;
  readonly #clock: () => Instant;
  #stored: Versioned<CertificateRecord>;
  #record: CertificateRecord;
  #unsaved: Change[];
  /** Set once our claim is durable. */
  #claim: CertificateRecord['lease'];
  readonly #onTransition: (transition: Transition) => void;

  constructor(
    inventory: Inventory,
    stored: Versioned<CertificateRecord>,
    claim: { readonly owner: string; readonly ttlMs: number },
    clock: () => Instant,
    onTransition: (transition: Transition) => void,
  ) {
    this.#onTransition = onTransition;
    this.#inventory = inventory;
    this.#clock = clock;
    this.#stored = stored;
    this.#unsaved = [(record) => claimLease(record, claim.owner, clock(), claim.ttlMs)];
    this.#record = replay(this.#unsaved, stored.value);
  }

  get record(): CertificateRecord {
    return this.#record;
  }

  /** Notes what happened. Durable after the next {@link save}. */
  note(happening: Happening): void {
    const by = { actor: ACTOR, at: this.#clock() };
    this.#change((record) => apply(record, happening, by));
  }

  /**
   * Makes everything noted durable. Answers `rebased` when somebody else had written the record meanwhile: what was decided
   * before may no longer be right. Throws ConflictError `LeaseLost` or `LeaseHeld` when another worker has the record.
   */
  async save(): Promise<'saved' | 'rebased'> {
    let outcome: 'saved' | 'rebased' = 'saved';
    for (let round = 1; this.#unsaved.length > 0; round++) {
      try {
        const revision = await this.#inventory.write(this.#record, this.#stored.revision);
        for (const transition of newEntries(this.#stored.value, this.#record)) this.#onTransition(transition);
        this.#stored = { value: this.#record, revision };
        this.#claim = this.#record.lease;
        this.#unsaved = [];
      } catch (error) {
        if (!(error instanceof ConflictError) || round === REBASE_ROUNDS) throw error;
        await this.#rebase();
        outcome = 'rebased';
      }
    }
    return outcome;
  }

  /** Gives the record back. Nothing happens where it was never ours. */
  async release(): Promise<void> {
    const claim = this.#claim;
    if (claim === undefined) return;
    this.#change((record) => {
      assertLease(record, claim);
      return releaseLease(record);
    });
    await this.save();
  }

  #change(change: Change): void {
    this.#record = change(this.#record);
    this.#unsaved.push(change);
  }

  /** Applies what is not yet durable to the record as it is now. The lease is what entitles us to. */
  async #rebase(): Promise<void> {
    const fresh = await this.#inventory.read(this.#record.id);
    if (fresh === undefined) throw new ConflictError('RecordGone', `${this.#record.id} was removed from the inventory`);
    if (this.#claim !== undefined) assertLease(fresh.value, this.#claim);
    // Replayed first: a claim that is refused here must leave nothing behind that a later save could write.
    this.#record = replay(this.#unsaved, fresh.value);
    this.#stored = fresh;
  }
}

/** Both trails are cut at the same length, so what is new is told by identity. */
const newEntries = (before: CertificateRecord, after: CertificateRecord): readonly Transition[] =>
  after.history.filter((entry) => !before.history.includes(entry));

const replay = (changes: readonly Change[], record: CertificateRecord): CertificateRecord =>
  changes.reduce((state, change) => change(state), record);

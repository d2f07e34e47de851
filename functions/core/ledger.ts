import { ConflictError } from './errors.ts';
import { assertLease, claimLease, type Leasable, releaseLease } from './lease.ts';
import type { Versioned } from './ports.ts';
import type { Lease } from './record.ts';
import { canonicalJson } from './spec-change.ts';
import type { Instant } from './time.ts';

/** Rounds of re-reading when somebody else (a deploy, a person) wrote the record meanwhile. */
const REBASE_ROUNDS = 5;

/** Where records of one kind are kept, and what happens to them. */
export interface Book<R extends Leasable, Happening> {
  read(id: R['id']): Promise<Versioned<R> | undefined>;
  write(record: R, revision: number | undefined): Promise<number>;
  apply(record: R, happening: Happening, at: Instant): R;
}

export interface Claim {
  readonly owner: string;
  readonly ttlMs: number;
}

/**
 * One worker's hold on one record. Happenings gather in memory and are made durable before the next effect, so that the
 * ledger says what is about to be done before it is done, and holds the receipt before anything else is.
 */
export class RecordLedger<Line, R extends Leasable & { readonly history: readonly Line[] }, Happening> {
  readonly #book: Book<R, Happening>;
  readonly #clock: () => Instant;
  #stored: Versioned<R>;
  #record: R;
  #unsaved: ((record: R) => R)[];
  /** Set once our claim is durable. */
  #claim: Lease | undefined;
  readonly #onTransition: (transition: Line, record: R) => void;

  constructor(
    book: Book<R, Happening>,
    stored: Versioned<R>,
    claim: Claim,
    clock: () => Instant,
    onTransition: (transition: Line, record: R) => void,
  ) {
    this.#onTransition = onTransition;
    this.#book = book;
    this.#clock = clock;
    this.#stored = stored;
    this.#unsaved = [(record) => claimLease(record, claim.owner, clock(), claim.ttlMs)];
    this.#record = replay(this.#unsaved, stored.value);
  }

  get record(): R {
    return this.#record;
  }

  /** Notes what happened. Durable after the next {@link save}. */
  note(happening: Happening): void {
    const at = this.#clock();
    this.#change((record) => this.#book.apply(record, happening, at));
  }

  /**
   * Makes everything noted durable. Answers `rebased` when somebody else had written the record meanwhile: what was decided
   * before may no longer be right. Throws ConflictError `LeaseLost` or `LeaseHeld` when another worker has the record.
   */
  async save(): Promise<'saved' | 'rebased'> {
    let outcome: 'saved' | 'rebased' = 'saved';
    for (let round = 1; this.#unsaved.length > 0; round++) {
      try {
        this.#saved(await this.#book.write(this.#record, this.#stored.revision));
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error;
        const fresh = await this.#reread();
        if (this.#isWhatWeWrote(fresh)) {
          this.#saved(fresh.revision);
          break;
        }
        if (round === REBASE_ROUNDS) throw error;
        this.#rebase(fresh);
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

  #change(change: (record: R) => R): void {
    this.#record = change(this.#record);
    this.#unsaved.push(change);
  }

  #saved(revision: number): void {
    for (const transition of newEntries(this.#stored.value, this.#record)) {
      this.#onTransition(transition, this.#record);
    }
    this.#stored = { value: this.#record, revision };
    this.#claim = this.#record.lease;
    this.#unsaved = [];
  }

  async #reread(): Promise<Versioned<R>> {
    const fresh = await this.#book.read(this.#record.id);
    if (fresh === undefined) throw new ConflictError('RecordGone', `${this.#record.id} was removed from the inventory`);
    return fresh;
  }

  /** A write whose answer was lost is sent again by the SDK, and is in its own way then. */
  #isWhatWeWrote({ value, revision }: Versioned<R>): boolean {
    return revision === this.#stored.revision + 1 && canonicalJson(value) === canonicalJson(this.#record);
  }

  /** Applies what is not yet durable to the record as it is now. The lease is what entitles us to. */
  #rebase(fresh: Versioned<R>): void {
    if (this.#claim !== undefined) assertLease(fresh.value, this.#claim);
    // Replayed first: a claim that is refused here must leave nothing behind that a later save could write.
    this.#record = replay(this.#unsaved, fresh.value);
    this.#stored = fresh;
  }
}

/** Both trails are cut at the same length, so what is new is told by identity. */
const newEntries = <Line>(
  before: { readonly history: readonly Line[] },
  after: { readonly history: readonly Line[] },
): readonly Line[] => after.history.filter((entry) => !before.history.includes(entry));

const replay = <R>(changes: readonly ((record: R) => R)[], record: R): R =>
  changes.reduce((state, change) => change(state), record);

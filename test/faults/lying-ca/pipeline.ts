import { randomUUID } from 'node:crypto';
import { CLOSED } from '../../../functions/core/breaker.ts';
import { attemptId, issuerIdOf } from '../../../functions/core/certificate.ts';
import { dueAt } from '../../../functions/core/decide.ts';
import { describeFailure, type FailureFacts } from '../../../functions/core/errors.ts';
import type { Announcement } from '../../../functions/core/events.ts';
import type { CertificateRecord } from '../../../functions/core/record.ts';
import { type Instant, MINUTE_MS, SECOND_MS } from '../../../functions/core/time.ts';
import { declare } from '../../../functions/core/transitions.ts';
import type { ConnectedIssuer, RenewalParts } from '../../../functions/issue/parts.ts';
import { renew } from '../../../functions/issue/renew.ts';
import { memoryInventory } from '../../support/memory-inventory.ts';
import { memoryStore } from '../../support/memory-store.ts';
import type { Ca } from './ca.ts';
import { type CellClock, nextTick } from './clock.ts';

/** As the handler has it: what a client learned of its CA is trusted for so long in a warm function. */
const CONNECTION_LIFETIME_MS = 5 * MINUTE_MS;

/** More visits than a day of the most impatient CA may bring: a tick and a hint a minute. */
const MOST_VISITS = 3_000;

/** What is measured has suites of its own. */
const UNREAD: RenewalParts['meter'] = { record: () => {} };

/** The whole renewal, decisions, ledger, circuit and gate as they are deployed, with a CA that may lie. */
export class Pipeline {
  readonly logged: { readonly message: string; readonly facts: Readonly<Record<string, unknown>> }[] = [];
  readonly published: Announcement[] = [];
  readonly store = memoryStore();
  /** Whatever was thrown at the handler. */
  readonly crashes: string[] = [];
  readonly #inventory = memoryInventory();
  readonly #ca: Ca;
  readonly #clock: CellClock;
  #connection: { readonly connected: Promise<ConnectedIssuer>; readonly until: Instant } | undefined;
  #hintAt = Infinity;
  readonly #rotations: { readonly generation: number; readonly at: Instant }[] = [];

  constructor(ca: Ca, clock: CellClock) {
    this.#ca = ca;
    this.#clock = clock;
  }

  static async declare(ca: Ca, clock: CellClock): Promise<Pipeline> {
    const pipeline = new Pipeline(ca, clock);
    await pipeline.#inventory.writeIssuer(
      { id: issuerIdOf(ca.issuer.ref), spec: ca.issuer, breaker: CLOSED },
      undefined,
    );
    await pipeline.#inventory.write(declare(ca.spec, { actor: 'sync', at: clock.now() }), undefined);
    return pipeline;
  }

  async record(): Promise<CertificateRecord> {
    const stored = await this.#inventory.read(this.#ca.spec.id);
    if (stored === undefined) throw new Error('the record is gone');
    return stored.value;
  }

  /** When a generation after that one became current. */
  currentSince(generation: number): Instant | undefined {
    return this.#rotations.find((rotation) => rotation.generation > generation)?.at;
  }

  /** Whatever was said of failures: logged, announced or noted. */
  messages(): readonly string[] {
    const failures = [
      ...this.logged.map(({ facts }) => facts['failure']),
      ...this.published.map(({ detail }) => ('failure' in detail ? detail.failure : undefined)),
    ] as readonly (FailureFacts | undefined)[];
    return failures.flatMap((failure) => failure?.message ?? []);
  }

  /**
   * Lets time pass until `end`, or until `isOver`: from one minute of the schedule in which the certificate is due to the next.
   * `hints` are delivered to the second, as SQS may; a schedule alone has to be enough.
   */
  async live(
    end: Instant,
    by: 'schedule' | 'schedule and hints',
    isOver?: (record: CertificateRecord) => boolean,
  ): Promise<void> {
    for (let visits = 0; visits <= MOST_VISITS; visits++) {
      const record = await this.record();
      if (isOver?.(record) === true) return;
      const now = this.#clock.now();
      const tick = nextTick(Math.max(dueAt(record) ?? Infinity, now + 1));
      const next = Math.max(now, Math.min(tick, by === 'schedule' ? Infinity : this.#hintAt));
      if (next >= end) return this.#clock.to(end);
      if (this.#hintAt <= next) this.#hintAt = Infinity;
      this.#clock.to(next);
      await this.#visit();
    }
    throw new Error(`a hot loop: more than ${MOST_VISITS} visits`);
  }

  async #visit(): Promise<void> {
    const shift = { owner: randomUUID(), leaseMs: 2 * MINUTE_MS, deadline: this.#clock.now() + MINUTE_MS };
    try {
      await renew(this.#ca.spec.id, this.#parts, shift);
    } catch (error) {
      this.crashes.push(describeFailure(error).message);
    }
  }

  readonly #log: RenewalParts['log'] = (message, facts) => void this.logged.push({ message, facts });

  get #parts(): RenewalParts {
    return {
      inventory: this.#inventory,
      store: this.store,
      bus: { publish: async (announcements) => announcements.forEach((each) => this.#publish(each)) },
      hints: {
        later: async (_hint, seconds) => {
          this.#hintAt = Math.min(this.#hintAt, this.#clock.now() + seconds * SECOND_MS);
        },
      },
      connect: () => this.#connect(),
      clock: this.#clock.now,
      pause: async (seconds) => this.#clock.to(this.#clock.now() + seconds * SECOND_MS),
      newAttemptId: () => attemptId.parse(randomUUID()),
      random: () => 0.5,
      meter: UNREAD,
      log: this.#log,
    };
  }

  #publish(announcement: Announcement): void {
    this.published.push(announcement);
    if (announcement.type !== 'Certificate Rotated') return;
    this.#rotations.push({ generation: announcement.detail.generation, at: this.#clock.now() });
  }

  #connect(): Promise<ConnectedIssuer> {
    const now = this.#clock.now();
    if (this.#connection !== undefined && now < this.#connection.until) return this.#connection.connected;
    const connected = this.#ca.connect({ clock: this.#clock.now, log: this.#log });
    this.#connection = { connected, until: now + CONNECTION_LIFETIME_MS };
    return connected;
  }
}

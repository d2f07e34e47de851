import type { CertificateId } from '../core/certificate.ts';
import { decide } from '../core/decide.ts';
import { ConflictError, describeFailure } from '../core/errors.ts';
import { type Instant, SECOND_MS, toTimestamp } from '../core/time.ts';
import { Ledger } from './ledger.ts';
import type { RenewalParts } from './parts.ts';
import { isEffect, perform } from './steps.ts';

/** More steps than any renewal takes in one go; a bound for bugs. */
const STEP_LIMIT = 40;

/** Longest delay a queue message can carry (SQS: 15 minutes). Longer waits are left to the schedule. */
const LONGEST_HINT_SECONDS = 900;

export interface Shift {
  /** Who works: the invocation's id. */
  readonly owner: string;
  /** When the lease runs out: after the function itself would be stopped. */
  readonly leaseMs: number;
  /** No new step is begun after this instant. */
  readonly deadline: Instant;
}

/**
 * Takes one certificate as far as it can go now: read the ledger, decide, do, note, again. Safe to call at any time, any
 * number of times, on any certificate; when nothing is due it costs one read.
 */
export async function renew(id: CertificateId, parts: RenewalParts, shift: Shift): Promise<void> {
  const stored = await parts.inventory.read(id);
  if (stored === undefined) {
    parts.log('certificate is not in the inventory', { certificate: id });
    return;
  }
  if (decide(stored.value, parts.clock()).do === 'rest') return;
  const claim = { owner: shift.owner, ttlMs: shift.leaseMs };
  const ledger = new Ledger(parts.inventory, stored, claim, parts.clock, (transition) =>
    parts.log('transition', { certificate: id, ...transition, at: toTimestamp(transition.at) }),
  );
  try {
    await work(ledger, parts, shift);
  } finally {
    // Whatever happened is noted and the record given back, unless another worker has taken it over.
    await ledger.release();
  }
  await hintAtNextLook(ledger, parts);
}

async function work(ledger: Ledger, parts: RenewalParts, { deadline }: Shift): Promise<void> {
  let unannounced: unknown;
  for (let step = 0; step < STEP_LIMIT && parts.clock() < deadline; step++) {
    // A bus that refuses must not keep certificates from being renewed: what it refused stays in the outbox.
    const record = unannounced === undefined ? ledger.record : { ...ledger.record, outbox: [] };
    const decision = decide(record, parts.clock());
    if (decision.do === 'rest') break;
    if (isEffect(decision) && (await ledger.save()) === 'rebased') continue;
    try {
      await perform(decision, ledger, parts);
    } catch (error) {
      if (error instanceof ConflictError) throw error;
      if (decision.do === 'announce') {
        unannounced = error;
        continue;
      }
      const failure = describeFailure(error);
      parts.log('renewal failed', { certificate: ledger.record.id, step: decision.do, failure });
      ledger.note({ event: 'AttemptFailed', failure });
    }
  }
  if (unannounced !== undefined) throw unannounced;
}

/** A CA that wants to be asked again within minutes is asked sooner than the next tick would. */
async function hintAtNextLook({ record }: Ledger, { hints, clock, log }: RenewalParts): Promise<void> {
  if (record.attempt?.phase !== 'orderPlaced' || record.retryAfter === undefined) return;
  const delaySeconds = Math.max(1, Math.ceil((record.retryAfter - clock()) / SECOND_MS));
  if (delaySeconds > LONGEST_HINT_SECONDS) return;
  try {
    await hints.later({ schemaVersion: '1', certificate: record.id }, delaySeconds);
  } catch (error) {
    // Only a hint: the schedule looks anyway, and the message that brought us here has served.
    log('a hint could not be sent', { certificate: record.id, failure: describeFailure(error) });
  }
}

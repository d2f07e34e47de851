import type { CertificateId } from '../core/certificate.ts';
import { decide } from '../core/decide.ts';
import { ConflictError, describeFailure } from '../core/errors.ts';
import { measure } from '../core/metrics.ts';
import type { CertificateRecord } from '../core/record.ts';
import { LONGEST_HINT_SECONDS, type Shift } from '../core/shift.ts';
import { SECOND_MS, toTimestamp } from '../core/time.ts';
import { Ledger } from './ledger.ts';
import type { RenewalParts } from './parts.ts';
import { isEffect, perform } from './steps.ts';

/** More steps than any renewal takes in one go; a bound for bugs. */
const STEP_LIMIT = 40;

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
  const ledger = new Ledger(parts.inventory, stored, claim, parts.clock, (transition, record) => {
    parts.log('transition', { certificate: id, ...transition, at: toTimestamp(transition.at) });
    measure(record, transition, parts.meter);
  });
  try {
    await work(ledger, parts, shift);
  } finally {
    // Whatever happened is noted and the record given back, unless another worker has taken it over.
    await ledger.release();
  }
  await hintAtNextLook(ledger, parts);
}

async function work(ledger: Ledger, parts: RenewalParts, { deadline }: Shift): Promise<void> {
  let untold: unknown;
  for (let step = 0; step < STEP_LIMIT && parts.clock() < deadline; step++) {
    const decision = decide(untold === undefined ? ledger.record : withNothingToTell(ledger.record), parts.clock());
    if (decision.do === 'rest') break;
    if (isEffect(decision) && (await ledger.save()) === 'rebased') continue;
    try {
      await perform(decision, ledger, parts);
    } catch (error) {
      if (error instanceof ConflictError) throw error;
      if (decision.do === 'announce' || decision.do === 'openRollout') {
        untold = error;
        continue;
      }
      const failure = describeFailure(error);
      parts.log('renewal failed', { certificate: ledger.record.id, step: decision.do, failure });
      ledger.note({ event: 'AttemptFailed', failure });
    }
  }
  if (untold !== undefined) throw untold;
}

/** A bus that refuses must not keep certificates from being renewed: what it refused stays in the outbox, or is owed. */
function withNothingToTell(record: CertificateRecord): CertificateRecord {
  const { rollout: _opened, ...rest } = record;
  const { hooks: _hooks, ...spec } = record.spec;
  return { ...rest, spec, outbox: [] };
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

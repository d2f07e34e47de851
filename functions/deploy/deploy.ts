import type { CertificateId } from '../core/certificate.ts';
import { ConflictError, describeFailure } from '../core/errors.ts';
import { decideRollout, rolloutDueAt } from '../core/rollout/decide.ts';
import { LONGEST_HINT_SECONDS, type Shift } from '../core/shift.ts';
import { SECOND_MS } from '../core/time.ts';
import { RolloutLedger } from './ledger.ts';
import type { DeployParts } from './parts.ts';
import { isEffect, perform } from './steps.ts';

/** More steps than fit into a function's time; a bound for bugs. */
const STEP_LIMIT = 200;

/**
 * Takes one certificate's roll-out as far as it can go now: read the ledger, decide, do, note, again. Safe to call at any time,
 * any number of times, on any certificate; when nothing is due it costs one read.
 */
export async function deploy(id: CertificateId, parts: DeployParts, shift: Shift): Promise<void> {
  const stored = await parts.inventory.readRollout(id);
  if (stored === undefined || decideRollout(stored.value, parts.clock()).do === 'rest') return;
  const ledger = new RolloutLedger(parts, stored, { owner: shift.owner, ttlMs: shift.leaseMs });
  try {
    await work(ledger, parts, shift);
  } finally {
    // Whatever happened is noted and the record given back, unless another worker has taken it over.
    await ledger.release();
  }
  await hintAtNextLook(ledger, parts);
}

async function work(ledger: RolloutLedger, parts: DeployParts, shift: Shift): Promise<void> {
  let unannounced: unknown;
  for (let step = 0; step < STEP_LIMIT && parts.clock() < shift.deadline; step++) {
    // A bus that refuses must not keep what is under way from being looked after: what it refused stays in the outbox.
    const rollout = unannounced === undefined ? ledger.record : { ...ledger.record, outbox: [] };
    const decision = decideRollout(rollout, parts.clock());
    if (decision.do === 'rest') break;
    if (isEffect(decision) && (await ledger.save()) === 'rebased') continue;
    try {
      await perform(decision, ledger, parts, shift);
    } catch (error) {
      if (error instanceof ConflictError) throw error;
      if (decision.do === 'announce') {
        unannounced = error;
        continue;
      }
      const failure = describeFailure(error);
      parts.log('a step of a roll-out failed', { certificate: ledger.record.id, step: decision.do, failure });
      ledger.happened({ event: 'StepFailed', failure });
    }
  }
  if (unannounced !== undefined) throw unannounced;
}

/** Deployments want to be looked at sooner than the next tick would. */
async function hintAtNextLook({ record }: RolloutLedger, { hints, clock, log }: DeployParts): Promise<void> {
  const due = rolloutDueAt(record);
  if (due === undefined) return;
  const delaySeconds = Math.max(1, Math.ceil((due - clock()) / SECOND_MS));
  if (delaySeconds > LONGEST_HINT_SECONDS) return;
  try {
    await hints.later({ schemaVersion: '1', certificate: record.id }, delaySeconds);
  } catch (error) {
    // Only a hint: the schedule looks anyway, and the message that brought us here has served.
    log('a hint could not be sent', { certificate: record.id, failure: describeFailure(error) });
  }
}

import { type IssuerRef, issuerIdOf } from '../core/certificate.ts';
import { replacedVersion } from '../core/announcements.ts';
import type { Decision } from '../core/decide.ts';
import { ConflictError, describeFailure, PermanentError } from '../core/errors.ts';
import { type CertificateRecord, versionInUse } from '../core/record.ts';
import type { Issuer, RenewalWindow } from '../core/ports.ts';
import { DAY_MS, HOUR_MS, type Instant, MINUTE_MS, SECOND_MS } from '../core/time.ts';
import { buildCsr } from '../core/x509/csr.ts';
import { Circuit } from './circuit.ts';
import { generateKey } from './keys.ts';
import type { Ledger } from './ledger.ts';
import { askIssuer, requestOf, slotOf } from './order.ts';
import { openRolloutOf } from './open-rollout.ts';
import type { RenewalParts } from './parts.ts';

type Doing = Exclude<Decision['do'], 'rest'>;
type Perform<D extends Doing> = (
  decision: Extract<Decision, { do: D }>,
  ledger: Ledger,
  parts: RenewalParts,
) => Promise<void>;

/** Steps that touch nothing but the ledger: what they note need not be durable before the next one. */
export const isEffect = ({ do: step }: Decision): boolean =>
  step !== 'startAttempt' && step !== 'intendAgain' && step !== 'defer';

/** Does the one thing that was decided, and notes what came of it. */
export function perform(
  decision: Exclude<Decision, { do: 'rest' }>,
  ledger: Ledger,
  parts: RenewalParts,
): Promise<void> {
  const act = STEPS[decision.do] as Perform<Doing>;
  return act(decision, ledger, parts);
}

/** The journey, in its order. */
const STEPS: { readonly [D in Doing]: Perform<D> } = {
  announce: async ({ announcements }, ledger, { bus }) => {
    await bus.publish(announcements);
    ledger.note({ event: 'Announced' });
  },

  openRollout: ({ current }, ledger, parts) => openRolloutOf(ledger, current, parts),

  inspectStore: (_decision, ledger, parts) => inspectStore(ledger, parts, ledger.record.spec.secretName),

  startAttempt: async ({ reason }, ledger, { newAttemptId }) => {
    ledger.note({ event: 'AttemptStarted', attempt: newAttemptId(), reason });
  },

  defer: async ({ until, cause }, ledger) => {
    ledger.note({ event: 'Deferred', until, cause });
    // Where nobody has to be told of the wait, no effect follows that would save it.
    await ledger.save();
  },

  abandonAttempt: async ({ attempt, cause }, ledger, parts) => {
    await discardPending(ledger.record, attempt.secretName, parts);
    ledger.note({ event: 'AttemptAbandoned', cause });
  },

  abandonOrder: async ({ order }, ledger, parts) => {
    // Counted before it is made: a try that kills its worker, each time, must not keep the certificate from being renewed.
    ledger.note({ event: 'AbandonTried' });
    await ledger.save();
    try {
      const ca = await connectTo(order.issuerRef, parts);
      await ca.abandon(order.ticket);
      ledger.note({ event: 'OrderAbandoned' });
    } catch (error) {
      // No failure of a renewal: the certificate is no worse for it, and another try follows.
      const failure = describeFailure(error);
      parts.log('what an order holds could not be freed', {
        certificate: ledger.record.id,
        order: order.ticket['order'],
        tries: order.tries + 1,
        failure,
      });
      ledger.note({ event: 'OrderNotAbandoned', failure });
    }
  },

  revoke: async ({ revocation }, ledger, parts) => {
    const { version, secretName, issuerRef, reason } = revocation;
    // Counted before it is made, as an abandoned order's; revoking twice is revoking once.
    ledger.note({ event: 'RevocationTried', version });
    await ledger.save();
    try {
      const ca = await connectTo(issuerRef, parts);
      if (ca.revoke === undefined) {
        throw new PermanentError('RevocationUnsupported', `${issuerIdOf(issuerRef)} is of a kind that revokes nothing`);
      }
      const certificate = await parts.store.leaf(slotOf(ledger.record, secretName), version);
      await ca.revoke({ certificate, reason });
      ledger.note({ event: 'Revoked', version });
    } catch (error) {
      const failure = describeFailure(error);
      const tries = revocation.tries + 1;
      parts.log('a leaf could not be revoked', { certificate: ledger.record.id, version, tries, failure });
      ledger.note({ event: 'NotRevoked', version, failure });
    }
  },

  askRenewalInfo: async ({ current }, ledger, parts) => {
    const { clock, random, log } = parts;
    const learned = (window: RenewalWindow | undefined, afterMs: number): void =>
      ledger.note({ event: 'RenewalInfoLearned', window, random: random(), checkAt: clock() + afterMs });
    try {
      const ca = await connectTo(current.issuerRef, parts);
      const info = await ca.renewalInfo?.(current.leaf);
      learned(info?.window, clampLook((info?.checkAfterSeconds ?? Infinity) * SECOND_MS));
    } catch (error) {
      const failure = describeFailure(error);
      log('the CA could not be asked for its wish', { certificate: ledger.record.id, failure });
      const { retryAfterSeconds } = failure;
      learned(undefined, retryAfterSeconds === undefined ? ASK_AGAIN_MS : clampLook(retryAfterSeconds * SECOND_MS));
    }
  },

  intendOrder: async ({ attempt }, ledger, parts) => {
    const { spec } = ledger.record;
    const slot = slotOf(ledger.record, attempt.secretName);
    const key = await parts.store.stageKey(slot, attempt.id, () => generateKey(spec.privateKey));
    const notAfter = wholeSecond(parts.clock() + spec.durationSeconds * SECOND_MS);
    ledger.note({ event: 'OrderIntended', csr: await buildCsr(spec, key), notAfter });
  },

  intendAgain: async (_decision, ledger) => {
    ledger.note({ event: 'OrderIntendedAgain' });
  },

  placeOrder: ({ attempt }, ledger, parts) =>
    askIssuer(ledger, parts, attempt, 'OrderPlaced', ({ issuer }) => issuer.start(requestOf(ledger.record, attempt))),

  checkOrder: ({ attempt }, ledger, parts) =>
    askIssuer(ledger, parts, attempt, 'OrderPending', ({ issuer }) =>
      issuer.check(requestOf(ledger.record, attempt), attempt.ticket),
    ),

  promote: async ({ attempt }, ledger, parts) => {
    const { record } = ledger;
    const slot = slotOf(record, attempt.secretName);
    try {
      await parts.store.promote(slot, attempt.version, replacedVersion(record, attempt.secretName));
      ledger.note({ event: 'VersionPromoted' });
    } catch (error) {
      if (!(error instanceof ConflictError) || error.code !== 'CurrentMoved') throw error;
      // A version of ours that the ledger does not know of: an earlier attempt got further than its receipt.
      await inspectStore(ledger, parts, attempt.secretName);
    }
  },
};

async function connectTo(issuerRef: IssuerRef, parts: RenewalParts): Promise<Issuer> {
  const { issuer } = await Circuit.open(parts, issuerIdOf(issuerRef));
  const { issuer: ca } = await parts.connect(issuer.spec);
  return ca;
}

/** RFC 9773 §4.3.3: without an answer, six hours. */
const ASK_AGAIN_MS = 6 * HOUR_MS;

/** RFC 9773 §4.3.2: reasonable limits for what the CA asks for. */
const clampLook = (ms: number): number => Math.min(Math.max(ms, MINUTE_MS), DAY_MS);

/** Takes up what the store already has, so that a lost inventory or receipt issues nothing anew. */
async function inspectStore(ledger: Ledger, parts: RenewalParts, secretName: string): Promise<void> {
  const found = await parts.store.current(slotOf(ledger.record, secretName));
  if (found === undefined) {
    ledger.note({ event: 'StoreInspected' });
    return;
  }
  const { provenance, version } = found;
  const inUse = versionInUse({ ...provenance, version, secretName }, parts.clock());
  ledger.note({ event: 'StoreInspected', found: { version: inUse, generation: provenance.generation } });
}

/** Tidying only: the next attempt takes the label over, and what is pending no consumer reads. */
async function discardPending(record: CertificateRecord, secretName: string, parts: RenewalParts): Promise<void> {
  try {
    await parts.store.discard(slotOf(record, secretName));
  } catch (error) {
    parts.log('a pending version was left behind', { certificate: record.id, failure: describeFailure(error) });
  }
}

const wholeSecond = (instant: Instant): Instant => Math.floor(instant / SECOND_MS) * SECOND_MS;

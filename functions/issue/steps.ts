import { issuerIdOf } from '../core/certificate.ts';
import { replacedVersion } from '../core/announcements.ts';
import type { Decision } from '../core/decide.ts';
import { ConflictError, describeFailure } from '../core/errors.ts';
import type { CertificateRecord } from '../core/record.ts';
import { type Instant, SECOND_MS } from '../core/time.ts';
import { buildCsr } from '../core/x509/csr.ts';
import { Circuit } from './circuit.ts';
import { generateKey } from './keys.ts';
import type { Ledger } from './ledger.ts';
import { askIssuer, requestOf, slotOf } from './order.ts';
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

  inspectStore: (_decision, ledger, parts) => inspectStore(ledger, parts, ledger.record.spec.secretName),

  startAttempt: async ({ reason }, ledger, { newAttemptId }) => {
    ledger.note({ event: 'AttemptStarted', attempt: newAttemptId(), reason });
  },

  defer: async ({ until, cause }, ledger) => {
    ledger.note({ event: 'Deferred', until, cause });
  },

  abandonAttempt: async ({ attempt, cause }, ledger, parts) => {
    if (attempt.phase === 'orderPlaced') {
      const { issuer } = await Circuit.open(parts, issuerIdOf(attempt.issuerRef));
      const { issuer: ca } = await parts.connect(issuer.spec);
      await ca.abandon(attempt.ticket);
    }
    await discardPending(ledger.record, attempt.secretName, parts);
    ledger.note({ event: 'AttemptAbandoned', cause });
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

/** Takes up what the store already has, so that a lost inventory or receipt issues nothing anew. */
async function inspectStore(ledger: Ledger, { store }: RenewalParts, secretName: string): Promise<void> {
  const found = await store.current(slotOf(ledger.record, secretName));
  if (found === undefined) {
    ledger.note({ event: 'StoreInspected' });
    return;
  }
  const { generation, leaf, issuedAt, specDigest, issuerRef } = found.provenance;
  const version = { version: found.version, secretName, issuerRef, leaf, specDigest, issuedAt };
  ledger.note({ event: 'StoreInspected', found: { version, generation } });
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

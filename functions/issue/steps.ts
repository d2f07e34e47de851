import { issuerIdOf, type IssuedChain } from '../core/certificate.ts';
import type { AttemptIn, Decision } from '../core/decide.ts';
import { ConflictError, PermanentError, TransientError } from '../core/errors.ts';
import { judge } from '../core/gate.ts';
import type { SecretSlot, SigningRequest, Step } from '../core/ports.ts';
import type { CertificateRecord } from '../core/record.ts';
import { specDigest } from '../core/spec-change.ts';
import { type Instant, SECOND_MS } from '../core/time.ts';
import { buildCsr, csrPublicKey } from '../core/x509/csr.ts';
import { Circuit } from './circuit.ts';
import { generateKey } from './keys.ts';
import type { Ledger } from './ledger.ts';
import type { ConnectedIssuer, RenewalParts } from './parts.ts';

/** While an order is this young a short wait is spent in place: coming back would cost more. */
const IN_PLACE_MS = 5 * SECOND_MS;

type Doing = Exclude<Decision['do'], 'rest'>;
type Perform<D extends Doing> = (
  decision: Extract<Decision, { do: D }>,
  ledger: Ledger,
  parts: RenewalParts,
) => Promise<void>;

/** Steps that touch nothing but the ledger: what they note need not be durable before the next one. */
export const isEffect = ({ do: step }: Decision): boolean => step !== 'startAttempt' && step !== 'defer';

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

  inspectStore: (_decision, ledger, parts) => inspectStore(ledger, parts),

  startAttempt: async ({ reason }, ledger, { newAttemptId }) => {
    const issuer = issuerIdOf(ledger.record.spec.issuerRef);
    ledger.note({ event: 'AttemptStarted', attempt: newAttemptId(), reason, issuer });
  },

  defer: async ({ until, cause }, ledger) => {
    ledger.note({ event: 'Deferred', until, cause });
  },

  abandonAttempt: async ({ attempt, cause }, ledger, parts) => {
    if (attempt.phase === 'orderPlaced') {
      const { issuer } = await connect(ledger.record, parts);
      await issuer.abandon(attempt.ticket);
    }
    await parts.store.discard(slotOf(ledger.record));
    ledger.note({ event: 'AttemptAbandoned', cause });
  },

  intendOrder: async ({ attempt }, ledger, parts) => {
    const { spec } = ledger.record;
    const key = await parts.store.stageKey(slotOf(ledger.record), attempt.id, () => generateKey(spec.privateKey));
    const notAfter = wholeSecond(parts.clock() + spec.durationSeconds * SECOND_MS);
    ledger.note({ event: 'OrderIntended', csr: await buildCsr(spec, key), notAfter });
  },

  placeOrder: async ({ attempt }, ledger, parts) => {
    const request: SigningRequest = {
      attempt: attempt.id,
      certificate: ledger.record.spec,
      csr: attempt.csr,
      notAfter: attempt.notAfter,
    };
    await order(ledger, parts, attempt, 'OrderPlaced', ({ issuer }) => issuer.start(request));
  },

  checkOrder: async ({ attempt }, ledger, parts) => {
    await order(ledger, parts, attempt, 'OrderPending', ({ issuer }) => issuer.check(attempt.ticket));
  },

  promote: async ({ attempt }, ledger, parts) => {
    const { record } = ledger;
    const replaces = record.current?.secretName === record.spec.secretName ? record.current.version : undefined;
    try {
      await parts.store.promote(slotOf(record), attempt.version, replaces);
      ledger.note({ event: 'VersionPromoted' });
    } catch (error) {
      if (!(error instanceof ConflictError) || error.code !== 'CurrentMoved') throw error;
      // A version of ours that the ledger does not know of: an earlier attempt got further than its receipt.
      await inspectStore(ledger, parts);
    }
  },
};

/** Takes up what the store already has, so that a lost inventory or receipt issues nothing anew. */
async function inspectStore(ledger: Ledger, { store }: RenewalParts): Promise<void> {
  const { spec } = ledger.record;
  const found = await store.current(slotOf(ledger.record));
  if (found === undefined) {
    ledger.note({ event: 'StoreInspected' });
    return;
  }
  const { generation, leaf, issuedAt, specDigest: digest } = found.provenance;
  const version = { version: found.version, secretName: spec.secretName, leaf, specDigest: digest, issuedAt };
  ledger.note({ event: 'StoreInspected', found: { version, generation } });
}

type OrderAttempt = AttemptIn<'orderIntended'> | AttemptIn<'orderPlaced'>;

/** Asks the issuer once, through its circuit breaker, and takes what it answers to the gate or into the ledger. */
async function order(
  ledger: Ledger,
  parts: RenewalParts,
  attempt: OrderAttempt,
  pendingEvent: 'OrderPlaced' | 'OrderPending',
  ask: (connected: ConnectedIssuer) => Promise<Step<IssuedChain>>,
): Promise<void> {
  const circuit = await Circuit.open(parts.inventory, parts.clock, attempt.issuer);
  const until = await circuit.closedUntil();
  if (until !== undefined) {
    ledger.note({ event: 'Deferred', until, cause: 'CircuitOpen' });
    return;
  }
  const connected = await parts.connect(circuit.issuer.value.spec);
  const step = await watched(circuit, () => ask(connected));
  if (step.status === 'done') {
    await pass(ledger, parts, attempt, connected, step.value);
    return;
  }
  const checkAt = parts.clock() + step.checkAfterSeconds * SECOND_MS;
  ledger.note({ event: pendingEvent, ticket: step.ticket, checkAt });
  if (checkAt - attempt.intendedAt > IN_PLACE_MS) return;
  // The receipt first: this wait may be our last.
  await ledger.save();
  await parts.pause(Math.max(0, checkAt - parts.clock()) / SECOND_MS);
}

/** The CA's own failures count against its circuit; a refusal of this one certificate does not. */
async function watched<T>(circuit: Circuit, call: () => Promise<T>): Promise<T> {
  try {
    const answer = await call();
    await circuit.succeeded();
    return answer;
  } catch (error) {
    if (!(error instanceof PermanentError || error instanceof ConflictError)) await circuit.failed();
    throw error;
  }
}

/** The gate, and behind it the store. */
async function pass(
  ledger: Ledger,
  parts: RenewalParts,
  attempt: OrderAttempt,
  connected: ConnectedIssuer,
  chain: IssuedChain,
): Promise<void> {
  const { record } = ledger;
  const judgement = judge(
    {
      spec: record.spec,
      publicKey: csrPublicKey(attempt.csr),
      chain,
      latestNotAfter: connected.honoursNotAfter ? attempt.notAfter : undefined,
      uninvitedUsages: connected.uninvitedUsages,
    },
    parts.clock(),
  );
  if (judgement.verdict === 'refuse') {
    throw new PermanentError(
      'GateRefused',
      `the CA's answer is not what was asked for: ${judgement.violations.join('; ')}`,
    );
  }
  if (judgement.verdict === 'wait') {
    if (attempt.phase === 'orderPlaced') {
      ledger.note({ event: 'OrderPending', ticket: attempt.ticket, checkAt: judgement.until });
      return;
    }
    throw new TransientError('NotYetValid', 'the certificate is not valid yet; asking again when it is', {
      retryAfterSeconds: secondsUntil(judgement.until, parts.clock()),
    });
  }
  const { version, ref } = await parts.store.commit(slotOf(record), judgement.chain, {
    certificate: record.id,
    attempt: attempt.id,
    generation: record.generation + 1,
    issuer: attempt.issuer,
    specDigest: specDigest(record.spec),
    issuedAt: attempt.intendedAt,
    leaf: judgement.leaf,
  });
  ledger.note({ event: 'VersionStored', version, ref, leaf: judgement.leaf });
}

async function connect(record: CertificateRecord, parts: RenewalParts): Promise<ConnectedIssuer> {
  const circuit = await Circuit.open(parts.inventory, parts.clock, issuerIdOf(record.spec.issuerRef));
  return parts.connect(circuit.issuer.value.spec);
}

const slotOf = ({ id, spec }: CertificateRecord): SecretSlot => ({ certificate: id, secretName: spec.secretName });

const wholeSecond = (instant: Instant): Instant => Math.floor(instant / SECOND_MS) * SECOND_MS;

const secondsUntil = (until: Instant, now: Instant): number => Math.ceil((until - now) / SECOND_MS);

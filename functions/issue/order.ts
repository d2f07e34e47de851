import { type IssuedChain, issuerIdOf, type IssuerSpec } from '../core/certificate.ts';
import type { AttemptIn } from '../core/decide.ts';
import { GATE_REFUSED, PermanentError } from '../core/errors.ts';
import { judge } from '../core/gate.ts';
import type { SecretSlot, SigningRequest, Step } from '../core/ports.ts';
import type { CertificateRecord } from '../core/record.ts';
import { type Instant, SECOND_MS } from '../core/time.ts';
import { csrPublicKey } from '../core/x509/csr.ts';
import { Circuit } from './circuit.ts';
import type { Ledger } from './ledger.ts';
import type { ConnectedIssuer, RenewalParts } from './parts.ts';

/** While an order is this young a short wait is spent in place: coming back would cost more. */
const IN_PLACE_MS = 5 * SECOND_MS;

type OrderAttempt = AttemptIn<'orderIntended'> | AttemptIn<'orderPlaced'>;

/** Asks the issuer once, through its circuit breaker, and takes what it answers into the ledger or to the gate. */
export async function askIssuer(
  ledger: Ledger,
  parts: RenewalParts,
  attempt: OrderAttempt,
  waiting: 'OrderPlaced' | 'OrderPending',
  ask: (connected: ConnectedIssuer) => Promise<Step<IssuedChain>>,
): Promise<void> {
  const circuit = await Circuit.open(parts, issuerIdOf(attempt.issuerRef));
  const openUntil = await circuit.openUntil();
  if (openUntil !== undefined) {
    parts.meter.record('CircuitOpen', 1);
    ledger.note({ event: 'Deferred', until: openUntil, cause: 'CircuitOpen' });
    return;
  }
  if (waiting === 'OrderPlaced') {
    const comesAt = await awaitTurn(circuit.issuer.spec, parts);
    if (comesAt !== undefined) {
      ledger.note({ event: 'Deferred', until: comesAt, cause: 'OrderLimit' });
      return;
    }
  }
  const connected = await parts.connect(circuit.issuer.spec);
  const answer = await circuit.watch(
    () => ask(connected),
    async (step) => {
      if (step.status === 'done') return;
      const checkAt = parts.clock() + step.checkAfterSeconds * SECOND_MS;
      ledger.note({ event: waiting, ticket: step.ticket, checkAt });
      // The receipt before anything else: whatever comes next may be our last.
      await ledger.save();
    },
  );
  if (answer.status === 'done') await pass(ledger, parts, attempt, connected, answer);
  else await waitWhileYoung(attempt, answer.checkAfterSeconds, parts);
}

/** A turn that comes so soon is waited for in place. */
const TURN_IN_PLACE_MS = 2 * SECOND_MS;

/** Takes an order out of the issuer's budget. Undefined: it may be placed now. Otherwise when it is worth trying again. */
async function awaitTurn(
  { ref, orderLimit }: IssuerSpec,
  { inventory, clock, pause }: RenewalParts,
): Promise<Instant | undefined> {
  if (orderLimit === undefined) return undefined;
  const now = clock();
  const times = { now, latest: now + TURN_IN_PLACE_MS };
  const { taken, placeableAt } = await inventory.takeOrder(issuerIdOf(ref), orderLimit, times);
  if (!taken) return placeableAt;
  if (placeableAt > now) await pause((placeableAt - now) / SECOND_MS);
  return undefined;
}

async function waitWhileYoung(attempt: OrderAttempt, seconds: number, parts: RenewalParts): Promise<void> {
  const checkAt = parts.clock() + seconds * SECOND_MS;
  if (checkAt - attempt.intendedAt <= IN_PLACE_MS) await parts.pause(seconds);
}

/** The gate, and behind it the store. */
async function pass(
  ledger: Ledger,
  parts: RenewalParts,
  attempt: OrderAttempt,
  connected: ConnectedIssuer,
  { value: chain, leftover }: Extract<Step<IssuedChain>, { status: 'done' }>,
): Promise<void> {
  const { record } = ledger;
  const { account, offersRenewalInfo } = chain;
  const judgement = judge(
    {
      spec: record.spec,
      publicKey: csrPublicKey(attempt.csr),
      chain,
      latestNotAfter: connected.honoursNotAfter ? attempt.notAfter : undefined,
      uninvitedUsages: connected.uninvitedUsages,
      withheldUsages: connected.withheldUsages,
    },
    parts.clock(),
  );
  if (judgement.verdict === 'refuse') {
    const violations = judgement.violations.join('; ');
    throw new PermanentError(GATE_REFUSED, `the CA's answer is not what was asked for: ${violations}`);
  }
  const { version, ref } = await parts.store.commit(slotOf(record, attempt.secretName), judgement.chain, {
    certificate: record.id,
    attempt: attempt.id,
    generation: record.generation + 1,
    issuerRef: attempt.issuerRef,
    specDigest: attempt.specDigest,
    issuedAt: attempt.intendedAt,
    leaf: judgement.leaf,
    account,
    offersRenewalInfo,
  });
  ledger.note({ event: 'VersionStored', version, ref, leaf: judgement.leaf, account, offersRenewalInfo, leftover });
}

/** All that the CA is told, as it was fixed in the ledger. */
export const requestOf = ({ spec, current }: CertificateRecord, attempt: OrderAttempt): SigningRequest => ({
  attempt: attempt.id,
  certificate: spec,
  csr: attempt.csr,
  notAfter: attempt.notAfter,
  ...(current === undefined || issuerIdOf(current.issuerRef) !== issuerIdOf(attempt.issuerRef)
    ? {}
    : { replaces: { leaf: current.leaf, ...(current.account === undefined ? {} : { account: current.account }) } }),
});

export const slotOf = ({ id, spec }: CertificateRecord, secretName: string): SecretSlot => ({
  certificate: id,
  secretName,
  ...(spec.outputFormats === undefined ? {} : { outputFormats: spec.outputFormats }),
});

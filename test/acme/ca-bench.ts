import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { dns01Solver } from '../../functions/challenges/dns-01/solver.ts';
import { attemptId, type CertificateSpec, type IssuedChain } from '../../functions/core/certificate.ts';
import { keyHandle } from '../../functions/core/key-handle.ts';
import type {
  ChallengePlugin,
  Issuer,
  IssuerContext,
  KeyHandle,
  SigningRequest,
  Step,
  Ticket,
} from '../../functions/core/ports.ts';
import { DAY_MS, type Instant } from '../../functions/core/time.ts';
import { buildCsr } from '../../functions/core/x509/csr.ts';
import { generateKey } from '../../functions/issue/keys.ts';
import { acmeIssuer } from '../../functions/issuers/acme/issuer.ts';
import type { AcmeOptions, SolverOptions } from '../../functions/issuers/acme/options.ts';
import { bindSolvers } from '../../functions/issuers/acme/solvers.ts';
import { AcmeServer, type AcmeServerOptions } from '../../local/acme/server.ts';
import { DnsServer } from '../../local/dns/server.ts';
import { aSpec, NOON } from '../support/builders.ts';
import { type MemoryAccounts, memoryAccounts } from '../support/memory-accounts.ts';
import { type MemoryDns, memoryDns } from '../support/memory-dns.ts';

export const ZONE = 'acme.example';
const ACCOUNT = { name: 'account', key: 'tls.key' } as const;
export const ANY_NAME: SolverOptions = { matchLabels: {}, dnsNames: [], dnsZones: [], challenge: 'dns01', options: {} };

export interface Order {
  readonly request: SigningRequest;
  readonly key: KeyHandle;
}

/** The adapter before the embedded CA, which validates by real DNS; time goes by the bench's own clock. */
export interface CaBench {
  readonly ca: AcmeServer;
  readonly dns: MemoryDns;
  readonly accounts: MemoryAccounts;
  readonly clock: { now: () => Instant; pass: (ms: number) => void };
  readonly logged: string[];
  /** A new connection, as a cold function makes one. */
  issuer(changes?: Partial<AcmeOptions>): Issuer;
  order(changes?: Partial<CertificateSpec>, more?: Partial<SigningRequest>): Promise<Order>;
  /** What the adapter answers until there is a chain; waits are taken for granted. */
  obtain(issuer: Issuer, order: Order): Promise<IssuedChain>;
  /** Requests since the last time this was asked, as `resource`. */
  requests(): readonly string[];
}

/** `atEnd` is told what is to be closed; the test that is running, if absent. */
export async function caBench(
  changes: Partial<AcmeServerOptions> = {},
  atEnd: (close: () => Promise<void>) => void = onTestFinished,
): Promise<CaBench> {
  let now = NOON;
  const dns = memoryDns(ZONE);
  const server = new DnsServer(dns.answers, () => now);
  await server.listen();
  const ca = await AcmeServer.start({
    clock: { now: () => now },
    dnsServer: server.address,
    // What the adapter remembers of a directory outlives a test, and a port that was let go is soon given out again.
    directoryPath: `/${randomUUID()}/directory`,
    ...changes,
  });
  atEnd(async () => {
    await ca.close();
    await server.close();
  });
  const accounts = memoryAccounts();
  const logged: string[] = [];
  const context: IssuerContext = { accounts, clock: () => now, log: (message) => void logged.push(message) };
  let seen = 0;
  return {
    ca,
    dns,
    accounts,
    logged,
    clock: { now: () => now, pass: (ms) => void (now += ms) },
    issuer: (options = {}) => {
      const all = { ...optionsFor(ca), ...options };
      return acmeIssuer(
        all,
        bindSolvers(all.solvers, () => dns01On(dns)),
        context,
      );
    },
    order: async (spec = {}, more = {}) => {
      const certificate = aSpec({ dnsNames: [`h-${randomUUID()}.${ZONE}`], usages: ['digital signature'], ...spec });
      // The builders' common name is not among these names, and ACME would have none of it.
      const { commonName: _left, ...named } = { ...certificate, ...('commonName' in spec ? {} : { commonName: '' }) };
      const asked: CertificateSpec = 'commonName' in spec ? certificate : named;
      const key = keyHandle(await generateKey(asked.privateKey));
      const attempt = attemptId.parse(randomUUID());
      const csr = await buildCsr(asked, key);
      return { key, request: { attempt, certificate: asked, csr, notAfter: now + 90 * DAY_MS, ...more } };
    },
    obtain: (issuer, order) => finish(issuer, order),
    requests: () => {
      const added = ca.requests.slice(seen);
      seen = ca.requests.length;
      return added.map(({ resource }) => resource);
    },
  };
}

export const optionsFor = (ca: AcmeServer): AcmeOptions => ({
  server: ca.directoryUrl,
  caBundle: ca.tlsRoot,
  hosts: [],
  accountKey: ACCOUNT,
  makesAccountKey: true,
  sendsNotAfter: false,
  trustAnchors: 'topOfChain',
  solvers: [ANY_NAME],
});

const dns01On = (dns: MemoryDns): ChallengePlugin<unknown> => ({
  type: 'dns-01',
  field: 'dns01',
  proves: () => true,
  needs: () => [],
  parse: () => ({ ok: true, options: {} }),
  create: async () => dns01Solver(dns, false),
});

/** Bounds a CA that never finishes. */
const MOST_LOOKS = 200;

async function finish(issuer: Issuer, order: Order): Promise<IssuedChain> {
  const last = await goOn(issuer, order, await issuer.start(order.request), MOST_LOOKS);
  if (last.status === 'done') return last.value;
  throw new Error(`still waiting: ${JSON.stringify(last.ticket)}`);
}

/** Looks up to `looks` times. */
export async function goOn(
  issuer: Issuer,
  { request }: Order,
  step: Step<IssuedChain>,
  looks: number,
): Promise<Step<IssuedChain>> {
  let next = step;
  for (let look = 0; look < looks && next.status === 'waiting'; look++) next = await issuer.check(request, next.ticket);
  return next;
}

/** The ticket of an order that has come to `phase`, as the ledger would hold it. */
export async function ticketAt(issuer: Issuer, order: Order, phase: string): Promise<Ticket> {
  let step = await issuer.start(order.request);
  for (let look = 0; look < MOST_LOOKS && step.status === 'waiting'; look++) {
    if (step.ticket['phase'] === phase) return step.ticket;
    step = await issuer.check(order.request, step.ticket);
  }
  throw new Error(`the order never was at ${phase}`);
}

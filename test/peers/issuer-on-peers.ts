import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dns01Solver } from '../../functions/challenges/dns-01/solver.ts';
import { attemptId, type CertificateSpec, type IssuedChain } from '../../functions/core/certificate.ts';
import type { Verdict } from '../../functions/core/gate.ts';
import { keyHandle } from '../../functions/core/key-handle.ts';
import type { ChallengePlugin, Issuer, KeyHandle, SigningRequest } from '../../functions/core/ports.ts';
import { DAY_MS, SECOND_MS } from '../../functions/core/time.ts';
import { buildCsr } from '../../functions/core/x509/csr.ts';
import { generateKey } from '../../functions/issue/keys.ts';
import { acmeIssuer } from '../../functions/issuers/acme/issuer.ts';
import type { AcmeOptions } from '../../functions/issuers/acme/options.ts';
import { bindSolvers } from '../../functions/issuers/acme/solvers.ts';
import { acmeVerdict } from '../support/acme-verdict.ts';
import { aSpec } from '../support/builders.ts';
import { type MemoryAccounts, memoryAccounts } from '../support/memory-accounts.ts';
import type { ChallengeDns } from './servers/challenge-dns.ts';

export interface PeerCa {
  readonly directoryUrl: string;
  readonly caFile: string;
}

export interface IssuerOnPeers {
  readonly accounts: MemoryAccounts;
  /** As a cold function connects. */
  readonly issuer: (changes?: Partial<AcmeOptions>) => Issuer;
}

/** Our adapter before a CA that we did not write; responses go to its DNS server as they would to Route 53. */
export function issuerOnPeers({ directoryUrl, caFile }: PeerCa, dns: ChallengeDns | undefined): IssuerOnPeers {
  const accounts = memoryAccounts();
  const context = { accounts, clock: Date.now, log: () => {} };
  return {
    accounts,
    issuer: (changes = {}) => {
      const options: AcmeOptions = {
        server: directoryUrl,
        caBundle: readFileSync(caFile, 'utf8'),
        hosts: [],
        accountKey: { name: 'account', key: 'tls.key' },
        makesAccountKey: true,
        sendsNotAfter: false,
        trustAnchors: 'topOfChain',
        solvers: [{ matchLabels: {}, dnsNames: [], dnsZones: [], challenge: 'dns01', options: {} }],
        ...changes,
      };
      return acmeIssuer(
        options,
        bindSolvers(options.solvers, () => dns01On(dns)),
        context,
      );
    },
  };
}

const dns01On = (dns: ChallengeDns | undefined): ChallengePlugin<unknown> => ({
  type: 'dns-01',
  field: 'dns01',
  proves: () => true,
  needs: () => [],
  parse: () => ({ ok: true, options: {} }),
  create: async () =>
    dns01Solver(
      {
        zoneOf: async () => 'peer',
        add: async (records) => {
          for (const { name, value } of records) await dns?.setTxt(`${name}.`, value);
          return { status: 'done', value: undefined };
        },
        check: async () => ({ status: 'done', value: undefined }),
        // It takes all values of a name away: as good, where no two certificates share one.
        remove: async (records) => {
          for (const { name } of records) await dns?.clearTxt(`${name}.`);
        },
      },
      false,
    ),
});

export interface PeerOrder {
  readonly request: SigningRequest;
  readonly key: KeyHandle;
}

export async function newOrder(changes: Partial<CertificateSpec> = {}): Promise<PeerOrder> {
  const { commonName: _none, ...spec } = aSpec({ dnsNames: [`h-${randomUUID()}.test`], ...changes });
  const key = keyHandle(await generateKey(spec.privateKey));
  const request = {
    attempt: attemptId.parse(randomUUID()),
    certificate: spec,
    csr: await buildCsr(spec, key),
    notAfter: Date.now() + 90 * DAY_MS,
  };
  return { request, key };
}

/** As the pipeline does: never before the second that the CA names. */
export async function obtain(issuer: Issuer, { request }: PeerOrder): Promise<IssuedChain> {
  let step = await issuer.start(request);
  while (step.status === 'waiting') {
    const { checkAfterSeconds, ticket } = step;
    if (checkAfterSeconds > 0) await new Promise((resolve) => setTimeout(resolve, checkAfterSeconds * SECOND_MS));
    step = await issuer.check(request, ticket);
  }
  return step.value;
}

export const verdictOn = (order: PeerOrder, chain: IssuedChain): Verdict => acmeVerdict(order, chain, Date.now());

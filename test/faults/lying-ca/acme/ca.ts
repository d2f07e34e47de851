import { randomUUID } from 'node:crypto';
import { dns01Solver } from '../../../../functions/challenges/dns-01/solver.ts';
import type { CertificateSpec, IssuerSpec } from '../../../../functions/core/certificate.ts';
import type { ChallengePlugin, IssuerContext } from '../../../../functions/core/ports.ts';
import type { ConnectedIssuer } from '../../../../functions/issue/parts.ts';
import { acmeIssuer } from '../../../../functions/issuers/acme/issuer.ts';
import type { AcmeOptions } from '../../../../functions/issuers/acme/options.ts';
import { acme } from '../../../../functions/issuers/acme/plugin.ts';
import { bindSolvers } from '../../../../functions/issuers/acme/solvers.ts';
import { httpsTransport, type Transport } from '../../../../functions/issuers/acme/transport.ts';
import type { AcmeAnswer } from '../../../../local/acme/exchange.ts';
import { AcmeServer } from '../../../../local/acme/server.ts';
import { DnsServer } from '../../../../local/dns/server.ts';
import { optionsFor, ZONE } from '../../../acme/ca-bench.ts';
import { aSpec } from '../../../support/builders.ts';
import { memoryAccounts } from '../../../support/memory-accounts.ts';
import { type MemoryDns, memoryDns } from '../../../support/memory-dns.ts';
import type { Asked, Ca } from '../ca.ts';
import type { CellClock } from '../clock.ts';
import { TimeLimit } from '../time-limit.ts';

const ISSUER: IssuerSpec = {
  ref: { group: 'cert-manager.io', kind: 'ClusterIssuer', name: 'public' },
  plugin: 'acme',
  options: {},
};

/** The ACME adapter before the embedded CA, over TLS and with validation by real DNS. */
export class AcmeCa implements Ca {
  readonly issuer = ISSUER;
  readonly spec: CertificateSpec;
  readonly limit = new TimeLimit();
  readonly hosts = new Set<string>();
  readonly server: AcmeServer;
  poured = 0;
  /** What the manifest says of the issuer beside its server. */
  options: Partial<AcmeOptions> = {};
  readonly #accounts = memoryAccounts();
  readonly #dns: MemoryDns;
  readonly #nameServer: DnsServer;

  private constructor(server: AcmeServer, dns: MemoryDns, nameServer: DnsServer) {
    const { commonName: _none, ...spec } = aSpec({
      issuerRef: ISSUER.ref,
      dnsNames: [`shop.${ZONE}`],
      usages: ['digital signature'],
    });
    this.spec = spec;
    this.server = server;
    this.#dns = dns;
    this.#nameServer = nameServer;
  }

  static async start(clock: CellClock): Promise<AcmeCa> {
    const dns = memoryDns(ZONE);
    const nameServer = new DnsServer(dns.answers, clock.now);
    await nameServer.listen();
    // A warm function remembers directories by their URL, and ports come again.
    const directoryPath = `/${randomUUID()}/directory`;
    const server = await AcmeServer.start({ clock, dnsServer: nameServer.address, directoryPath });
    return new AcmeCa(server, dns, nameServer);
  }

  async connect(context: Pick<IssuerContext, 'clock' | 'log'>): Promise<ConnectedIssuer> {
    const options = { ...optionsFor(this.server), ...this.options };
    const direct = httpsTransport(options.caBundle, this.limit.start);
    const watched: Transport = (request) => {
      this.hosts.add(request.url.host);
      return direct(request);
    };
    const solvers = bindSolvers(options.solvers, () => this.#dns01);
    const { uninvitedUsages, withheldUsages, honoursNotAfter } = acme([]);
    const issuer = acmeIssuer(options, solvers, { accounts: this.#accounts, ...context }, watched);
    return { issuer, uninvitedUsages, withheldUsages, honoursNotAfter };
  }

  get asked(): readonly Asked[] {
    return this.server.requests.map(({ at, resource, path }) => ({ at, step: resource, path }));
  }

  issued(): number {
    return this.server.issued.length;
  }

  get ownHost(): string {
    return new URL(this.server.directoryUrl).host;
  }

  async keys(): Promise<readonly string[]> {
    const account = await this.#accounts.read(optionsFor(this.server).accountKey);
    return account === undefined ? [] : [account.key.export({ type: 'pkcs8', format: 'pem' }).toString()];
  }

  async close(): Promise<void> {
    await this.server.close();
    await this.#nameServer.close();
  }

  readonly #dns01: ChallengePlugin<unknown> = {
    type: 'dns-01',
    field: 'dns01',
    proves: () => true,
    needs: () => [],
    parse: () => ({ ok: true, options: {} }),
    create: async () => dns01Solver(this.#dns, false),
  };
}

/** A problem document, as ACME refuses (RFC 8555 §6.7). */
export const acmeRefusal = (
  status: number,
  detail: string,
  type = status === 429 ? 'rateLimited' : 'serverInternal',
): AcmeAnswer => ({
  status,
  headers: { 'content-type': 'application/problem+json' },
  body: JSON.stringify({ type: `urn:ietf:params:acme:error:${type}`, detail, status }),
});

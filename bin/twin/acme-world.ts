import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { issuerIdOf, type IssuerSpec, type Manifest } from '../../functions/core/certificate.ts';
import type { Inventory, SecretRef } from '../../functions/core/ports.ts';
import type { AcmeOptions } from '../../functions/issuers/acme/options.ts';
import { secretName } from '../../functions/stores/secret-name.ts';
import { DEPLOYMENT_TAG } from '../../functions/stores/tags.ts';
import { AcmeServer } from '../../local/acme/server.ts';
import { type AcmeProfile, PROFILES } from '../../local/acme/settings.ts';
import type { Twin } from '../../local/twin.ts';
import { isUserRun, makeZones } from './acme-zones.ts';

/** An issuer document of kind ACME, bound to what its plug-in read. */
export interface AcmeIssuer {
  readonly spec: IssuerSpec;
  readonly options: AcmeOptions;
}

export const acmeIssuersOf = ({ issuers }: Manifest): readonly AcmeIssuer[] =>
  issuers.flatMap((spec) => (spec.plugin === 'acme' ? [{ spec, options: spec.options as AcmeOptions }] : []));

export interface AcmeWorld {
  /** Directory URLs that an embedded CA stands in for. */
  readonly standIns: readonly string[];
  /** Directory URLs of servers that the user runs. */
  readonly userRun: readonly string[];
  /** PEM trust anchors of the embedded CAs. */
  readonly roots: readonly string[];
  /** Requests that the embedded CAs have answered. */
  requests(): number;
  close(): Promise<void>;
}

/**
 * What ACME issuers find around their account: CAs under the names that the manifest gives them, the zones of its names, and
 * what a person has to put into the secret store beforehand. A CA on loopback is the user's own, and left to itself.
 */
export async function surroundWithAcme(
  twin: Twin,
  manifest: Manifest,
  inventory: Inventory,
  deployment: string,
): Promise<AcmeWorld> {
  const issuers = acmeIssuersOf(manifest);
  makeZones(twin.route53, manifest, issuers);
  const embedded = Map.groupBy(
    issuers.filter(({ options }) => !isUserRun(options)),
    ({ options }) => options.server,
  );
  const servers: AcmeServer[] = [];
  const secrets = new Secrets(twin, deployment);
  try {
    for (const [directoryUrl, clients] of embedded) servers.push(await standIn(twin, directoryUrl, clients, secrets));
    for (const [index, clients] of [...embedded.values()].entries()) {
      const server = servers[index];
      if (server !== undefined) for (const { spec } of clients) await trustStandIn(inventory, spec, server);
    }
  } finally {
    secrets.close();
  }
  return {
    standIns: [...embedded.keys()],
    userRun: [...new Set(issuers.filter(({ options }) => isUserRun(options)).map(({ options }) => options.server))],
    roots: servers.flatMap(({ roots }) => roots),
    requests: () => servers.reduce((sum, { requests }) => sum + requests.length, 0),
    close: async () => {
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}

async function standIn(
  twin: Twin,
  directoryUrl: string,
  clients: readonly AcmeIssuer[],
  secrets: Secrets,
): Promise<AcmeServer> {
  const { hostname, pathname } = new URL(directoryUrl);
  const server = await AcmeServer.start({
    clock: twin.clock,
    dnsServer: twin.dns.address,
    hosts: [hostname],
    directoryPath: pathname,
    profiles: profilesFor(clients),
    ...(await prepareSecrets(clients, secrets)),
    onTraffic: (where, text) => twin.keyWatch.search('acme', where, text),
  });
  server.settings.allowsDates = clients.some(({ options }) => options.sendsNotAfter);
  twin.network.standIn(hostname, server.port);
  twin.network.trust(server.tlsRoot);
  return server;
}

/** Those of Let's Encrypt, whose first is for orders that name none, and by their names whatever others the manifest asks for. */
function profilesFor(clients: readonly AcmeIssuer[]): Readonly<Record<string, AcmeProfile>> {
  const others = clients.flatMap(({ options: { profile } }) =>
    profile === undefined || Object.hasOwn(PROFILES, profile) ? [] : [[profile, DEFAULT_PROFILE] as const],
  );
  return { ...PROFILES, ...Object.fromEntries(others) };
}

const DEFAULT_PROFILE: AcmeProfile = { lifetimeSeconds: 90 * 86_400 };

/** What a person got from the CA, or brought along: bindings to an external account, and keys of accounts. */
async function prepareSecrets(
  clients: readonly AcmeIssuer[],
  secrets: Secrets,
): Promise<{ readonly externalAccounts?: Readonly<Record<string, string>> }> {
  const externalAccounts: Record<string, string> = {};
  for (const { options } of clients) {
    const { externalAccountBinding: binding, accountKey, makesAccountKey } = options;
    if (binding !== undefined && externalAccounts[binding.keyId] === undefined) {
      const hmacKey = randomBytes(32).toString('base64url');
      externalAccounts[binding.keyId] = hmacKey;
      await secrets.put(binding.secret, hmacKey);
    }
    if (!makesAccountKey) {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      await secrets.put(accountKey, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
    }
  }
  return Object.keys(externalAccounts).length === 0 ? {} : { externalAccounts };
}

/** A stand-in cannot sign as the real CA does: where the manifest names anchors, its own take their place. */
async function trustStandIn(inventory: Inventory, spec: IssuerSpec, server: AcmeServer): Promise<void> {
  const stored = await inventory.readIssuer(issuerIdOf(spec.ref));
  if (stored === undefined) return;
  const { caBundle, trustAnchors, ...options } = stored.value.spec.options as AcmeOptions;
  const replaced: AcmeOptions = {
    ...options,
    ...(caBundle === undefined ? {} : { caBundle: server.tlsRoot }),
    trustAnchors: trustAnchors === 'topOfChain' ? trustAnchors : server.roots,
  };
  await inventory.writeIssuer({ ...stored.value, spec: { ...stored.value.spec, options: replaced } }, stored.revision);
}

/** A person with the console. */
class Secrets {
  readonly #client: SecretsManagerClient;
  readonly #deployment: string;

  constructor({ endpoint, account, operatorCredentials: credentials }: Twin, deployment: string) {
    this.#client = new SecretsManagerClient({ endpoint, region: account.region, credentials });
    this.#deployment = deployment;
  }

  async put({ namespace, name, key }: SecretRef, value: string): Promise<void> {
    await this.#client.send(
      new CreateSecretCommand({
        Name: secretName(this.#deployment, namespace, name),
        SecretString: JSON.stringify({ [key]: value }),
        Tags: [{ Key: DEPLOYMENT_TAG, Value: this.#deployment }],
      }),
    );
  }

  close(): void {
    this.#client.destroy();
  }
}

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Peers } from '../peers.ts';
import { words } from '../words.ts';
import { freePort } from './free-port.ts';
import { ask, askFor } from './http.ts';
import { type Server, startServer } from './server.ts';
import { makeTlsFiles } from './tls.ts';

export interface PebbleOptions {
  /** Where it looks for challenges, `127.0.0.1:port`, over TCP. Without one no dns-01 validation succeeds. */
  readonly dnsServer?: string;
  /** A port of one's own choice, to be restarted at the same URL. What Pebble knew is lost. */
  readonly port?: number;
  readonly strict?: boolean;
  /** Percentage of good nonces that are refused. Default: 5. */
  readonly nonceRejectPercent?: number;
  /** How often in a hundred a valid authorization is used again. Default: 50. */
  readonly authzReusePercent?: number;
  /** Validates at once, not after a random wait. */
  readonly noSleep?: boolean;
  /** The longest of those waits. Default: 15. */
  readonly maxSleepSeconds?: number;
  /** Takes every challenge for answered. */
  readonly alwaysValid?: boolean;
  /** Key identifier → MAC key, base64url. Then no account is made without one. */
  readonly externalAccounts?: Readonly<Record<string, string>>;
  readonly alternateRoots?: number;
  /** Number of intermediates. Default: 1. */
  readonly chainLength?: number;
  /** Seconds. Default: 3 and 5, as shipped. */
  readonly retryAfter?: { readonly authz: number; readonly order: number };
  /** For the profile `default`, the only one, unless `profiles` says otherwise. Default: 90 days. */
  readonly certificateValiditySeconds?: number;
  readonly profiles?: Readonly<Record<string, { readonly description: string; readonly validityPeriod: number }>>;
  /** Names it refuses to sign. */
  readonly blocklist?: readonly string[];
}

export interface Pebble extends Server {
  readonly directoryUrl: string;
  /** What its HTTPS verifies against; nothing that it issues does. */
  readonly caFile: string;
  readonly managementUrl: string;
  /** PEM, the first is that of the default chain. New ones at every start. */
  readonly roots: () => Promise<readonly string[]>;
  /** PEM, one a root. */
  readonly intermediates: () => Promise<readonly string[]>;
  /** By serial number, in hexadecimal. Undefined: not one of its own. */
  readonly certificateStatus: (serial: string) => Promise<CertificateStatus | undefined>;
  /** From now on renewal information about this certificate (PEM) is `answer`, be it malformed. */
  readonly setRenewalInfo: (certificate: string, answer: string) => Promise<void>;
}

export interface CertificateStatus {
  readonly Status: 'Valid' | 'Revoked';
  readonly Reason?: number;
}

const NINETY_DAYS_SECONDS = 7_776_000;
/** Nobody listens there: what is not to be answered stays on this machine. */
const NO_DNS_SERVER = '127.0.0.1:1';

/** Let's Encrypt's CA for tests, with its usual faults unless `options` turn them off. */
export async function startPebble(peers: Peers, options: PebbleOptions = {}): Promise<Pebble> {
  const folder = peers.newFolder('pebble');
  const [port, managementPort, files] = await Promise.all([
    options.port ?? freePort(),
    freePort(),
    makeTlsFiles(folder),
  ]);
  const configFile = join(folder, 'config.json');
  const addresses = { listenAddress: `127.0.0.1:${port}`, managementListenAddress: `127.0.0.1:${managementPort}` };
  const tls = { certificate: files.certificateFile, privateKey: files.keyFile };
  writeFileSync(configFile, JSON.stringify({ pebble: { ...addresses, ...tls, ...configurationOf(options) } }));
  const directoryUrl = `https://127.0.0.1:${port}/dir`;
  const managementUrl = `https://127.0.0.1:${managementPort}`;
  const ca = readFileSync(files.caFile, 'utf8');
  const server = await startServer(peers, {
    program: peers.programs.pebble,
    parameters: words`-config ${configFile} -dnsserver ${options.dnsServer ?? NO_DNS_SERVER}
      ${options.strict === true ? '-strict' : []}`,
    folder,
    env: environmentOf(options),
    serves: async () => {
      await askFor(directoryUrl, { ca });
      await askFor(`${managementUrl}/roots/0`, { ca });
    },
  });
  const chains = (kind: string): Promise<string[]> =>
    Promise.all(
      Array.from({ length: 1 + (options.alternateRoots ?? 0) }, (_, index) =>
        askFor(`${managementUrl}/${kind}/${index}`, { ca }),
      ),
    );
  return {
    ...server,
    directoryUrl,
    managementUrl,
    caFile: files.caFile,
    roots: () => chains('roots'),
    intermediates: () => chains('intermediates'),
    certificateStatus: async (serial) => {
      const { status, body } = await ask(`${managementUrl}/cert-status-by-serial/${serial}`, { ca });
      return status === 404 ? undefined : (JSON.parse(body) as CertificateStatus);
    },
    setRenewalInfo: async (certificate, answer) => {
      const body = { certificate, ariResponse: answer };
      await askFor(`${managementUrl}/set-renewal-info/`, { method: 'POST', body, ca });
    },
  };
}

const configurationOf = (options: PebbleOptions): Record<string, unknown> => ({
  // Only http-01 and tls-alpn-01 would use them.
  httpPort: 1,
  tlsPort: 1,
  keyAlgorithm: 'ecdsa',
  domainBlocklist: options.blocklist ?? [],
  retryAfter: options.retryAfter ?? { authz: 3, order: 5 },
  externalAccountBindingRequired: options.externalAccounts !== undefined,
  externalAccountMACKeys: options.externalAccounts ?? {},
  profiles: options.profiles ?? {
    default: {
      description: 'The only one',
      validityPeriod: options.certificateValiditySeconds ?? NINETY_DAYS_SECONDS,
    },
  },
});

function environmentOf(options: PebbleOptions): NodeJS.ProcessEnv {
  const flags = {
    PEBBLE_WFE_NONCEREJECT: options.nonceRejectPercent,
    PEBBLE_AUTHZREUSE: options.authzReusePercent,
    PEBBLE_VA_NOSLEEP: options.noSleep === true ? 1 : undefined,
    PEBBLE_VA_SLEEPTIME: options.maxSleepSeconds,
    PEBBLE_VA_ALWAYS_VALID: options.alwaysValid === true ? 1 : undefined,
    PEBBLE_ALTERNATE_ROOTS: options.alternateRoots,
    PEBBLE_CHAIN_LENGTH: options.chainLength,
  };
  return Object.fromEntries(
    Object.entries(flags).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
}

import { createHash } from 'node:crypto';
import { Resolver } from 'node:dns/promises';
import { get, type IncomingMessage } from 'node:http';
import { AcmeProblem, unauthorized } from './problems.ts';

const MOST_REDIRECTS = 10;
const LARGEST_RESPONSE = 64 * 1_024;
const TIMEOUT_MS = 2_000;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Of node:dns: the name is there, records of the type are not. */
const NO_DATA = 'ENODATA';

/** What a challenge is proven against. */
export interface Proof {
  /** Without `*.`. */
  readonly name: string;
  readonly token: string;
  /** RFC 8555, section 8.1. */
  readonly keyAuthorization: string;
}

export interface Surroundings {
  /** `address:port`. */
  readonly dnsServer: string | undefined;
  readonly httpPort: number;
}

export type ChallengeType = 'dns-01' | 'http-01';

/** Throws the problem that the challenge ends with. */
export const VALIDATIONS: Readonly<Record<ChallengeType, (proof: Proof, around: Surroundings) => Promise<void>>> = {
  'dns-01': validateDns,
  'http-01': validateHttp,
};

/** RFC 8555, section 8.4. */
async function validateDns({ name, keyAuthorization }: Proof, { dnsServer }: Surroundings): Promise<void> {
  const owner = `_acme-challenge.${name}`;
  const records = await lookUp(dnsServer, owner, (resolver) => resolver.resolveTxt(owner));
  const values = records.map((strings) => strings.join(''));
  if (values.length === 0) throw unauthorized(`there is no TXT record at ${owner}`);
  if (values.includes(createHash('sha256').update(keyAuthorization).digest('base64url'))) return;
  throw new AcmeProblem('incorrectResponse', `the TXT records at ${owner} are wrong: ${values.join(', ')}`);
}

/** RFC 8555, section 8.3. */
async function validateHttp({ name, token, keyAuthorization }: Proof, around: Surroundings): Promise<void> {
  let url = new URL(`http://${name}:${around.httpPort}/.well-known/acme-challenge/${token}`);
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
    const response = await fetchFrom(url, around).catch((error: unknown) => {
      throw error instanceof AcmeProblem ? error : connection(url, String(error));
    });
    const { status, location, body } = response;
    if (location === undefined) {
      if (status !== 200) throw unauthorized(`${url.href} answers ${status}`);
      if (body.trimEnd() === keyAuthorization) return;
      throw new AcmeProblem('incorrectResponse', `${url.href} holds something else than the key authorization`);
    }
    url = new URL(location, url);
    if (url.protocol !== 'http:') throw connection(url, 'redirects are followed to http: only');
  }
  throw connection(url, 'too many redirects');
}

interface Fetched {
  readonly status: number;
  readonly location: string | undefined;
  readonly body: string;
}

async function fetchFrom(url: URL, { dnsServer }: Surroundings): Promise<Fetched> {
  const addresses = await lookUp(dnsServer, url.hostname, (resolver) => resolver.resolve4(url.hostname));
  const [address] = addresses;
  if (address === undefined) throw new AcmeProblem('dns', `there is no A record at ${url.hostname}`);
  // The twin leaves the machine for nobody.
  if (!address.startsWith('127.')) throw connection(url, `${address} is not on this machine`);
  const options = {
    host: address,
    port: url.port || 80,
    path: url.pathname + url.search,
    headers: { host: url.host, 'user-agent': 'everleaf-twin' },
    agent: false,
    signal: AbortSignal.timeout(TIMEOUT_MS),
  };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(options, resolve).on('error', reject);
  });
  const status = response.statusCode ?? 0;
  const location = REDIRECTS.has(status) ? response.headers.location : undefined;
  let body = '';
  for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
    body += chunk;
    if (body.length > LARGEST_RESPONSE) break;
  }
  return { status, location, body };
}

async function lookUp<T>(
  server: string | undefined,
  name: string,
  ask: (resolver: Resolver) => Promise<T[]>,
): Promise<T[]> {
  if (server === undefined) throw new AcmeProblem('dns', `there is no DNS server to look ${name} up`);
  const resolver = new Resolver({ timeout: TIMEOUT_MS / 2, tries: 2 });
  resolver.setServers([server]);
  return await ask(resolver).catch((error: NodeJS.ErrnoException) => {
    if (error.code === NO_DATA) return [];
    throw new AcmeProblem('dns', `${error.code ?? error.message} looking up ${name}`);
  });
}

const connection = (url: URL, why: string): AcmeProblem => new AcmeProblem('connection', `${url.href}: ${why}`);

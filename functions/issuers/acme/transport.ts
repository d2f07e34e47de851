import { lookup, type LookupAddress } from 'node:dns';
import { Agent, request } from 'node:https';
import type { LookupFunction } from 'node:net';
import { PermanentError, TransientError } from '../../core/errors.ts';
import { wasNotSent } from '../../core/http-faults.ts';
import { SECOND_MS } from '../../core/time.ts';
import { hostOf, isLoopback, isNeverReached } from '../../network/addresses.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

/** Sends one request and answers whatever comes: redirects are answers as well, and are not followed. */
export type Transport = (request: HttpRequest) => Promise<HttpAnswer>;

/** From the first byte sent to the last one read. A CA that needs longer is asked again later. */
const TIMEOUT_MS = 15 * SECOND_MS;

/**
 * A connection that was idle for longer is not used again. A function that is frozen between two calls does not notice that the
 * CA closes it, and the next request would be lost on it, with no way to tell whether it arrived.
 */
const LONGEST_IDLE_MS = 10 * SECOND_MS;

/** A chain of ten certificates has some twenty kilobytes, an order of a hundred names as many. */
const LARGEST_ANSWER_BYTES = 256 * 1024;

/** TLS over connections that are kept. `ca`: PEM that is trusted instead of the platform's roots. `limit` is asked once a request. */
export function httpsTransport(
  ca: string | undefined,
  limit = (): AbortSignal => AbortSignal.timeout(TIMEOUT_MS),
): Transport {
  const connect = (): Agent =>
    new Agent({ keepAlive: true, lookup: guardedLookup, ...(ca === undefined ? {} : { ca }) });
  let agent = connect();
  let underWay = 0;
  let usedAt = Date.now();
  return async (wanted) => {
    const host = hostOf(wanted.url);
    if (isForbidden(host, host)) throw forbidden(host, host);
    if (underWay === 0 && Date.now() - usedAt > LONGEST_IDLE_MS) {
      agent.destroy();
      agent = connect();
    }
    underWay++;
    try {
      return await exchange(wanted, agent, limit());
    } finally {
      underWay--;
      usedAt = Date.now();
    }
  };
}

function exchange({ method, url, headers, body }: HttpRequest, agent: Agent, signal: AbortSignal): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => reject(networkFailure(error, `${method} ${url.href}`));
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const outgoing = request(url, { method, agent, headers: { ...headers, ...length }, signal }, (incoming) => {
      const chunks: Buffer[] = [];
      let size = 0;
      incoming.on('data', (chunk: Buffer) => {
        size += chunk.length;
        chunks.push(chunk);
        if (size > LARGEST_ANSWER_BYTES) incoming.destroy(tooLarge(url));
      });
      incoming.on('error', fail);
      incoming.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({ status: incoming.statusCode ?? 0, headers: flat(incoming.headers), body: text });
      });
    });
    outgoing.on('error', fail);
    // A connection may end with neither an answer nor an error: after "101 Switching Protocols", for one.
    outgoing.on('close', () => fail(new Error('closed without an answer')));
    outgoing.end(body);
  });
}

/** Names are looked up once, and the connection goes to what was found and judged: no name can change its mind in between. */
const guardedLookup: LookupFunction = (host, options, callback) => {
  lookup(host, { ...options, all: true }, (error, found) => {
    if (error !== null) return callback(error, []);
    const allowed = found.filter(({ address }) => !isForbidden(address, host));
    if (allowed.length === 0) return callback(forbidden(host, addressesOf(found)), []);
    const [first] = allowed;
    return options.all === true ? callback(null, allowed) : callback(null, first?.address ?? '', first?.family);
  });
};

/** Loopback is for whoever names it: a CA under test. A name that leads there is somebody's trick. */
function isForbidden(address: string, host: string): boolean {
  return isNeverReached(address) || (isLoopback(address) && host !== address && host !== 'localhost');
}

const forbidden = (host: string, addresses: string): PermanentError =>
  new PermanentError(
    'CaAddressForbidden',
    `the CA's host ${host} is at ${addresses}, where no CA can be; correct the issuer's server, or its DNS`,
  );

const addressesOf = (found: readonly LookupAddress[]): string => found.map(({ address }) => address).join(', ');

const tooLarge = ({ href }: URL): TransientError =>
  new TransientError('CaAnswerTooLarge', `${href} answered more than ${LARGEST_ANSWER_BYTES} bytes`, {
    mayHaveActed: true,
  });

/** Certificate faults of the server's TLS, by OpenSSL's and Node's codes. */
const UNTRUSTED = /CERT|SELF_SIGNED|UNABLE_TO|ALTNAME|ERR_TLS/;

function networkFailure(error: unknown, doing: string): Error {
  if (error instanceof PermanentError || error instanceof TransientError) return error;
  const { code = '', name, message } = error as Error & { readonly code?: string };
  if (name === 'AbortError') {
    const text = `${doing}: no complete answer within ${TIMEOUT_MS / SECOND_MS} s`;
    return new TransientError('CaUnreachable', text, { cause: error, mayHaveActed: true });
  }
  const text = `${doing}: ${code || name}: ${message}`;
  if (UNTRUSTED.test(code)) {
    const remedy = 'if the CA is private, put its root into the issuer’s caBundle';
    return new TransientError('CaTlsUntrusted', `${text} (${remedy})`, { cause: error });
  }
  return new TransientError('CaUnreachable', text, { cause: error, mayHaveActed: !wasNotSent(code) });
}

function flat(headers: NodeJS.Dict<string | string[]>): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
}

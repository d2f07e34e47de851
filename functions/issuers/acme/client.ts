import { createPublicKey, type KeyObject } from 'node:crypto';
import { Client } from 'acme-client';
import * as z from 'zod/mini';
import { PermanentError, TransientError } from '../../core/errors.ts';
import { parseRetryAfter } from '../../core/http-faults.ts';
import { DAY_MS, type Instant } from '../../core/time.ts';
import { type Directory, directory, url as urlText } from './objects.ts';
import { failureOf, readProblem, shorten } from './problems.ts';
import type { HttpAnswer, Transport } from './transport.ts';

/*
 * All that is to be known of the package acme-client is in this file. It signs (JWS, nonces, external account bindings,
 * thumbprints) and is kept from the rest: its HTTP asks for a nonce before every request, re-sends signed bodies, sleeps
 * Retry-After inside of the call and never times out.
 */

/** RFC 8555 §6.1: a client MUST send it. */
const USER_AGENT = 'everleaf (acme-client/5.4.0)';

/** A CA may refuse half of all nonces: so many tries in a row fail once in two million requests. */
const BAD_NONCE_TRIES = 20;

/** Spare nonces kept. The freshest is used first; a stale one costs what asking for one would. */
const MOST_NONCES = 100;

/** The parts of acme-client that its type definitions leave out. */
interface Library {
  readonly http: {
    accountKey: KeyObject;
    jwk: Jwk;
    maxBadNonceRetries: number;
    externalAccountBinding: { kid?: string; hmacKey?: string };
    request(url: string, method: string, options?: { data?: unknown }): Promise<LibraryAnswer>;
    getNonce(): Promise<string>;
    getResourceUrl(resource: 'newNonce'): Promise<string>;
  };
  readonly api: {
    accountUrl: string | null;
    apiRequest(
      url: string,
      payload: object | null,
      codes: readonly number[],
      options: { includeJwsKid: boolean; includeExternalAccountBinding: boolean },
    ): Promise<LibraryAnswer>;
  };
}

type Jwk = Readonly<Record<string, string>>;

interface LibraryAnswer {
  readonly status: number;
  readonly headers: HttpAnswer['headers'];
  readonly data: unknown;
  readonly answer: HttpAnswer;
}

export interface AcmeAnswer {
  /** JSON, or text where it is none. */
  readonly body: unknown;
  readonly location: string | undefined;
  readonly link: string | undefined;
  readonly retryAfterSeconds: number | undefined;
}

export interface AcmeClientOptions {
  readonly directoryUrl: string;
  readonly key: KeyObject;
  readonly externalAccountBinding?: { readonly keyId: string; readonly hmacKey: string } | undefined;
  /** Whether a URL that the CA gave may be followed. Throws where not. */
  readonly allow: (url: string) => URL;
  readonly transport: Transport;
  readonly clock: () => Instant;
}

/** Directories by URL: every connection of a warm function shares what one of them fetched. */
const directories = new Map<string, { readonly fetchedAt: Instant; readonly content: Directory }>();

const DIRECTORY_LIFETIME_MS = DAY_MS;

/** One account's conversation with one CA. Requests may run side by side. */
export class AcmeClient {
  readonly #options: AcmeClientOptions;
  readonly #library: Library;
  readonly #nonces: string[] = [];

  constructor(options: AcmeClientOptions) {
    this.#options = options;
    const { directoryUrl, key, externalAccountBinding: binding } = options;
    // It wants a key in PEM here; the one below, which nothing can print, is the one that it signs with.
    const client = new Client({ directoryUrl, accountKey: Buffer.alloc(0) });
    this.#library = client as unknown as Library;
    const { http } = this.#library;
    http.accountKey = key;
    http.jwk = publicJwk(key);
    http.maxBadNonceRetries = BAD_NONCE_TRIES;
    http.externalAccountBinding = binding === undefined ? {} : { kid: binding.keyId, hmacKey: binding.hmacKey };
    const takeNonce = http.getNonce.bind(http);
    http.getNonce = async () => this.#nonces.pop() ?? (await takeNonce());
    // Its own reads whatever comes, and keeps it.
    http.getResourceUrl = async (resource) => (await this.directory())[resource];
    http.request = (url, method, { data } = {}) => this.#request(url, method, data);
  }

  get accountUrl(): string | undefined {
    return this.#library.api.accountUrl ?? undefined;
  }

  set accountUrl(url: string | undefined) {
    this.#library.api.accountUrl = url ?? null;
  }

  /** RFC 8555 §7.1.1: it hardly ever changes. One that cannot be used, a login page in the way, is not remembered. */
  async directory(): Promise<Directory> {
    const { directoryUrl, clock, allow } = this.#options;
    const known = directories.get(directoryUrl);
    const ageMs = clock() - (known?.fetchedAt ?? -Infinity);
    if (known !== undefined && ageMs >= 0 && ageMs < DIRECTORY_LIFETIME_MS) return known.content;
    const { data } = await this.#library.http.request(directoryUrl, 'get');
    const content = parse(directory, data, 'its directory');
    for (const url of [content.newNonce, content.newAccount, content.newOrder]) allow(url);
    directories.set(directoryUrl, { fetchedAt: clock(), content });
    return content;
  }

  /** POST, or POST-as-GET without a payload, signed by the account. `doing` is for people: "ordering a certificate". */
  async post(url: string, payload: object | null, doing: string): Promise<AcmeAnswer> {
    return this.#send(url, payload, doing, { includeJwsKid: true, includeExternalAccountBinding: false });
  }

  /** Signed by the key itself: newAccount, with its external account binding, and revocation by a certificate's key. */
  async postByKey(url: string, payload: object, doing: string): Promise<AcmeAnswer> {
    return this.#send(url, payload, doing, { includeJwsKid: false, includeExternalAccountBinding: true });
  }

  /** Unsigned: renewal information (RFC 9773 §4.1). */
  async get(url: string, doing: string): Promise<AcmeAnswer> {
    return this.#answered(await this.#library.http.request(url, 'get'), doing);
  }

  /** RFC 8555 §8.1. */
  keyAuthorization(token: string, thumbprint: (input: string) => string): string {
    return `${token}.${thumbprint(JSON.stringify(this.#library.http.jwk))}`;
  }

  async #send(
    url: string,
    payload: object | null,
    doing: string,
    options: Parameters<Library['api']['apiRequest']>[3],
  ): Promise<AcmeAnswer> {
    // A URL is judged before it is signed: a signature over a stranger's URL would be his to use.
    this.#options.allow(url);
    return this.#answered(await this.#library.api.apiRequest(url, payload, [], options), doing);
  }

  #answered({ status, data, answer }: LibraryAnswer, doing: string): AcmeAnswer {
    const now = this.#options.clock();
    if (status < 200 || status >= 300) throw refusal(answer, data, doing, now);
    const { location, link } = answer.headers;
    return {
      body: data,
      location: z.safeParse(urlText, location).data,
      link,
      retryAfterSeconds: parseRetryAfter(answer.headers['retry-after'], now),
    };
  }

  /** What acme-client calls instead of its own HTTP. */
  async #request(url: string, method: string, data: unknown): Promise<LibraryAnswer> {
    const isPost = method === 'post';
    const answer = await this.#options.transport({
      method: isPost ? 'POST' : method === 'head' ? 'HEAD' : 'GET',
      url: this.#options.allow(url),
      headers: {
        'user-agent': USER_AGENT,
        'accept-language': 'en',
        ...(isPost ? { 'content-type': 'application/jose+json' } : {}),
      },
      ...(isPost ? { body: JSON.stringify(data) } : {}),
    });
    const content = parseJson(answer);
    const nonce = nonceIn(answer);
    // acme-client itself uses the nonce of a refused nonce's answer: in the pool it would be used twice.
    const isBadNonce = isPost && answer.status === 400 && readProblem(content).type === 'badNonce';
    // The answer to HEAD is for whoever asked.
    if (nonce !== undefined && isPost && !isBadNonce && this.#nonces.length < MOST_NONCES) this.#nonces.push(nonce);
    if (!isPost && answer.status >= 300) throw refusal(answer, content, `asking for ${url}`, this.#options.clock());
    if (method === 'head' && nonce === undefined) throw noNonce(url);
    // Nothing at all, and what JavaScript takes for nothing, would be an error of acme-client's own making.
    return { status: answer.status, headers: answer.headers, data: isNothing(content) ? {} : content, answer };
  }
}

const isNothing = (content: unknown): boolean =>
  content === null || content === '' || content === 0 || content === false;

/** Members in the order that thumbprints want (RFC 7638 §3.2). */
function publicJwk(key: KeyObject): Jwk {
  const { crv, kty, x, y, e, n } = createPublicKey(key).export({ format: 'jwk' });
  const members = kty === 'EC' ? { crv, kty, x, y } : { e, kty, n };
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [name, String(value)]));
}

function refusal(answer: HttpAnswer, content: unknown, doing: string, now: Instant): Error {
  if (answer.status >= 300 && answer.status < 400) {
    const to = shorten(answer.headers['location'] ?? 'nowhere');
    return new PermanentError(
      'CaRedirects',
      `${doing}: the CA answered ${answer.status} to ${to}; write the URL that it leads to into the issuer`,
    );
  }
  return failureOf(readProblem(content, answer, now), doing);
}

/** RFC 8555 §6.5.1: base64url, and whatever else is to be ignored. */
const nonceIn = ({ headers }: HttpAnswer): string | undefined => /^[\w-]+$/.exec(headers['replay-nonce'] ?? '')?.[0];

const noNonce = (url: string): TransientError =>
  new TransientError('CaAnswerUnreadable', `${url} answered without a Replay-Nonce`);

/** `what` completes "the CA answered … that cannot be read". */
export function parse<T>(schema: z.ZodMiniType<T>, content: unknown, what: string): T {
  const parsed = z.safeParse(schema, content);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues.map(({ path, code }) => `${path.join('.') || 'it'}: ${code}`).join('; ');
  throw new TransientError('CaAnswerUnreadable', `the CA answered ${what} in a form that cannot be read (${where})`, {
    mayHaveActed: true,
  });
}

/** Certificates come as text. Anything else that is no JSON is caught where its shape is looked at. */
function parseJson({ body }: HttpAnswer): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

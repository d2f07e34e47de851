import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { request as httpsRequest } from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';
import { decode, encode, type TxtAnswer } from 'dns-packet';
import { calculateJwkThumbprint, type CryptoKey, exportJWK, FlattenedSign, generateKeyPair, type JWK } from 'jose';
import { onTestFinished } from 'vitest';
import { AcmeServer, type AcmeServerOptions } from '../../local/acme/server.ts';
import * as x509 from '../../local/pca/x509.ts';

export const NOW = Date.parse('2026-03-01T12:34:56Z');

/** A CA whose clock stands still until it is moved, and the DNS server that it looks names up at. */
export interface AcmeStage {
  readonly server: AcmeServer;
  readonly dns: TxtServer;
  readonly clock: { now: () => number; pass: (ms: number) => void };
}

export async function acmeStage(options: Partial<AcmeServerOptions> = {}): Promise<AcmeStage> {
  let now = NOW;
  const clock = { now: () => now, pass: (ms: number) => void (now += ms) };
  const dns = await TxtServer.start();
  const server = await AcmeServer.start({ clock, dnsServer: dns.address, ...options });
  onTestFinished(async () => {
    await server.close();
    await dns.close();
  });
  return { server, dns, clock };
}

/** Answers TXT from a table, A with this machine, and nothing else. */
export class TxtServer {
  /** By name: each value is a record of its own. */
  readonly records = new Map<string, string[]>();
  readonly aliases = new Map<string, string>();
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async start(): Promise<TxtServer> {
    const socket = createSocket('udp4');
    const server = new TxtServer(socket);
    socket.on('message', (message, { port, address }) => socket.send(server.#answer(message), port, address));
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return server;
  }

  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  /** Where a name leads to, as a writer that follows CNAMEs does. */
  put(owner: string, value: string): void {
    const name = this.aliases.get(owner) ?? owner;
    this.records.set(name, [...(this.records.get(name) ?? []), value]);
  }

  async close(): Promise<void> {
    this.#socket.close();
    await once(this.#socket, 'close');
  }

  #answer(message: Buffer): Buffer {
    const { id, questions = [] } = decode(message);
    const [question] = questions;
    const asked = question?.name.toLowerCase() ?? '';
    const target = this.aliases.get(asked);
    const name = target ?? asked;
    const texts = question?.type === 'TXT' ? this.records.get(name) : undefined;
    const answers: TxtAnswer[] = (texts ?? []).map((data) => ({ type: 'TXT', name, data }));
    const isHost = question?.type === 'A' && !asked.startsWith('nowhere');
    const exists = isHost || texts !== undefined;
    return encode({
      type: 'response',
      id,
      flags: exists ? 0 : 3,
      questions,
      answers: [
        ...(target === undefined ? [] : [{ type: 'CNAME' as const, name: asked, data: target }]),
        ...answers,
        ...(isHost ? [{ type: 'A' as const, name, data: asked.startsWith('far') ? '192.0.2.1' : '127.0.0.1' }] : []),
      ],
    });
  }
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Its text, when that is a JSON object. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What an ACME client has to do, with every part open to be done wrong. */
export class AcmeSession {
  readonly server: AcmeServer;
  readonly alg: string;
  readonly key: CryptoKey;
  readonly jwk: JWK;
  kid = '';
  #nonce: string | undefined;

  private constructor(server: AcmeServer, alg: string, key: CryptoKey, jwk: JWK) {
    this.server = server;
    this.alg = alg;
    this.key = key;
    this.jwk = jwk;
  }

  /** Without an account yet. */
  static async open(server: AcmeServer, alg = 'ES256'): Promise<AcmeSession> {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    return new AcmeSession(server, alg, privateKey, await exportJWK(publicKey));
  }

  static async register(server: AcmeServer, alg = 'ES256'): Promise<AcmeSession> {
    const session = await AcmeSession.open(server, alg);
    const { headers } = await session.postByKey('new-account', { termsOfServiceAgreed: true });
    session.kid = String(headers.location);
    return session;
  }

  /** A path is relative to the server. */
  url(path: string): string {
    return new URL(path, this.server.directoryUrl).href;
  }

  async nonce(): Promise<string> {
    const kept = this.#nonce;
    this.#nonce = undefined;
    return kept ?? String((await this.send('new-nonce', { method: 'HEAD' })).headers['replay-nonce']);
  }

  async post(path: string, payload?: unknown, header: Readonly<Record<string, unknown>> = {}): Promise<Reply> {
    return await this.#sign(path, payload, { kid: this.kid, ...header });
  }

  async postByKey(path: string, payload?: unknown, header: Readonly<Record<string, unknown>> = {}): Promise<Reply> {
    return await this.#sign(path, payload, { jwk: this.jwk, ...header });
  }

  async #sign(path: string, payload: unknown, header: Readonly<Record<string, unknown>>): Promise<Reply> {
    const url = this.url(path);
    const full = { alg: this.alg, url, nonce: await this.nonce(), ...header };
    return await this.submit(path, await this.jws(payload, full));
  }

  /** Undefined: an empty payload. */
  async jws(payload: unknown, header: Readonly<Record<string, unknown>>, key = this.key): Promise<unknown> {
    const text = payload === undefined ? '' : JSON.stringify(payload);
    // A member that is undefined is left out.
    const protectedHeader = JSON.parse(JSON.stringify({ alg: this.alg, ...header })) as { alg: string };
    return await new FlattenedSign(Buffer.from(text)).setProtectedHeader(protectedHeader).sign(key);
  }

  async submit(path: string, jws: unknown): Promise<Reply> {
    const headers = { 'content-type': 'application/jose+json' };
    const reply = await this.send(path, { method: 'POST', headers, body: JSON.stringify(jws) });
    const nonce = reply.headers['replay-nonce'];
    if (typeof nonce === 'string') this.#nonce = nonce;
    return reply;
  }

  async send(path: string, { method = 'GET', headers = {}, body = '' }: Sent = {}): Promise<Reply> {
    return await new Promise<Reply>((resolve, reject) => {
      const options = {
        method,
        ca: this.server.tlsRoot,
        servername: 'localhost',
        headers: { 'user-agent': 'test', ...headers },
      };
      const request = httpsRequest(this.url(path), options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body: objectIn(text) });
        });
      });
      request.on('error', reject);
      request.end(body);
    });
  }

  async keyAuthorization(token: string): Promise<string> {
    return `${token}.${await calculateJwkThumbprint(this.jwk)}`;
  }
}

export const ecKeys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });

export interface CsrWish {
  readonly names: readonly string[];
  readonly subject?: string;
  readonly keys?: { readonly privateKey: KeyObject; readonly publicKey: KeyObject };
  readonly more?: x509.JsonGeneralNames;
}

/** PKCS#10 in base64url, as finalize takes it. */
export async function csr({ names, subject = '', keys = ecKeys(), more = [] }: CsrWish): Promise<string> {
  const { asymmetricKeyType, asymmetricKeyDetails } = keys.publicKey;
  const isP384 = asymmetricKeyDetails?.namedCurve === 'secp384r1';
  const algorithm =
    asymmetricKeyType === 'rsa'
      ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
      : { name: 'ECDSA', namedCurve: isP384 ? 'P-384' : 'P-256', hash: 'SHA-256' };
  const alternatives = [...names.map((value) => ({ type: 'dns' as const, value })), ...more];
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: subject,
    keys: {
      privateKey: keys.privateKey.toCryptoKey(algorithm, false, ['sign']),
      publicKey: keys.publicKey.toCryptoKey(algorithm, true, ['verify']),
    },
    signingAlgorithm: algorithm,
    extensions: [new x509.SubjectAlternativeNameExtension(alternatives)],
  });
  return Buffer.from(request.rawData).toString('base64url');
}

/** An order that lies before the CA. */
export interface PlacedOrder {
  readonly url: string;
  readonly reply: Reply;
  readonly authorizations: readonly string[];
}

export async function placeOrder(
  session: AcmeSession,
  names: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
): Promise<PlacedOrder> {
  const identifiers = names.map((value) => ({ type: 'dns', value }));
  const reply = await session.post('new-order', { identifiers, ...more });
  const authorizations = (reply.body['authorizations'] ?? []) as string[];
  return { url: String(reply.headers.location), reply, authorizations };
}

export interface ChallengeDocument {
  readonly type: string;
  readonly url: string;
  readonly status: string;
  readonly token: string;
  readonly validated?: string;
  readonly error?: { readonly type: string; readonly detail: string };
}

export async function challengeOf(
  session: AcmeSession,
  authorization: string,
  type: string,
): Promise<ChallengeDocument> {
  const { body } = await session.post(authorization);
  const found = (body['challenges'] as ChallengeDocument[]).find((each) => each.type === type);
  if (found === undefined) throw new Error(`${authorization} has no ${type}`);
  return found;
}

/** Puts the proof of an authorization where the CA looks for it, and accepts its challenge. */
export async function prove({ dns }: AcmeStage, session: AcmeSession, authorization: string): Promise<Reply> {
  const { body } = await session.post(authorization);
  const { value } = body['identifier'] as { value: string };
  const { token, url } = await challengeOf(session, authorization, 'dns-01');
  const digest = createHash('sha256').update(await session.keyAuthorization(token));
  dns.put(`_acme-challenge.${value}`, digest.digest('base64url'));
  return await session.post(url, {});
}

/** An order whose names are all proven. */
export async function readyOrder(
  stage: AcmeStage,
  session: AcmeSession,
  names: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
): Promise<PlacedOrder> {
  const order = await placeOrder(session, names, more);
  if (order.reply.body['status'] === 'pending') {
    for (const authorization of order.authorizations) await prove(stage, session, authorization);
  }
  return order;
}

export interface Obtained {
  /** The leaf, then what follows it. */
  readonly chain: readonly string[];
  readonly url: string;
  readonly download: Reply;
}

/** Finalizes an order and downloads what comes of it. */
export async function collect(session: AcmeSession, order: PlacedOrder, wish: CsrWish): Promise<Obtained> {
  const finalized = await session.post(`${order.url}/finalize`, { csr: await csr(wish) });
  if (finalized.status !== 200) throw new Error(finalized.text);
  const { body } = await session.post(order.url);
  const url = String(body['certificate']);
  const download = await session.post(url);
  return { url, download, chain: certificatesIn(download.text) };
}

export const certificatesIn = (text: string): string[] =>
  text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];

export async function obtain(
  stage: AcmeStage,
  session: AcmeSession,
  names: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
  wish: Partial<CsrWish> = {},
): Promise<Obtained> {
  return await collect(session, await readyOrder(stage, session, names, more), { names, ...wish });
}

/** The type of the problem that a reply is, without its prefix. */
export const problemIn = ({ body }: Reply): string => String(body['type']).replace('urn:ietf:params:acme:error:', '');

function objectIn(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

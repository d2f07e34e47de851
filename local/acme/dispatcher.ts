import type { IncomingMessage } from 'node:http';
import { type AcmeAnswer, link, type OpenRequest, refusal } from './exchange.ts';
import { claimedNames } from './new-order.ts';
import type { Nonces } from './nonces.ts';
import { AcmeProblem, malformed } from './problems.ts';
import { answerSigned, methodsOf, type Route } from './routes.ts';
import type { AcmeSettings } from './settings.ts';
import type { Gate, SignedRequest, Visit } from './signed-request.ts';

/** A hundred names in a request of the largest key there is. */
const LARGEST_BODY = 128 * 1_024;

interface Surroundings {
  readonly clock: { now(): number };
  readonly settings: AcmeSettings;
  readonly nonces: Nonces;
  readonly gate: Gate;
  readonly routes: readonly Route[];
  readonly directoryPath: string;
  readonly onTraffic?: ((where: string, text: string) => void) | undefined;
}

/** Brings a request to what its URL names, and puts onto the answer what belongs on all of them. */
export class Dispatcher {
  readonly #around: Surroundings;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  routeOf(path: string): Route | undefined {
    return this.#around.routes.find((each) => each.path.test(path));
  }

  /** RFC 8555, sections 6.5 and 7.1. */
  async answer(record: OpenRequest, request: IncomingMessage, body: string): Promise<AcmeAnswer> {
    const base = `https://${request.headers.host ?? ''}`;
    const answer = await this.#act(record, request, base, body).catch(refusalOf);
    const isFresh = record.method === 'POST' || record.resource === 'newNonce';
    const index = link(base + this.#around.directoryPath, 'index');
    return {
      ...answer,
      headers: {
        ...answer.headers,
        ...(isFresh ? { 'replay-nonce': this.#around.nonces.issue() } : {}),
        ...(record.resource === 'directory' ? {} : { link: [answer.headers['link'] ?? [], index].flat() }),
      },
    };
  }

  async #act(record: OpenRequest, request: IncomingMessage, base: string, body: string): Promise<AcmeAnswer> {
    const { method, path } = record;
    const { headers } = request;
    if (!/^https:\/\/[\w.-]+(?::\d+)?$/.test(base)) throw malformed('the Host header is no host');
    const route = this.routeOf(path);
    if (route === undefined) throw malformed(`there is no ${path}`, 404);
    const methods = methodsOf(route);
    if (!methods.includes(method)) {
      const particulars = { status: 405, headers: { allow: methods.join(', ') } };
      throw new AcmeProblem('malformed', `${path} does not answer to ${method}`, particulars);
    }
    if (body.length > LARGEST_BODY) throw malformed('the body is too large', 413);
    // RFC 8555, section 6.1.
    if ((headers['user-agent'] ?? '') === '') throw malformed('the request has to have a User-Agent');
    const visit = { base, url: base + path, id: route.path.exec(path)?.[1] ?? '' };
    if (method !== 'POST') return this.#answerUnsigned(record, route, visit);
    const signed = await this.#around.gate.open(visit, headers, body);
    if (signed.account !== undefined) record.account = signed.account.id;
    this.#around.onTraffic?.(record.resource, signed.payload);
    this.#limit(record, signed);
    return await answerSigned(route, signed);
  }

  #answerUnsigned(record: OpenRequest, { get }: Route, visit: Visit): AcmeAnswer {
    this.#limit(record);
    const answer = get?.(visit);
    if (answer === undefined) throw malformed('it is not to be had without a signature');
    // RFC 8555, section 7.2: 204 is for GET alone.
    return record.method === 'HEAD' ? { ...answer, status: 200 } : answer;
  }

  /** RFC 8555, section 6.6. */
  #limit({ resource }: OpenRequest, signed?: SignedRequest): void {
    const { settings, clock } = this.#around;
    const names = resource === 'newOrder' && signed !== undefined ? claimedNames(signed.payload) : [];
    const limit = settings.rateLimit?.(resource, signed?.account?.id, names);
    if (limit === undefined) return;
    const { detail, retryAfterSeconds: seconds, form } = limit;
    if (seconds === undefined) throw new AcmeProblem('rateLimited', detail);
    const value = form === 'http-date' ? new Date(clock.now() + seconds * 1_000).toUTCString() : String(seconds);
    throw new AcmeProblem('rateLimited', detail, { headers: { 'retry-after': value } });
  }
}

/** Whatever is thrown becomes an answer; what is no AcmeProblem is the twin's own fault. */
export function refusalOf(error: unknown): AcmeAnswer {
  if (error instanceof AcmeProblem) return refusal(error);
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return refusal(new AcmeProblem('serverInternal', `the twin failed: ${trace}`));
}

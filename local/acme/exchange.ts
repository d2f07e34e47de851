import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { AcmeProblem } from './problems.ts';

/** RFC 8555's own words for what URLs name. */
export type Resource =
  | 'directory'
  | 'newNonce'
  | 'newAccount'
  | 'account'
  | 'orders'
  | 'newOrder'
  | 'order'
  | 'finalize'
  | 'authorization'
  | 'challenge'
  | 'certificate'
  | 'revokeCert'
  | 'keyChange'
  | 'renewalInfo'
  | 'unknown';

/** One request, from its arrival on; the answer is filled in when there is one. */
export interface AcmeRequest {
  readonly sequence: number;
  /** The virtual clock at arrival. */
  readonly at: number;
  readonly method: string;
  readonly resource: Resource;
  readonly path: string;
  /** The last part of its URL, once the signature was found right. */
  readonly account?: string;
  /** Absent while it is under way, and when the client never saw an answer. */
  readonly status?: number;
  /** The type without `urn:ietf:params:acme:error:`. */
  readonly problem?: string;
}

export type OpenRequest = { -readonly [Field in keyof AcmeRequest]: AcmeRequest[Field] };

/** A request on its way through the middlewares. */
export interface AcmeCall extends AcmeRequest {
  readonly headers: IncomingHttpHeaders;
  /** As it was sent. */
  readonly body: string;
}

export interface AcmeAnswer {
  readonly status: number;
  /** A `content-length` of one's own is sent as it is: a larger one truncates the body. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string | Buffer;
  /** Sent in its place, as it comes, for as long as somebody listens. */
  readonly stream?: Readable;
  readonly problem?: string;
}

/** `next` lets the server act: not calling it refuses, calling it twice repeats the request. */
export type AcmeMiddleware = (call: AcmeCall, next: () => Promise<AcmeAnswer>) => Promise<AcmeAnswer>;

/** Answered by a middleware: the connection is cut, and the client cannot know whether the server acted. */
export const DROPPED: AcmeAnswer = { status: 0, headers: {}, body: '' };

export function json(status: number, value: unknown, headers: AcmeAnswer['headers'] = {}): AcmeAnswer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) };
}

export function refusal(problem: AcmeProblem): AcmeAnswer {
  const headers = { ...problem.headers, 'content-type': 'application/problem+json' };
  return { ...json(problem.status, problem, headers), problem: problem.type };
}

/** Names the resource that this one belongs to, or that stands beside it (RFC 8288). */
export const link = (url: string, relation: string): string => `<${url}>;rel="${relation}"`;

export function send(response: ServerResponse, { status, headers, body, stream }: AcmeAnswer, now: number): void {
  const length = Buffer.byteLength(body);
  // A response that is done has let go of its connection.
  const { socket } = response;
  const declared = Number(headers['content-length'] ?? length);
  response.sendDate = false;
  response.writeHead(status, {
    date: new Date(now).toUTCString(),
    // Node answers 204 without it.
    ...(status === 204 || stream !== undefined ? {} : { 'content-length': length }),
    ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value as string | string[]])),
  });
  if (stream !== undefined) {
    response.on('close', () => stream.destroy());
    stream.pipe(response);
    return;
  }
  response.end(body, () => {
    if (declared > length) socket?.destroySoon();
  });
}

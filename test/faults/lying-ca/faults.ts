import { Readable } from 'node:stream';
import { type Instant, SECOND_MS } from '../../../functions/core/time.ts';
import { type AcmeAnswer as Answer, DROPPED } from '../../../local/acme/exchange.ts';
import type { Ca } from './ca.ts';

/** What a fault may use of the cell that it happens in. */
export interface Scene {
  readonly ca: Ca;
  readonly now: () => Instant;
  /** Where nobody may ever be led. */
  readonly trapPort: number;
  /** The protocol's own way to refuse. */
  readonly refusal: (status: number, detail: string) => Answer;
}

/** Takes the place of an answer. `act` lets the CA do what it was asked for. */
export type Fault = (act: () => Promise<Answer>, scene: Scene) => Promise<Answer>;

/**
 * Longer than every backoff of the first three failures, so that it alone says when the next look is; and it ends a second after
 * a tick of the schedule, so that a second less is a request too soon.
 */
export const RETRY_AFTER_SECONDS = 7_201;

const LONG_STORY = 'the CA tells a long story; '.repeat(400);
const PAGE = `<!doctype html><html><body>${'please log in '.repeat(200)}</body></html>`;
const CHUNK = Buffer.alloc(65_536, ' ');

const inSeconds = (): string => String(RETRY_AFTER_SECONDS);
const asDate = (now: Instant): string => new Date(now + RETRY_AFTER_SECONDS * SECOND_MS).toUTCString();

const refusing =
  (status: number, retryAfter?: (now: Instant) => string): Fault =>
  async (_act, { refusal, now }) => {
    const answer = refusal(status, LONG_STORY);
    return retryAfter === undefined
      ? answer
      : { ...answer, headers: { ...answer.headers, 'retry-after': retryAfter(now()) } };
  };

/** The CA has acted, and what it says of it is not to be understood. */
const saying =
  (body: string, headers: Answer['headers'] = {}): Fault =>
  async (act) => {
    const answer = await act();
    return answer === DROPPED ? answer : { ...answer, headers: { ...answer.headers, ...headers }, body };
  };

/** Faults of HTTP, which any step of any protocol may meet. */
export const FAULTS = {
  '500': refusing(500),
  '429, seconds': refusing(429, inSeconds),
  '429, date': refusing(429, asDate),
  '503, seconds': refusing(503, inSeconds),
  '503, date': refusing(503, asDate),
  truncated: async (act) => {
    const answer = await act();
    const whole = String(answer.body);
    const headers = { ...answer.headers, 'content-length': String(whole.length + 1) };
    return { ...answer, headers, body: whole.slice(0, whole.length / 2) };
  },
  slow: async (act, { ca }) => {
    const { status, headers, body } = await act();
    return { status, headers, body: '', stream: Readable.from(drops(String(body), ca.limit.runOut)) };
  },
  hanging: async (act, { ca }) => {
    await act();
    ca.limit.runOut();
    return DROPPED;
  },
  'a gigabyte': async (act, { ca }) => {
    const { status, headers } = await act();
    return { status, headers, body: '', stream: Readable.from(pouring(ca)) };
  },
  redirect: async (_act, { trapPort }) => ({
    status: 307,
    headers: { location: `https://127.0.0.1:${trapPort}/${'far/'.repeat(400)}` },
    body: '',
  }),
  'invalid JSON': saying('{"status":'),
  'a page of HTML': saying(PAGE, { 'content-type': 'text/html' }),
  'wrong content type': async (act) => {
    const answer = await act();
    return { ...answer, headers: { ...answer.headers, 'content-type': 'text/html; charset=latin1' } };
  },
} as const satisfies Readonly<Record<string, Fault>>;

export type FaultName = keyof typeof FAULTS;

/** Whether it comes with Retry-After. */
export const asksForTime = (fault: FaultName): boolean => /^(?:429|503)/.test(fault);

/** A few bytes, and then the time is over. */
async function* drops(body: string, timeIsOver: () => void): AsyncIterable<Buffer> {
  for (const letter of body.slice(0, 8)) {
    yield Buffer.from(letter);
    await new Promise((resolve) => setImmediate(resolve));
  }
  timeIsOver();
  // The client has left: nobody takes what would come now.
  await new Promise(() => {});
}

const GIGABYTE = 2 ** 30;

async function* pouring(ca: Ca): AsyncIterable<Buffer> {
  for (let sent = 0; sent < GIGABYTE; sent += CHUNK.length) {
    ca.poured = Math.max(ca.poured, sent);
    yield CHUNK;
  }
}

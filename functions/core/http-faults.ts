import { type Instant, SECOND_MS } from './time.ts';

/** The request never arrived, by Node's codes. Any other network fault leaves open whether it did. */
const NOT_SENT = /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH)/;

export const wasNotSent = (code: string): boolean => NOT_SENT.test(code);

/** Seconds, or an HTTP date (RFC 9110 §10.2.3). */
export function parseRetryAfter(header: string | undefined, now: Instant): number | undefined {
  if (header === undefined) return undefined;
  const seconds = /^\d+$/.test(header) ? Number(header) : Math.ceil((Date.parse(header) - now) / SECOND_MS);
  return Number.isFinite(seconds) && seconds > 0 ? seconds : undefined;
}

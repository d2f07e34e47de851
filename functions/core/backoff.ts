import { ACCESS_DENIED, type FailureClass } from './errors.ts';
import { DAY_MS, HOUR_MS, type Instant, MINUTE_MS } from './time.ts';

/** After the first, second and third failure in a row; daily from then on (Let's Encrypt's integration guide). */
const RETRY_DELAYS_MS = [MINUTE_MS, 10 * MINUTE_MS, 100 * MINUTE_MS] as const;

/** Failures in a row before an unknown one, or a denial, counts as one that repeating will not cure. */
export const DOUBTFUL_FAILURES_TOLERATED = 2;

/** What is blocked is looked at no more often than this, however near expiry is. */
const BLOCKED_FLOOR_MS = HOUR_MS;

/** An expired certificate is an outage: tried again this often, whatever the count. */
const EXPIRED_DELAY_MS = 10 * MINUTE_MS;

/**
 * What the other side asks for is kept to the second, up to a day: an absurd answer must not let a certificate expire in
 * silence, and once a day harms nobody.
 */
const LONGEST_RETRY_AFTER_MS = DAY_MS;

/** How long to wait after so many failures in a row (1: the first). */
export const retryDelayMs = (count: number): number => RETRY_DELAYS_MS[count - 1] ?? DAY_MS;

/** Between looks at what a CA is working on, in seconds; the last one from then on: an order that is stuck costs 300 a day. */
const LOOK_AGAIN_SECONDS = [0.1, 0.25, 0.4, 0.5, 0.75, 1, 2, 3, 5, 10, 15, 30, 60, 120, 300] as const;

/** How long to wait after so many looks that found nothing new. */
export const lookAgainSeconds = (looks: number): number => LOOK_AGAIN_SECONDS[Math.max(0, looks)] ?? 300;

/** Looks for which a CA that names a time is taken at its word: some say "in a second" all day. */
const TRUSTED_LOOKS = 12;

/** The same where the CA names a time. */
export const lookAgainWhenTold = (seconds: number, looks: number): number =>
  Math.max(seconds, lookAgainSeconds(looks - TRUSTED_LOOKS));

export interface FailureCount {
  readonly class: FailureClass;
  readonly code: string;
  /** Failures in a row, the latest included. */
  readonly count: number;
}

export function isBlocking(failure: FailureCount): boolean {
  const isDoubtful = failure.class === 'unknown' || failure.code === ACCESS_DENIED;
  return isDoubtful ? failure.count > DOUBTFUL_FAILURES_TOLERATED : failure.class === 'permanent';
}

/**
 * When to look again after a failure. Never sooner than the other side asked; a certificate that is running out is looked at
 * in ever shorter steps, so that it does not expire between two looks.
 */
export function retryAt(
  failure: FailureCount & { readonly retryAfterSeconds?: number },
  now: Instant,
  certificate: { readonly notAfter: Instant | undefined; readonly durationSeconds: number },
): Instant {
  const blocked = isBlocking(failure);
  const dailyMs = Math.min(DAY_MS, (certificate.durationSeconds * 1_000) / 3);
  const usualMs = blocked ? dailyMs : Math.min(dailyMs, RETRY_DELAYS_MS[failure.count - 1] ?? dailyMs);
  const floorMs = blocked ? BLOCKED_FLOOR_MS : MINUTE_MS;
  const delayMs = Math.max(floorMs, Math.min(usualMs, urgencyMs(certificate.notAfter, now)));
  return Math.max(now + delayMs, earliestRetry(now, failure.retryAfterSeconds ?? 0));
}

export const earliestRetry = (now: Instant, retryAfterSeconds: number): Instant =>
  now + Math.min(LONGEST_RETRY_AFTER_MS, retryAfterSeconds * 1_000);

function urgencyMs(notAfter: Instant | undefined, now: Instant): number {
  if (notAfter === undefined) return Infinity;
  return notAfter > now ? (notAfter - now) / 3 : EXPIRED_DELAY_MS;
}

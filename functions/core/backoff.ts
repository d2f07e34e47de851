import type { FailureClass } from './errors.ts';
import { DAY_MS, HOUR_MS, type Instant, MINUTE_MS } from './time.ts';

/** After the first, second and third failure in a row; daily from then on (Let's Encrypt's integration guide). */
const RETRY_DELAYS_MS = [MINUTE_MS, 10 * MINUTE_MS, 100 * MINUTE_MS] as const;

/** Surprises before an unknown failure counts as one that repeating will not cure. */
export const UNKNOWN_FAILURES_TOLERATED = 2;

/** What is blocked is looked at no more often than this, however near expiry is. */
const BLOCKED_FLOOR_MS = HOUR_MS;

export interface FailureCount {
  readonly class: FailureClass;
  /** Failures in a row, the latest included. */
  readonly count: number;
}

export function isBlocking(failure: FailureCount): boolean {
  return failure.class === 'permanent' || (failure.class === 'unknown' && failure.count > UNKNOWN_FAILURES_TOLERATED);
}

/**
 * When to look again after a failure. Never sooner than the other side asked; a certificate that is running out is looked at
 * in ever shorter steps, so that it does not expire between two looks.
 */
export function retryAt(
  failure: FailureCount & { readonly retryAfterSeconds?: number },
  now: Instant,
  notAfter: Instant | undefined,
): Instant {
  const blocked = isBlocking(failure);
  const usualMs = blocked ? DAY_MS : (RETRY_DELAYS_MS[failure.count - 1] ?? DAY_MS);
  const floorMs = blocked ? BLOCKED_FLOOR_MS : MINUTE_MS;
  const remainingMs = notAfter === undefined ? Infinity : notAfter - now;
  const urgentMs = remainingMs > 0 ? remainingMs / 3 : Infinity;
  const delayMs = Math.max(floorMs, Math.min(usualMs, urgentMs));
  return now + Math.max(delayMs, (failure.retryAfterSeconds ?? 0) * 1_000);
}

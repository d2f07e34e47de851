import * as z from 'zod/mini';
import { HOUR_MS, type Instant, instant, MINUTE_MS } from './time.ts';

/** Failures in a row, over all certificates of one issuer, that open the circuit. */
export const FAILURES_TO_OPEN = 5;

const FIRST_PAUSE_MS = MINUTE_MS;
const LONGEST_PAUSE_MS = HOUR_MS;

/**
 *            failure × 5                    pause over, one caller passes
 *   closed ───────────────▶ open ──────────────────────────────────────▶ probing
 *      ▲                     ▲                                              │
 *      │                     └────────── failure: twice the pause ──────────┤
 *      └──────────────────────────────── success ───────────────────────────┘
 *
 * Only the CA's own failures count: timeouts, 5xx, throttling, what nobody expected. A refusal is an answer and closes it.
 */
export const circuitBreaker = z.object({
  /** Failures in a row while closed. */
  failures: z.int().check(z.nonnegative()),
  /** Absent while closed. Calls before this instant are not made. */
  openUntil: z.optional(instant),
  /** True while one caller is trying whether the issuer is back. */
  probing: z.boolean(),
  /** How long the circuit stays open next time. */
  pauseMs: z.number(),
});
export type CircuitBreaker = z.infer<typeof circuitBreaker>;

export const CLOSED: CircuitBreaker = { failures: 0, probing: false, pauseMs: FIRST_PAUSE_MS };

export type Admission =
  | { readonly admit: 'yes' }
  /** The pause is over: whoever manages to store `breaker` is the one probe. */
  | { readonly admit: 'asProbe'; readonly breaker: CircuitBreaker }
  | { readonly admit: 'no'; readonly until: Instant };

export function admission(breaker: CircuitBreaker, now: Instant): Admission {
  if (breaker.openUntil === undefined) return { admit: 'yes' };
  if (now < breaker.openUntil) return { admit: 'no', until: breaker.openUntil };
  // A probe that never reports (its function was killed) is replaced after one more pause.
  return { admit: 'asProbe', breaker: { ...breaker, probing: true, openUntil: now + breaker.pauseMs } };
}

/** The same object when nothing changes: calls under way when the circuit opened fail as well and must not lengthen the pause. */
export function afterFailure(breaker: CircuitBreaker, now: Instant): CircuitBreaker {
  if (breaker.openUntil !== undefined && !breaker.probing) return breaker;
  if (breaker.probing) {
    const pauseMs = Math.min(2 * breaker.pauseMs, LONGEST_PAUSE_MS);
    return { ...breaker, probing: false, pauseMs, openUntil: now + pauseMs };
  }
  const failures = breaker.failures + 1;
  if (failures < FAILURES_TO_OPEN) return { ...breaker, failures };
  return { ...breaker, failures, openUntil: now + breaker.pauseMs };
}

/** The same object when there is nothing to forget, so that the usual case costs no write. */
export function afterSuccess(breaker: CircuitBreaker): CircuitBreaker {
  return breaker.failures === 0 && breaker.openUntil === undefined ? breaker : CLOSED;
}

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { lookAgainSeconds, lookAgainWhenTold, retryAt } from '../../functions/core/backoff.ts';
import {
  admission,
  afterFailure,
  afterSuccess,
  circuitBreaker,
  CLOSED,
  type CircuitBreaker,
  FAILURES_TO_OPEN,
} from '../../functions/core/breaker.ts';
import { dailyOrderCap, nextOrderAt, recentOrders } from '../../functions/core/cap.ts';
import { DAY_MS, HOUR_MS, type Instant, MINUTE_MS } from '../../functions/core/time.ts';
import { NOON } from '../support/builders.ts';

/** A certificate of ninety days that was never issued. */
const QUARTERLY = { notAfter: undefined, durationSeconds: 90 * 86_400 };

describe('the backoff', () => {
  const failures = fc.record({
    class: fc.constantFrom('transient' as const, 'permanent' as const, 'unknown' as const),
    code: fc.constantFrom('Any', 'AccessDenied'),
    count: fc.integer({ min: 1, max: 50 }),
    retryAfterSeconds: fc.option(fc.integer({ min: 0, max: 1e13 }), { nil: 0 }),
  });

  it('is 1, 10 and 100 minutes, then a day', () => {
    const delays = [1, 2, 3, 4, 9].map(
      (count) => retryAt({ class: 'transient', code: 'Any', count }, NOON, QUARTERLY) - NOON,
    );
    expect(delays).toEqual([MINUTE_MS, 10 * MINUTE_MS, 100 * MINUTE_MS, DAY_MS, DAY_MS]);
  });

  it('is at least a minute, at most a day, and not sooner than the CA asked, absurd answers aside', () => {
    fc.assert(
      fc.property(
        failures,
        fc.option(fc.integer({ min: -DAY_MS, max: 90 * DAY_MS }), { nil: undefined }),
        (failure, remaining) => {
          const delay =
            retryAt(failure, NOON, { ...QUARTERLY, notAfter: remaining === undefined ? undefined : NOON + remaining }) -
            NOON;
          expect(delay).toBeGreaterThanOrEqual(
            Math.min(DAY_MS, Math.max(MINUTE_MS, failure.retryAfterSeconds * 1_000)),
          );
          expect(delay).toBeLessThanOrEqual(DAY_MS);
        },
      ),
    );
  });

  it('looks again before a certificate that has hours left expires', () => {
    fc.assert(
      fc.property(failures, fc.integer({ min: 2 * HOUR_MS, max: 90 * DAY_MS }), ({ class: kind, count }, remaining) => {
        expect(
          retryAt({ class: kind, code: 'Any', count }, NOON, { ...QUARTERLY, notAfter: NOON + remaining }),
        ).toBeLessThan(NOON + remaining);
      }),
    );
  });

  it('looks at what lives six hours every two at the least, blocked or not', () => {
    const shortLived = { notAfter: undefined, durationSeconds: 6 * 3_600 };
    const delay = (kind: 'transient' | 'permanent', count: number): number =>
      retryAt({ class: kind, code: 'Any', count }, NOON, shortLived) - NOON;
    expect([delay('transient', 3), delay('transient', 4), delay('permanent', 1)]).toEqual([
      100 * MINUTE_MS,
      2 * HOUR_MS,
      2 * HOUR_MS,
    ]);
  });

  it.each([
    ['thirty minutes before it expires', NOON + 30 * MINUTE_MS, 10 * MINUTE_MS],
    ['a minute before it expires', NOON + MINUTE_MS, MINUTE_MS],
    ['in the instant in which it expires', NOON, 10 * MINUTE_MS],
    ['after it expired', NOON - DAY_MS, 10 * MINUTE_MS],
  ])('of a certificate %s is not the daily one', (_when, notAfter, delay) => {
    expect(retryAt({ class: 'transient', code: 'Any', count: 9 }, NOON, { ...QUARTERLY, notAfter })).toBe(NOON + delay);
  });

  it('of what is blocked is an hour at the least, however near expiry is', () => {
    expect(retryAt({ class: 'permanent', code: 'Any', count: 1 }, NOON, { ...QUARTERLY, notAfter: NOON })).toBe(
      NOON + HOUR_MS,
    );
  });

  it.each([
    ['an unknown failure', { class: 'unknown', code: 'Unexpected' }],
    ['a denial, of which IAM may not know yet that it is none,', { class: 'permanent', code: 'AccessDenied' }],
  ] as const)('treats %s as a passing one twice', (_what, failure) => {
    const delay = (count: number): number => retryAt({ ...failure, count }, NOON, QUARTERLY) - NOON;
    expect([delay(1), delay(2), delay(3)]).toEqual([MINUTE_MS, 10 * MINUTE_MS, DAY_MS]);
  });
});

describe('between looks at what a CA is working on', () => {
  it('time grows, up to five minutes', () => {
    expect(Array.from({ length: 17 }, (_, looks) => lookAgainSeconds(looks))).toEqual([
      0.1, 0.25, 0.4, 0.5, 0.75, 1, 2, 3, 5, 10, 15, 30, 60, 120, 300, 300, 300,
    ]);
  });

  it('as much passes as a CA says, and more where it says the same for ever', () => {
    expect([0, 5, 11, 12].map((looks) => lookAgainWhenTold(1, looks))).toEqual([1, 1, 1, 1]);
    expect([18, 19, 22, 26, 99].map((looks) => lookAgainWhenTold(1, looks))).toEqual([2, 3, 15, 300, 300]);
    expect(lookAgainWhenTold(3_600, 99)).toBe(3_600);
  });
});

describe('the daily cap', () => {
  it('leaves room for twice the renewals that the lifetime needs', () => {
    expect([90 * 24, 144, 6, 1].map((hours) => dailyOrderCap(hours * 3_600))).toEqual([5, 5, 20, 100]);
  });

  it('counts the orders of the last 24 hours, oldest first: one that is a day old counts no more', () => {
    const orders = [NOON, NOON - DAY_MS + 1, NOON - DAY_MS, NOON - HOUR_MS];
    expect(recentOrders(orders, NOON)).toEqual([NOON - DAY_MS + 1, NOON - HOUR_MS, NOON]);
  });

  it('is nothing to who has an order left, and to who has none lasts until the oldest is a day old', () => {
    const orders = [4, 1, 3, 2].map((hours) => NOON - hours * HOUR_MS);
    expect(nextOrderAt(orders, QUARTERLY.durationSeconds, NOON)).toBe(NOON);
    expect(nextOrderAt([...orders, NOON], QUARTERLY.durationSeconds, NOON)).toBe(NOON + 20 * HOUR_MS);
  });

  it('is never passed by somebody who orders whenever it is allowed', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 3_600, max: 90 * 86_400 }),
        fc.array(fc.integer({ min: 0, max: 6 * HOUR_MS }), { minLength: 1, maxLength: 60 }),
        (durationSeconds, pauses) => {
          const orders: Instant[] = [];
          let now = NOON;
          for (const pause of pauses) {
            now = Math.max(now + pause, nextOrderAt(orders, durationSeconds, now + pause));
            orders.push(now);
          }
          for (const end of orders) {
            const within = orders.filter((at) => at > end - DAY_MS && at <= end);
            expect(within.length).toBeLessThanOrEqual(dailyOrderCap(durationSeconds));
          }
        },
      ),
    );
  });
});

describe('the circuit breaker', () => {
  const open = (at: Instant): CircuitBreaker =>
    Array.from({ length: FAILURES_TO_OPEN }).reduce<CircuitBreaker>((breaker) => afterFailure(breaker, at), CLOSED);

  it('lets everybody pass until the fifth failure in a row', () => {
    let breaker = CLOSED;
    for (let failure = 1; failure < FAILURES_TO_OPEN; failure++) breaker = afterFailure(breaker, NOON);
    expect(admission(breaker, NOON)).toEqual({ admit: 'yes' });
    expect(admission(afterFailure(breaker, NOON), NOON)).toEqual({ admit: 'no', until: NOON + MINUTE_MS });
  });

  it('lets one caller try when the pause is over', () => {
    const answer = admission(open(NOON), NOON + MINUTE_MS);
    expect(answer.admit).toBe('asProbe');
    const after = answer.admit === 'asProbe' ? answer.breaker : CLOSED;
    expect(admission(after, NOON + MINUTE_MS).admit).toBe('no');
  });

  it('doubles the pause after each failed probe, up to an hour, and forgets all after a success', () => {
    let breaker = open(NOON);
    let now = NOON;
    const pauses: number[] = [];
    for (let probe = 0; probe < 9; probe++) {
      now = breaker.openUntil ?? now;
      const answer = admission(breaker, now);
      if (answer.admit !== 'asProbe') throw new Error('no probe');
      breaker = afterFailure(answer.breaker, now);
      pauses.push(((breaker.openUntil ?? 0) - now) / MINUTE_MS);
    }
    expect(pauses).toEqual([2, 4, 8, 16, 32, 60, 60, 60, 60]);
    expect(afterSuccess(breaker)).toEqual(CLOSED);
  });

  it('does not count the calls that were under way when it opened', () => {
    const opened = open(NOON);
    expect(afterFailure(opened, NOON + 1)).toBe(opened);
    const probing = admission(opened, NOON + MINUTE_MS);
    if (probing.admit !== 'asProbe') throw new Error('no probe');
    const reopened = afterFailure(probing.breaker, NOON + MINUTE_MS);
    expect(afterFailure(reopened, NOON + MINUTE_MS + 1)).toBe(reopened);
  });

  it('costs no write while all is well', () => {
    const read = { ...CLOSED };
    expect(afterSuccess(read)).toBe(read);
  });

  it('closes at a success, whatever it has counted', () => {
    expect(afterSuccess({ ...CLOSED, openUntil: NOON })).toEqual(CLOSED);
    expect(afterSuccess({ ...CLOSED, failures: 1 })).toEqual(CLOSED);
  });

  it('rests in a table and comes back as it was', () => {
    const probing = { ...open(NOON), probing: true };
    const item: unknown = JSON.parse(JSON.stringify(z.encode(circuitBreaker, probing)));
    expect(z.decode(circuitBreaker, item as z.input<typeof circuitBreaker>)).toEqual(probing);
  });
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { type IssuerId, issuerId } from '../../functions/core/certificate.ts';
import { budgetLeft, orderLimit, ordersUntil, placeableAt, shareMs } from '../../functions/core/order-limit.ts';
import type { DueCertificate } from '../../functions/core/ports.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../functions/core/time.ts';
import { inTurn } from '../../functions/core/turns.ts';
import { id, NOON } from '../support/builders.ts';

const LIMIT = { orders: 300, perSeconds: 10_800 };
const limits = fc.record({ orders: fc.integer({ min: 1, max: 500 }), perSeconds: fc.integer({ min: 1, max: 86_400 }) });

describe('the bucket of an issuer', () => {
  it('lets through as many at once as it says, and then one for each share of the time', () => {
    fc.assert(
      fc.property(limits, (limit) => {
        let fullAgainAt = NOON;
        for (let order = 1; order <= limit.orders; order++) {
          expect(placeableAt(fullAgainAt, limit)).toBeLessThanOrEqual(NOON + limit.orders);
          fullAgainAt += shareMs(limit);
        }
        const wait = placeableAt(fullAgainAt, limit) - NOON;
        // Shares are whole milliseconds, each rounded up.
        expect(wait).toBeGreaterThanOrEqual(shareMs(limit));
        expect(wait).toBeLessThanOrEqual(shareMs(limit) + limit.orders);
      }),
    );
  });

  it.each([
    ['full', 0, 100],
    ['a quarter spent', 2_700, 75],
    ['spent', 10_800, 0],
  ])('that is %s has its share of all orders left', (_how, spentSeconds, percent) => {
    expect(budgetLeft(NOON + spentSeconds * SECOND_MS, LIMIT, NOON)).toBe(percent);
  });

  it('counts what may be placed by a time as somebody would who places it', () => {
    fc.assert(
      fc.property(
        limits,
        fc.integer({ min: 0, max: HOUR_MS }),
        fc.integer({ min: 0, max: HOUR_MS }),
        (limit, spentMs, aheadMs) => {
          const until = NOON + aheadMs;
          let fullAgainAt = NOON + Math.min(spentMs, limit.perSeconds * SECOND_MS);
          const counted = ordersUntil(fullAgainAt, limit, NOON, until);
          let placed = 0;
          for (; placeableAt(fullAgainAt, limit) <= until; placed++) fullAgainAt += shareMs(limit);
          expect(counted).toBe(placed);
        },
      ),
    );
  });

  it('is full after a rest, and never fuller', () => {
    expect(ordersUntil(NOON - DAY_MS, LIMIT, NOON, NOON)).toBe(300);
    expect(ordersUntil(NOON, LIMIT, NOON, NOON + MINUTE_MS)).toBe(301);
    expect(ordersUntil(NOON + 3 * HOUR_MS, LIMIT, NOON, NOON + MINUTE_MS)).toBe(1);
    expect(ordersUntil(NOON + 9 * HOUR_MS, LIMIT, NOON, NOON)).toBe(0);
  });
});

describe('a limit', () => {
  it.each([
    { orders: 0, perSeconds: 1 },
    { orders: 1, perSeconds: 0 },
    { orders: 1.5, perSeconds: 1 },
    { orders: 1 },
    {},
  ])('is not %j', (value) => {
    expect(z.safeParse(orderLimit, value).success).toBe(false);
  });

  it('rests in a table as it was', () => {
    expect(z.parse(orderLimit, LIMIT)).toEqual(LIMIT);
  });
});

describe('who goes', () => {
  const [mine, theirs] = [issuerId.parse('group/Kind/mine'), issuerId.parse('group/Kind/theirs')];
  const ordering = (name: string, expiresAt: number | undefined, issuer: IssuerId = mine): DueCertificate => ({
    certificate: id(`default/${name}`),
    dueAt: NOON,
    order: { issuer, expiresAt },
  });
  const names = (chosen: readonly DueCertificate[]): string =>
    chosen.map(({ certificate }) => certificate.replace('default/', '')).join(' ');
  const due = [
    ordering('month', NOON + 30 * DAY_MS),
    ordering('week', NOON + 7 * DAY_MS),
    ordering('new', undefined),
    ordering('hours', NOON + 5 * HOUR_MS),
    ordering('gone', NOON - DAY_MS),
    ordering('other', NOON + 60 * DAY_MS, theirs),
    { certificate: id('default/look'), dueAt: NOON },
  ];

  it('is everybody where nobody sets a limit, what expires first before the rest', () => {
    expect(names(inTurn(due, new Map(), 100, NOON))).toBe('look gone hours new week month other');
  });

  it('is what expires first, as many as the issuer takes; a look that orders nothing and another issuer’s are not held up', () => {
    expect(names(inTurn(due, new Map([[mine, 2]]), 100, NOON))).toBe('look gone hours other');
    expect(names(inTurn(due, new Map([[mine, 0]]), 100, NOON))).toBe('look other');
    expect(
      names(
        inTurn(
          due,
          new Map([
            [mine, 3],
            [theirs, 0],
          ]),
          100,
          NOON,
        ),
      ),
    ).toBe('look gone hours new');
  });

  it('is no more than a tick tells of', () => {
    expect(names(inTurn(due, new Map(), 3, NOON))).toBe('look gone hours');
  });
});

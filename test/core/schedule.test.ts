import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planRenewal } from '../../functions/core/schedule.ts';
import { DAY_MS, HOUR_MS, SECOND_MS, toTimestamp } from '../../functions/core/time.ts';
import { aLeaf, id, NOON } from '../support/builders.ts';

const ID = id('payments/orders');

const leaves = fc
  .record({
    backdatedMs: fc.integer({ min: 0, max: 25 * HOUR_MS }),
    remainingMs: fc.integer({ min: SECOND_MS, max: 800 * DAY_MS }),
    fingerprint: fc.uuid(),
  })
  .map(({ backdatedMs, remainingMs, fingerprint }) =>
    aLeaf({ notBefore: NOON - backdatedMs, notAfter: NOON + remainingMs, sha256Fingerprint: fingerprint }),
  );

const wishes = fc.option(
  fc.oneof(
    fc.record({ seconds: fc.integer({ min: 1, max: 900 * 86_400 }) }),
    fc.record({ percentage: fc.integer({ min: 1, max: 99 }) }),
  ),
  { nil: undefined },
);

describe('when to renew', () => {
  it('is never at or before issuance and always before expiry', () => {
    fc.assert(
      fc.property(leaves, wishes, (leaf, wish) => {
        const { renewAt } = planRenewal(ID, leaf, NOON, wish);
        expect(renewAt).toBeGreaterThan(NOON);
        expect(renewAt).toBeLessThan(leaf.notAfter);
      }),
    );
  });

  it('is the same at every look', () => {
    fc.assert(
      fc.property(leaves, wishes, (leaf, wish) => {
        expect(planRenewal(ID, leaf, NOON, wish)).toEqual(planRenewal(ID, { ...leaf }, NOON, wish));
      }),
    );
  });

  it('is two thirds into ninety days, give or take one per cent', () => {
    fc.assert(
      fc.property(fc.uuid(), (sha256Fingerprint) => {
        const { renewAt } = planRenewal(ID, aLeaf({ sha256Fingerprint }), NOON, undefined);
        expect(Math.abs(renewAt - (NOON + 60 * DAY_MS))).toBeLessThanOrEqual(0.9 * DAY_MS);
      }),
    );
  });

  it('is half way into six days', () => {
    const { renewAt } = planRenewal(ID, aLeaf({ notAfter: NOON + 6 * DAY_MS }), NOON, undefined);
    expect(Math.abs(renewAt - (NOON + 3 * DAY_MS))).toBeLessThanOrEqual(0.06 * DAY_MS);
  });

  it('differs between certificates issued at the same second', () => {
    const at = (fingerprint: string): number =>
      planRenewal(ID, aLeaf({ sha256Fingerprint: fingerprint }), NOON, undefined).renewAt;
    expect(new Set(['a', 'b', 'c', 'd'].map(at)).size).toBe(4);
  });

  it('counts the lifetime from issuance when the CA backdates', () => {
    const leaf = aLeaf({ notBefore: NOON - HOUR_MS, notAfter: NOON + HOUR_MS });
    expect(planRenewal(ID, leaf, NOON, undefined).renewAt).toBeGreaterThan(NOON + 0.4 * HOUR_MS);
  });

  it('is what renewBefore says, to the second', () => {
    expect(planRenewal(ID, aLeaf(), NOON, { seconds: 10 * 86_400 })).toEqual({ renewAt: NOON + 80 * DAY_MS });
    expect(planRenewal(ID, aLeaf(), NOON, { percentage: 20 })).toEqual({ renewAt: NOON + 72 * DAY_MS });
  });

  it.each([
    ['longer than', { seconds: 30 * 86_400 }, 2_592_000],
    ['as long as', { seconds: 6 * 86_400 }, 518_400],
    ['all of', { percentage: 100 }, 518_400],
    ['nothing of', { seconds: 0 }, 0],
  ])('falls back with a warning when renewBefore is %s the real lifetime', (_how, wish, seconds) => {
    const leaf = aLeaf({ notAfter: NOON + 6 * DAY_MS });
    expect(planRenewal(ID, leaf, NOON, wish)).toEqual({
      ...planRenewal(ID, leaf, NOON, undefined),
      warning:
        `renewBefore (${seconds} s) is not shorter than the lifetime the CA gave (518400 s); ` +
        'renewing at the default share of the lifetime instead',
    });
  });

  it('has two thirds of a lifetime from ten days on, and half of it below', () => {
    const share = (lifetimeMs: number): number =>
      (planRenewal(ID, aLeaf({ notAfter: NOON + lifetimeMs }), NOON, undefined).renewAt - NOON) / lifetimeMs;
    expect(share(10 * DAY_MS)).toBeCloseTo(2 / 3, 1);
    expect(share(10 * DAY_MS - SECOND_MS)).toBeCloseTo(1 / 2, 1);
  });

  it('is after issuance, however short the life', () => {
    expect(planRenewal(ID, aLeaf({ notAfter: NOON + 1 }), NOON, undefined).renewAt).toBe(NOON + 1);
  });

  it('is spread over the whole of one per cent before and after', () => {
    const offsets = Array.from({ length: 200 }, (_, number) => {
      const leaf = aLeaf({ sha256Fingerprint: String(number) });
      return (planRenewal(ID, leaf, NOON, undefined).renewAt - (NOON + 60 * DAY_MS)) / (0.9 * DAY_MS);
    });
    expect(Math.min(...offsets)).toBeLessThan(-0.9);
    expect(Math.max(...offsets)).toBeGreaterThan(0.9);
  });

  it('stays where it is after an upgrade of Everleaf', () => {
    const { renewAt } = planRenewal(ID, aLeaf(), NOON, undefined);
    expect(toTimestamp(renewAt)).toMatchInlineSnapshot(`"2026-07-31T15:00:06.542Z"`);
  });
});

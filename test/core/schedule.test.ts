import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planRenewal } from '../../functions/core/schedule.ts';
import { DAY_MS, HOUR_MS, SECOND_MS } from '../../functions/core/time.ts';
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

  it('falls back with a warning when renewBefore is not shorter than the real lifetime', () => {
    const { renewAt, warning } = planRenewal(ID, aLeaf({ notAfter: NOON + 6 * DAY_MS }), NOON, {
      seconds: 30 * 86_400,
    });
    expect(renewAt).toBeGreaterThan(NOON + 2 * DAY_MS);
    expect(warning).toMatch(/not shorter than the lifetime/);
  });
});

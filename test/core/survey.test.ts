import { assert, asyncProperty, shuffledSubarray } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { versionId } from '../../functions/core/certificate.ts';
import type { MetricName } from '../../functions/core/metrics.ts';
import { METRICS } from '../../functions/core/metrics.ts';
import type { CertificateRecord } from '../../functions/core/record.ts';
import { specDigest } from '../../functions/core/spec-change.ts';
import { type Standing, standingOf, stateOf } from '../../functions/core/standing.ts';
import { measureSurvey, surveyFleet } from '../../functions/core/survey.ts';
import { DAY_MS, HOUR_MS } from '../../functions/core/time.ts';
import { apply, declare } from '../../functions/core/transitions.ts';
import { aLeaf, aSpec, id, ISSUER, NOON } from '../support/builders.ts';

async function* each<T>(values: readonly T[]): AsyncIterable<T> {
  yield* values;
}

const declared = (): CertificateRecord => declare(aSpec(), { actor: 'test', at: NOON });
const inUse = (): CertificateRecord => ({
  ...declared(),
  storeInspected: true,
  current: {
    version: versionId.parse('v1'),
    secretName: 'orders-tls',
    issuerRef: ISSUER.ref,
    leaf: aLeaf(),
    specDigest: specDigest(aSpec()),
    issuedAt: NOON,
  },
});
const failing = (count: number, blocked = false): CertificateRecord => ({
  ...inUse(),
  failures: { count, blocked, last: { class: 'transient', code: 'CaFailed', message: 'no', at: NOON } },
});

const halted = (): CertificateRecord => ({
  ...inUse(),
  rollout: { generation: 1, hooks: [], state: 'halted', at: NOON },
});

/** Ninety days from noon, to be renewed after sixty. */
const standing = (name: string, more: Partial<Standing> = {}): Standing => ({
  certificate: id(`default/${name}`),
  isRetired: false,
  isWanted: false,
  isUndeployed: false,
  failures: { count: 0, blocked: false },
  knownSince: NOON,
  inUse: { notBefore: NOON, notAfter: NOON + 90 * DAY_MS, renewAt: NOON + 60 * DAY_MS },
  ...more,
});
const neverIssued = (name: string): Standing => {
  const { inUse: _none, ...rest } = standing(name, { isWanted: true });
  return rest;
};

describe('how a certificate is doing', () => {
  it.each([
    ['current', inUse(), 0],
    ['not issued', declared(), 0],
    ['renewing', inUse(), 61],
    ['renewing', apply(inUse(), { event: 'RenewalRequested', by: 'test' }, { actor: 'test', at: NOON }), 0],
    ['not deployed', halted(), 61],
    ['failing', failing(1), 61],
    ['blocked', failing(1, true), 61],
    ['expired', failing(4, true), 91],
    ['retired', apply(failing(4, true), { event: 'Retired' }, { actor: 'test', at: NOON }), 91],
  ] as const)('is %s', (state, record, days) => {
    expect(stateOf(standingOf(record), NOON + days * DAY_MS)).toBe(state);
  });

  it('is told with what is in use, and with why it fails while it does', () => {
    expect(standingOf(failing(4))).toMatchObject({
      failures: { count: 4, code: 'CaFailed' },
      inUse: { notBefore: NOON, notAfter: NOON + 90 * DAY_MS },
    });
    expect(standingOf(inUse()).failures).toEqual({ count: 0, blocked: false });
    expect(standingOf(declared())).not.toHaveProperty('inUse');
  });
});

describe('a look at the fleet', () => {
  it('finds nothing wrong where nothing is', async () => {
    expect(await surveyFleet(each([]), NOON)).toEqual({
      certificates: 0,
      failing: 0,
      blocked: 0,
      notIssued: 0,
      expired: 0,
      notDeployed: 0,
      revocationFailing: 0,
      nearest: [],
      lifetimeLeft: 100,
      renewalTimeLeft: 100,
    });
  });

  it('counts each by its state, and none that is retired', async () => {
    const fleet = [
      standing('ready'),
      standing('unlucky', { failures: { count: 3, blocked: false } }),
      standing('failing', { failures: { count: 4, blocked: false } }),
      standing('blocked', { failures: { count: 4, blocked: true } }),
      standing('held', { isUndeployed: true }),
      standing('gone', { isRetired: true, failures: { count: 4, blocked: true } }),
    ];
    expect(await surveyFleet(each(fleet), NOON)).toMatchObject({
      certificates: 5,
      failing: 1,
      blocked: 1,
      notDeployed: 1,
    });
  });

  it('counts what a CA does not revoke, also of a certificate that is retired', async () => {
    const fleet = [
      standing('leaked', { isRevocationFailing: true }),
      standing('gone', { isRetired: true, isRevocationFailing: true }),
      standing('ready'),
    ];
    expect(await surveyFleet(each(fleet), NOON)).toMatchObject({ certificates: 2, revocationFailing: 2 });
  });

  it('gives a new certificate an hour to be issued', async () => {
    const fleet = [neverIssued('new')];
    expect(await surveyFleet(each(fleet), NOON + HOUR_MS)).toMatchObject({ notIssued: 0 });
    expect(await surveyFleet(each(fleet), NOON + HOUR_MS + 1)).toMatchObject({ notIssued: 1, renewalTimeLeft: 100 });
  });

  it.each([
    [0, 100, 100, 0],
    [45, 50, 100, 0],
    [60, 100 / 3, 100, 0],
    [75, 100 / 6, 50, 0],
    [90, 0, 0, 1],
    [100, 0, 0, 1],
  ])(
    'after %i of ninety days finds %d %% of the lifetime, and %d %% of the time for renewal',
    async (days, life, time, expired) => {
      const survey = await surveyFleet(each([standing('shop')]), NOON + days * DAY_MS);
      expect(survey.lifetimeLeft).toBeCloseTo(life);
      expect(survey.renewalTimeLeft).toBeCloseTo(time);
      expect(survey.expired).toBe(expired);
    },
  );

  it('takes what has no time at all between renewal and expiry for in time until it ends', async () => {
    const late = standing('late', { inUse: { notBefore: NOON, notAfter: NOON + DAY_MS, renewAt: NOON + DAY_MS } });
    expect(await surveyFleet(each([late]), NOON)).toMatchObject({ renewalTimeLeft: 100 });
    expect(await surveyFleet(each([late]), NOON + DAY_MS)).toMatchObject({ renewalTimeLeft: 0, expired: 1 });
  });

  it('names the twenty that have the least time for renewal left, then those that end first, of however many', async () => {
    const shuffled = shuffledSubarray(
      Array.from({ length: 100 }, (_, day) => day + 1),
      { minLength: 100 },
    );
    await assert(
      asyncProperty(shuffled, async (days) => {
        const fleet = days.map((day) =>
          standing(`d${day}`, {
            inUse: { notBefore: NOON, notAfter: NOON + day * DAY_MS, renewAt: NOON + (day * DAY_MS) / 2 },
          }),
        );
        const { nearest } = await surveyFleet(each(fleet), NOON + DAY_MS);
        const names = nearest.map(({ certificate }) => certificate.replace('default/d', ''));
        expect(names).toEqual(Array.from({ length: 20 }, (_, index) => String(index + 1)));
      }),
      { numRuns: 20 },
    );
  });

  it('measures all that it found, once', async () => {
    const measured: MetricName[] = [];
    measureSurvey(await surveyFleet(each([standing('shop')]), NOON), { record: (name) => void measured.push(name) });
    expect(new Set(measured).size).toBe(measured.length);
    expect(measured).toContain('Surveys');
    for (const name of measured) expect(METRICS[name].unit).toMatch(/^(?:Count|Percent)$/);
  });
});

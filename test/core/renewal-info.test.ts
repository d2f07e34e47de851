import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { versionId } from '../../functions/core/certificate.ts';
import { decide, dueAt } from '../../functions/core/decide.ts';
import { type CertificateRecord, type CurrentVersion, renewAt } from '../../functions/core/record.ts';
import { drawRenewalInfo } from '../../functions/core/renewal-info.ts';
import { planRenewal } from '../../functions/core/schedule.ts';
import { specDigest } from '../../functions/core/spec-change.ts';
import { DAY_MS, HOUR_MS, type Instant } from '../../functions/core/time.ts';
import { apply, declare } from '../../functions/core/transitions.ts';
import { certId } from '../../functions/issuers/acme/renewal-info.ts';
import { aLeaf, aSpec, ISSUER, NOON } from '../support/builders.ts';

const SPEC = aSpec();
const LEAF = aLeaf();

function current(renewalInfo: NonNullable<CurrentVersion['renewalInfo']>, leaf = LEAF): CurrentVersion {
  const place = { version: versionId.parse('v1'), secretName: SPEC.secretName, issuerRef: ISSUER.ref };
  return { ...place, leaf, specDigest: specDigest(SPEC), issuedAt: NOON, renewalInfo };
}

const recordWith = (renewalInfo: NonNullable<CurrentVersion['renewalInfo']>, leaf = LEAF): CertificateRecord => ({
  ...declare(SPEC, { actor: 'test', at: NOON }),
  current: current(renewalInfo, leaf),
});

const WINDOW = { start: NOON + 20 * DAY_MS, end: NOON + 22 * DAY_MS };

describe('of the window that a CA suggests', () => {
  it('one instant is drawn when it is first seen, and kept at every later look', () => {
    const first = drawRenewalInfo(current({ checkAt: NOON }), { window: WINDOW, random: 0.25, checkAt: NOON + 1 });
    expect(first).toEqual({ checkAt: NOON + 1, window: WINDOW, renewAt: NOON + 20.5 * DAY_MS });
    const later = drawRenewalInfo(current(first), { window: { ...WINDOW }, random: 0.9, checkAt: NOON + 2 });
    expect(later).toEqual({ ...first, checkAt: NOON + 2 });
  });

  it.each([
    ['moves', { start: NOON + DAY_MS, end: NOON + 2 * DAY_MS }],
    ['begins earlier', { ...WINDOW, start: NOON + DAY_MS }],
    ['ends later', { ...WINDOW, end: WINDOW.end + DAY_MS }],
  ])('another instant is drawn when the window %s', (_how, moved) => {
    const known = { checkAt: NOON, window: WINDOW, renewAt: WINDOW.start + 1 };
    expect(drawRenewalInfo(current(known), { window: moved, random: 0, checkAt: NOON })).toEqual({
      checkAt: NOON,
      window: moved,
      renewAt: moved.start,
    });
  });

  it('one instant is drawn also where nothing was known before', () => {
    const { renewalInfo: _none, ...unasked } = current({ checkAt: NOON });
    const drawn = drawRenewalInfo(unasked, { window: WINDOW, random: 0, checkAt: NOON });
    expect(drawn).toEqual({ checkAt: NOON, window: WINDOW, renewAt: WINDOW.start });
  });

  it.each([
    ['no answer', undefined],
    ['a window that ends before it begins', { start: WINDOW.end, end: WINDOW.start }],
    ['a window of no length', { start: WINDOW.start, end: WINDOW.start }],
  ])('the last one stands where there is %s', (_, window) => {
    const known = { checkAt: NOON, window: WINDOW, renewAt: WINDOW.start };
    expect(drawRenewalInfo(current(known), { window, random: 0.5, checkAt: NOON + 7 })).toEqual({
      ...known,
      checkAt: NOON + 7,
    });
  });

  it('an explanation is in the trail, once', () => {
    const window = { ...WINDOW, explanationUrl: 'https://ca.example/why' };
    const learned = { event: 'RenewalInfoLearned' as const, window, random: 0, checkAt: NOON + HOUR_MS };
    const once = apply(recordWith({ checkAt: NOON }), learned, { actor: 'test', at: NOON });
    const twice = apply(once, learned, { actor: 'test', at: NOON });
    expect(twice.history.filter(({ event }) => event === 'RenewalInfoLearned')).toEqual([
      expect.objectContaining({ cause: expect.stringContaining('https://ca.example/why') as unknown }),
    ]);
  });
});

describe('a renewal at the wish of the CA', () => {
  const at = (suggested: Instant, wish?: { seconds: number }): Instant =>
    planRenewal(SPEC.id, LEAF, NOON, wish, { at: suggested, isRepeated: false }).renewAt;

  it('comes at the drawn instant, earlier or later than by default', () => {
    expect(at(NOON + 5 * DAY_MS)).toBe(NOON + 5 * DAY_MS);
    expect(at(NOON + 75 * DAY_MS)).toBe(NOON + 75 * DAY_MS);
  });

  it('comes at the earlier of both, when the manifest has a wish as well', () => {
    expect(at(NOON + 5 * DAY_MS, { seconds: 10 * 86_400 })).toBe(NOON + 5 * DAY_MS);
    expect(at(NOON + 75 * DAY_MS, { seconds: 30 * 86_400 })).toBe(NOON + 60 * DAY_MS);
  });

  it('never comes within the hour of its making, nor in the last tenth of its life, whatever the CA says', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: NOON * 3 }), (suggested) => {
        const renewed = at(suggested);
        expect(renewed).toBeGreaterThanOrEqual(NOON + HOUR_MS);
        expect(renewed).toBeLessThanOrEqual(NOON + 81 * DAY_MS);
      }),
    );
  });

  it('keeps to a tenth of a life that is shorter than ten hours', () => {
    const leaf = aLeaf({ notAfter: NOON + 5 * HOUR_MS });
    const renewed = (suggested: Instant): Instant => {
      const wish = { checkAt: NOON, renewAt: suggested };
      return renewAt(recordWith(wish, leaf), current(wish, leaf));
    };
    expect(renewed(NOON)).toBe(NOON + 0.5 * HOUR_MS);
    expect(renewed(NOON + DAY_MS)).toBe(NOON + 4.5 * HOUR_MS);
  });

  it('is due when the instant is there, though the window may be long gone', () => {
    const record = recordWith({ checkAt: NOON + 400 * DAY_MS, window: WINDOW, renewAt: WINDOW.start });
    expect(renewAt(record, current({ checkAt: NOON, renewAt: WINDOW.start }))).toBe(WINDOW.start);
    expect(decide(record, WINDOW.start - 1).do).toBe('rest');
    expect(decide(record, WINDOW.start)).toEqual({ do: 'startAttempt', reason: 'RenewalWindowReached' });
    expect(decide(record, WINDOW.end + DAY_MS)).toMatchObject({ do: 'startAttempt' });
  });
});

describe('a CA that calls back leaf after leaf', () => {
  const recalled = { checkAt: NOON, renewAt: NOON - DAY_MS };
  const successor = (previous: CurrentVersion | undefined, lifetimeMs = 90 * DAY_MS): CertificateRecord => ({
    ...recordWith(recalled, aLeaf({ notAfter: NOON + lifetimeMs })),
    ...(previous === undefined ? {} : { previous }),
  });
  const renewal = (record: CertificateRecord): number =>
    record.current === undefined ? Infinity : renewAt(record, record.current) - NOON;
  const before = (wished: number): CurrentVersion => ({
    ...current({ checkAt: NOON, renewAt: wished }),
    issuedAt: NOON - 2 * HOUR_MS,
  });

  it('is obeyed at once for the first, and once a day for those that follow', () => {
    expect(renewal(successor(undefined))).toBe(HOUR_MS);
    expect(renewal(successor(before(NOON - DAY_MS)))).toBe(DAY_MS);
  });

  it('is obeyed at once again when the leaf before was let live', () => {
    expect(renewal(successor(before(NOON + 60 * DAY_MS)))).toBe(HOUR_MS);
    expect(renewal(successor(current({ checkAt: NOON })))).toBe(HOUR_MS);
  });

  it('is one that wished for a successor within a day, or a quarter of a short life', () => {
    const early = (issuedAt: number, lifetimeMs: number, wished: number): CurrentVersion => ({
      ...current({ checkAt: NOON, renewAt: wished }, aLeaf({ notAfter: issuedAt + lifetimeMs })),
      issuedAt,
    });
    const at = NOON - 40 * DAY_MS;
    expect(renewal(successor(early(at, 90 * DAY_MS, at + DAY_MS - 1)))).toBe(DAY_MS);
    expect(renewal(successor(early(at, 90 * DAY_MS, at + DAY_MS)))).toBe(HOUR_MS);
    expect(renewal(successor(early(at, 8 * HOUR_MS, at + 2 * HOUR_MS - 1)))).toBe(DAY_MS);
    expect(renewal(successor(early(at, 8 * HOUR_MS, at + 2 * HOUR_MS)))).toBe(HOUR_MS);
    const { renewalInfo: _none, ...silent } = current({ checkAt: NOON });
    expect(renewal(successor(silent))).toBe(HOUR_MS);
  });

  it('is followed within a quarter of a short life', () => {
    expect(renewal(successor(before(NOON - DAY_MS), 8 * HOUR_MS))).toBe(2 * HOUR_MS);
  });
});

describe('the CA is asked', () => {
  it('when it said to, and is in the due index until then', () => {
    const record = recordWith({ checkAt: NOON + 6 * HOUR_MS });
    expect(dueAt(record)).toBe(NOON + 6 * HOUR_MS);
    expect(decide(record, NOON + 6 * HOUR_MS - 1).do).toBe('rest');
    expect(decide(record, NOON + 6 * HOUR_MS).do).toBe('askRenewalInfo');
  });

  it('not about a certificate that has expired or is being replaced', () => {
    const record = recordWith({ checkAt: NOON });
    expect(decide(record, LEAF.notAfter + DAY_MS).do).toBe('startAttempt');
    const requested = apply(record, { event: 'RenewalRequested', by: 'test' }, { actor: 'test', at: NOON });
    expect(decide(requested, NOON).do).toBe('startAttempt');
  });

  it('not about a certificate that was retired', () => {
    const retired = apply(recordWith({ checkAt: NOON }), { event: 'Retired' }, { actor: 'test', at: NOON });
    expect(decide(retired, NOON + DAY_MS).do).toBe('rest');
    expect(dueAt(retired)).toBeUndefined();
  });
});

describe('how ARI names a certificate (RFC 9773 §4.1)', () => {
  it('is as in the example of the RFC', () => {
    const authorityKeyId = '69885b6b87464041e1b37b847ba0ae2cde01c8d4';
    expect(certId(aLeaf({ authorityKeyId, serialNumber: '87654321' }))).toBe('aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE');
  });

  it('has no leading zero where none keeps the number positive', () => {
    expect(certId(aLeaf({ authorityKeyId: '00', serialNumber: '7F01' }))).toBe('AA.fwE');
  });

  it('is nothing for a leaf that does not say who signed it', () => {
    expect(certId(LEAF)).toBeUndefined();
  });
});

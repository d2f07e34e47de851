import { describe, expect, it } from 'vitest';
import { attemptId, versionId } from '../../functions/core/certificate.ts';
import { type FailureFacts, GATE_REFUSED } from '../../functions/core/errors.ts';
import { claimLease } from '../../functions/core/lease.ts';
import type { CertificateRecord } from '../../functions/core/record.ts';
import { specDigest } from '../../functions/core/spec-change.ts';
import { DAY_MS, HOUR_MS, type Instant, MINUTE_MS } from '../../functions/core/time.ts';
import { apply, declare, type Happening } from '../../functions/core/transitions.ts';
import { aLeaf, aSpec, ISSUER, NOON } from '../support/builders.ts';

const SPEC = aSpec();
const ATTEMPT = attemptId.parse('6a8f1c1e-5b0e-4f6a-9d55-1f4e0a3b2c1d');
const [FIRST, SECOND] = [versionId.parse('v1'), versionId.parse('v2')];
const DECLARED = declare(SPEC, { actor: 'test', at: NOON });

const at = (record: CertificateRecord, now: Instant, ...happenings: readonly Happening[]): CertificateRecord =>
  happenings.reduce((state, happening) => apply(state, happening, { actor: 'test', at: now }), record);
const after = (record: CertificateRecord, ...happenings: readonly Happening[]): CertificateRecord =>
  at(record, NOON, ...happenings);

const STARTED: Happening = { event: 'AttemptStarted', attempt: ATTEMPT, reason: 'NotIssued' };
const INTENDED: Happening = { event: 'OrderIntended', csr: 'csr', notAfter: NOON + 90 * DAY_MS };
const PLACED = { event: 'OrderPlaced', ticket: { order: '1' }, checkAt: NOON + MINUTE_MS } as const;
const STORED = { event: 'VersionStored', version: SECOND, ref: 'arn', leaf: aLeaf() } as const;
const PROMOTED: Happening = { event: 'VersionPromoted' };
const failing = (failure: Partial<FailureFacts> = {}): Happening => ({
  event: 'AttemptFailed',
  failure: { class: 'transient', code: 'Unreachable', message: 'no answer', ...failure },
});
const abandoned = (cause: 'Retired' | 'SpecChanged' | 'TooOld'): Happening => ({ event: 'AttemptAbandoned', cause });

const ASKED = {
  id: ATTEMPT,
  reason: 'NotIssued',
  startedAt: NOON,
  specDigest: specDigest(SPEC),
  issuerRef: ISSUER.ref,
  secretName: SPEC.secretName,
  dnsNames: SPEC.dnsNames,
};
const INTENT = { csr: 'csr', notAfter: NOON + 90 * DAY_MS, intendedAt: NOON + 1 };
const IN_USE = {
  version: FIRST,
  secretName: SPEC.secretName,
  issuerRef: ISSUER.ref,
  leaf: aLeaf(),
  specDigest: specDigest(SPEC),
  issuedAt: NOON,
};
const OWED = { issuerRef: ISSUER.ref, ticket: { order: '1' }, tries: 0, tryAt: NOON };

const begun = after(DECLARED, STARTED);
const intended = at(begun, NOON + 1, INTENDED);
const placed = after(intended, PLACED);
const stored = after(placed, STORED);

describe('a certificate that is declared', () => {
  it('wants everything, and has nothing', () => {
    expect(DECLARED).toStrictEqual({
      id: SPEC.id,
      origin: 'managed',
      spec: SPEC,
      generation: 0,
      orders: [],
      failures: { count: 0, blocked: false },
      storeInspected: false,
      outbox: [],
      history: [{ at: NOON, actor: 'test', event: 'Declared', cause: 'in the manifest' }],
    });
  });
});

describe('an attempt holds', () => {
  it('what was asked for when it began', () => {
    expect(begun.attempt).toStrictEqual({ ...ASKED, phase: 'started' });
  });

  it('its intent, counted as an order and under the claim that it was noted under', () => {
    const leased = claimLease(begun, 'one', NOON, MINUTE_MS);
    const { attempt, orders } = at({ ...leased, orders: [NOON - DAY_MS, NOON - HOUR_MS] }, NOON + 1, INTENDED);
    expect(attempt).toStrictEqual({ ...ASKED, ...INTENT, phase: 'orderIntended', accountedUnder: 1 });
    expect(orders).toEqual([NOON - HOUR_MS, NOON + 1]);
    expect(intended.attempt).toMatchObject({ accountedUnder: 0 });
  });

  it('the same intent when it is made again, counted once more', () => {
    const leased = claimLease({ ...intended, orders: [NOON - DAY_MS, NOON + 1] }, 'two', NOON, MINUTE_MS);
    const { attempt, orders } = at(leased, NOON + 2, { event: 'OrderIntendedAgain' });
    expect(attempt).toStrictEqual({ ...ASKED, ...INTENT, phase: 'orderIntended', accountedUnder: 1 });
    expect(orders).toEqual([NOON + 1, NOON + 2]);
  });

  it('the receipt of its order, and the CA’s patience with it', () => {
    expect(placed.attempt).toStrictEqual({ ...ASKED, ...INTENT, phase: 'orderPlaced', ticket: { order: '1' } });
    expect(placed.retryAfter).toBe(NOON + MINUTE_MS);
    const again = after(placed, { event: 'OrderPending', ticket: { order: '2' }, checkAt: NOON + 400 * DAY_MS });
    expect(again.attempt).toStrictEqual({ ...ASKED, ...INTENT, phase: 'orderPlaced', ticket: { order: '2' } });
    expect(again.retryAfter).toBe(NOON + DAY_MS);
  });

  it('the version that was stored, and no intent any more', () => {
    const made = { issuedAt: NOON + 1, version: SECOND, ref: 'arn', leaf: aLeaf() };
    expect(stored.attempt).toStrictEqual({ ...ASKED, ...made, phase: 'stored' });
    expect(after(intended, STORED).attempt).toStrictEqual(stored.attempt);
    const more = { account: 'us', offersRenewalInfo: false };
    expect(after(placed, { ...STORED, ...more }).attempt).toStrictEqual({
      ...ASKED,
      ...made,
      ...more,
      phase: 'stored',
    });
  });
});

describe('a version that was stored', () => {
  it('waits until it is valid', () => {
    const leaf = aLeaf({ notBefore: NOON + MINUTE_MS });
    expect(after(intended, { ...STORED, leaf }).retryAfter).toBe(NOON + MINUTE_MS);
    expect(after(intended, STORED)).not.toHaveProperty('retryAfter');
  });

  it('leaves what its order still holds to be given back', () => {
    expect(after(placed, { ...STORED, leftover: { order: '1' } }).abandoned).toStrictEqual([OWED]);
    expect(stored).not.toHaveProperty('abandoned');
  });
});

describe('a promotion', () => {
  const waiting = { ...stored, waitUntil: NOON, retryAfter: NOON, failures: { count: 3, blocked: true } };
  const current = {
    version: SECOND,
    secretName: SPEC.secretName,
    issuerRef: ISSUER.ref,
    leaf: aLeaf(),
    specDigest: specDigest(SPEC),
    issuedAt: NOON + 1,
  };

  it('ends the attempt, all patience and all failures', () => {
    const promoted = after(waiting, PROMOTED);
    expect(promoted).toMatchObject({ generation: 1, failures: { count: 0, blocked: false } });
    for (const name of ['attempt', 'waitUntil', 'retryAfter', 'previous']) expect(promoted).not.toHaveProperty(name);
    expect(promoted.current).toStrictEqual(current);
  });

  it('keeps what was in use before', () => {
    expect(after({ ...waiting, generation: 4, current: IN_USE }, PROMOTED)).toMatchObject({
      generation: 5,
      current,
      previous: IN_USE,
    });
  });

  it.each<[string, object, object]>([
    ['wishes is asked for them at once', { offersRenewalInfo: true }, { renewalInfo: { checkAt: NOON } }],
    ['no wishes is not', { offersRenewalInfo: false }, {}],
    ['an account is known by it', { account: 'us' }, { account: 'us' }],
  ])('by a CA with %s', (_what, more, kept) => {
    const record = after(placed, { ...STORED, ...more }, PROMOTED);
    expect(record.current).toStrictEqual({ ...current, ...kept });
  });

  it.each([
    ['it began with is answered', 0, 0, false],
    ['it began with is answered, by a clock that is ahead', HOUR_MS, HOUR_MS, false],
    ['came during the attempt asks for the next one', 0, 1, true],
    ['came during the attempt asks for the next one, by a clock that is behind', 0, -HOUR_MS, true],
  ])('leaves one request: what %s', (_what, before, later, isKept) => {
    const by = 'a person';
    const asked = { ...DECLARED, request: { by, at: NOON + before } };
    const ready = after(at(after(asked, STARTED), NOON + 1, INTENDED), PLACED, STORED);
    const promoted = after({ ...ready, request: { by, at: NOON + later } }, PROMOTED);
    expect('request' in promoted).toBe(isKept);
  });
});

describe('a failure', () => {
  it('is counted, kept and waited after', () => {
    const failed = after({ ...begun, failures: { count: 1, blocked: false } }, failing());
    expect(failed).toMatchObject({
      failures: {
        count: 2,
        blocked: false,
        last: { class: 'transient', code: 'Unreachable', message: 'no answer', at: NOON },
      },
      waitUntil: NOON + 10 * MINUTE_MS,
      attempt: begun.attempt,
    });
    expect(failed).not.toHaveProperty('retryAfter');
  });

  it('keeps to what the CA asked for, as long as it is a day at the most', () => {
    expect(after(begun, failing({ retryAfterSeconds: 7_200 }))).toMatchObject({
      retryAfter: NOON + 2 * HOUR_MS,
      waitUntil: NOON + 2 * HOUR_MS,
    });
    expect(after(begun, failing({ retryAfterSeconds: 1e9 })).retryAfter).toBe(NOON + DAY_MS);
  });

  it('without an attempt begins none', () => {
    expect(after(DECLARED, failing({ class: 'permanent' }))).not.toHaveProperty('attempt');
  });

  it.each<[string, CertificateRecord, Partial<FailureFacts>]>([
    ['that is for good ends an attempt', begun, { class: 'permanent' }],
    ['that is for good ends an attempt that is at the CA', placed, { class: 'permanent' }],
    ['of a dead order ends an attempt', placed, { endsAttempt: true }],
    ['of a stored version that is gone ends an attempt', stored, { endsAttempt: true }],
  ])('%s', (_what, record, failure) => {
    const failed = after({ ...record, retryAfter: NOON + DAY_MS }, failing(failure));
    expect(failed).not.toHaveProperty('attempt');
    expect(failed).not.toHaveProperty('retryAfter');
  });

  it('that is for good leaves a stored version to be promoted later', () => {
    expect(after(stored, failing({ class: 'permanent' }))).toMatchObject({
      attempt: stored.attempt,
      failures: { blocked: true },
    });
  });

  it('of an order that is at the CA leaves what it holds to be given back', () => {
    expect(after(placed, failing({ endsAttempt: true })).abandoned).toStrictEqual([OWED]);
    expect(after(intended, failing({ endsAttempt: true }))).not.toHaveProperty('abandoned');
  });

  it.each<[string, Partial<FailureFacts>, readonly Instant[]]>([
    ['refused is not counted', {}, []],
    ['refused for good is not counted', { class: 'permanent' }, []],
    ['that may have been made is counted', { mayHaveActed: true }, [NOON + 1]],
    ['that the gate turned down was made, and is counted', { class: 'permanent', code: GATE_REFUSED }, [NOON + 1]],
  ])('of a call %s against the daily cap', (_what, failure, orders) => {
    expect(after(intended, failing(failure)).orders).toEqual(orders);
  });

  it('after the receipt takes no order back', () => {
    expect(after(placed, failing()).orders).toEqual([NOON + 1]);
    expect(after(placed, failing({ endsAttempt: true })).orders).toEqual([NOON + 1]);
  });

  it('of a call makes the next one account for itself', () => {
    expect(after(intended, failing()).attempt).toStrictEqual({
      ...ASKED,
      ...INTENT,
      phase: 'orderIntended',
      accountedUnder: -1,
    });
  });
});

describe('an attempt that is given up', () => {
  it('is no failure, and frees what it has at the CA', () => {
    const given = after(placed, abandoned('SpecChanged'));
    expect(given).not.toHaveProperty('attempt');
    expect(given.failures.count).toBe(0);
    expect(given.abandoned).toStrictEqual([OWED]);
  });

  it('is nothing where it is over already', () => {
    const { history: _line, ...given } = after(DECLARED, abandoned('TooOld'));
    const { history: _before, ...declared } = DECLARED;
    expect(given).toStrictEqual(declared);
  });

  it.each<[string, CertificateRecord, number]>([
    ['began and never came to an order', begun, 0],
    ['was about to order', intended, 0],
    ['the CA sat on', placed, 1],
    ['has a version that nobody could promote', stored, 1],
  ])('for its age is a failure where the CA had it: one that %s', (_what, record, count) => {
    const given = after(record, abandoned('TooOld'));
    expect(given).not.toHaveProperty('attempt');
    expect(given.failures.count).toBe(count);
    if (count > 0) {
      expect(given.failures.last).toEqual({
        class: 'transient',
        code: 'AttemptTooOld',
        message: 'the attempt took too long to be worth finishing; a new one will be made',
        at: NOON,
      });
    }
  });
});

describe('an attempt given up for its age', () => {
  const failedAt = (at: Instant): CertificateRecord => ({
    ...placed,
    failures: { count: 1, blocked: false, last: { class: 'transient', code: 'X', message: 'y', at } },
  });
  const { startedAt } = placed.attempt ?? { startedAt: NOON };

  it.each<[string, Instant, number]>([
    ['counts again where what failed was another attempt', startedAt - 1, 2],
    ['has been counted where it failed as it began', startedAt, 1],
    ['has been counted where it failed since', startedAt + HOUR_MS, 1],
  ])('%s', (_what, at, count) => {
    expect(after(failedAt(at), abandoned('TooOld')).failures.count).toBe(count);
  });
});

describe('what is owed to a CA', () => {
  it('is ten orders at the most, of which the oldest is let go', () => {
    const many = Array.from({ length: 10 }, (_, number) => ({ ...OWED, ticket: { order: `${number}` } }));
    const { abandoned: kept } = after({ ...placed, abandoned: many }, abandoned('SpecChanged'));
    expect(kept?.map(({ ticket }) => ticket['order'])).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9', '1']);
  });

  it('is as large as one order is, if need be', () => {
    const ticket = { order: 'x'.repeat(200_000) };
    expect(after(placed, { ...PLACED, ticket }, abandoned('SpecChanged')).abandoned).toHaveLength(1);
  });

  it.each([
    [150_000, 2],
    [150_001, 1],
  ])('is as large as a record can carry: of %d characters in two orders %d are kept', (characters, kept) => {
    const older = { ...OWED, ticket: { order: '' } };
    const room = characters - JSON.stringify([older, OWED]).length;
    const owed = [{ ...older, ticket: { order: 'x'.repeat(room) } }];
    expect(after({ ...placed, abandoned: owed }, abandoned('SpecChanged')).abandoned).toHaveLength(kept);
  });

  it('is tried in the order of when it is due', () => {
    const later = { ...OWED, ticket: { order: 'later' }, tryAt: NOON + HOUR_MS };
    const { abandoned: owed } = after({ ...placed, abandoned: [later] }, abandoned('SpecChanged'));
    expect(owed?.map(({ ticket }) => ticket['order'])).toEqual(['1', 'later']);
  });

  it.each([
    [32, 1],
    [33, 0],
  ])('after %d tries that failed is still %d', (tries, left) => {
    const failure = { class: 'transient', code: 'Unreachable', message: 'no answer' } as const;
    const record = after({ ...DECLARED, abandoned: [{ ...OWED, tries }] }, { event: 'OrderNotAbandoned', failure });
    expect(record.abandoned ?? []).toHaveLength(left);
  });

  it('is nothing where nothing is owed, whatever is noted', () => {
    const failure = { class: 'transient', code: 'Unreachable', message: 'no answer' } as const;
    for (const happening of [
      { event: 'AbandonTried' },
      { event: 'OrderAbandoned' },
      { event: 'OrderNotAbandoned', failure },
    ] as const) {
      expect(after(DECLARED, happening)).not.toHaveProperty('abandoned');
    }
  });
});

describe('our own patience', () => {
  const impatient = { ...DECLARED, waitUntil: NOON + DAY_MS, failures: { count: 3, blocked: true } };

  it.each<[Happening['event'], Happening, object]>([
    ['Respecified', { event: 'Respecified', spec: SPEC, fields: [] }, {}],
    ['Reconsidered', { event: 'Reconsidered', cause: 'deployed again' }, {}],
    ['RenewalRequested', { event: 'RenewalRequested', by: 'a person' }, { request: { by: 'a person', at: NOON } }],
  ])('ends when it is %s, and the failures stay counted', (_event, happening, more) => {
    const { history: _before, waitUntil: _wait, ...rest } = impatient;
    const { history: _after, ...record } = after(impatient, happening);
    expect(record).toStrictEqual({ ...rest, ...more, failures: { count: 3, blocked: false } });
  });

  it('begins when it is Deferred', () => {
    expect(after(DECLARED, { event: 'Deferred', until: NOON + 1, cause: 'CircuitOpen' }).waitUntil).toBe(NOON + 1);
  });
});

describe('a certificate that leaves the manifest', () => {
  it('is retired from then on, and wanted as specified when it is back', () => {
    const retired = at(DECLARED, NOON + 1, { event: 'Retired' });
    expect(retired.retiredAt).toBe(NOON + 1);
    const spec = aSpec({ dnsNames: ['other.example'] });
    const back = after({ ...retired, waitUntil: NOON }, { event: 'Reinstated', spec });
    expect(back.spec).toBe(spec);
    expect(back).not.toHaveProperty('retiredAt');
    expect(back).not.toHaveProperty('waitUntil');
  });
});

describe('a look into the store', () => {
  it('that finds nothing is made once', () => {
    expect(after(DECLARED, { event: 'StoreInspected' })).toMatchObject({ storeInspected: true, generation: 0 });
  });

  it.each([
    [3, 5, 5],
    [5, 3, 5],
  ])('never counts generations back: %d here and %d there are %d', (generation, there, expected) => {
    const found = { version: IN_USE, generation: there };
    expect(after({ ...DECLARED, generation }, { event: 'StoreInspected', found })).toMatchObject({
      storeInspected: true,
      current: IN_USE,
      generation: expected,
    });
  });
});

describe('the CA’s wish', () => {
  const learned: Happening = {
    event: 'RenewalInfoLearned',
    window: { start: NOON + DAY_MS, end: NOON + 2 * DAY_MS },
    random: 0.5,
    checkAt: NOON + HOUR_MS,
  };

  it('is kept with the version it is about', () => {
    const current = { ...IN_USE, renewalInfo: { checkAt: NOON } };
    expect(after({ ...DECLARED, current }, learned).current).toEqual({
      ...IN_USE,
      renewalInfo: {
        checkAt: NOON + HOUR_MS,
        window: { start: NOON + DAY_MS, end: NOON + 2 * DAY_MS },
        renewAt: NOON + 1.5 * DAY_MS,
      },
    });
  });

  it('is nothing to a version whose CA has none', () => {
    expect(after({ ...DECLARED, current: IN_USE }, learned).current).toEqual(IN_USE);
    expect(after(DECLARED, learned)).not.toHaveProperty('current');
  });
});

describe('a step that its phase does not allow', () => {
  it.each<[CertificateRecord, Happening, string]>([
    [begun, STARTED, 'an attempt is already under way'],
    [DECLARED, INTENDED, 'expected phase started, found no attempt'],
    [placed, { event: 'OrderIntendedAgain' }, 'expected phase orderIntended, found orderPlaced'],
    [begun, PLACED, 'expected phase orderIntended or orderPlaced, found started'],
    [stored, STORED, 'expected phase orderIntended or orderPlaced, found stored'],
    [placed, PROMOTED, 'expected phase stored, found orderPlaced'],
  ])('is refused: %#', (record, happening, why) => {
    expect(() => after(record, happening)).toThrow(new Error(`illegal transition of payments/orders: ${why}`));
  });
});

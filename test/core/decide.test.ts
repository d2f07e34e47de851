import { describe, expect, it } from 'vitest';
import { attemptId, versionId } from '../../functions/core/certificate.ts';
import { attemptLifetimeMs, decide, dueAt, dueReason, wantsOrder } from '../../functions/core/decide.ts';
import { claimLease } from '../../functions/core/lease.ts';
import { type Attempt, type CertificateRecord, type CurrentVersion, renewAt } from '../../functions/core/record.ts';
import { specDigest } from '../../functions/core/spec-change.ts';
import { DAY_MS, HOUR_MS, type Instant, MINUTE_MS } from '../../functions/core/time.ts';
import { apply, declare } from '../../functions/core/transitions.ts';
import { aLeaf, aSpec, ISSUER, NOON } from '../support/builders.ts';

const SPEC = aSpec();
const BY = { actor: 'test', at: NOON };
const DECLARED: CertificateRecord = { ...declare(SPEC, BY), storeInspected: true };
const CURRENT: CurrentVersion = {
  version: versionId.parse('v1'),
  secretName: SPEC.secretName,
  issuerRef: ISSUER.ref,
  leaf: aLeaf(),
  specDigest: specDigest(SPEC),
  issuedAt: NOON,
};
const ISSUED: CertificateRecord = { ...DECLARED, current: CURRENT };
const DUE = renewAt(ISSUED, CURRENT);
const REQUEST = { by: 'a person', at: NOON };

const base = {
  id: attemptId.parse('6a8f1c1e-5b0e-4f6a-9d55-1f4e0a3b2c1d'),
  reason: 'NotIssued',
  startedAt: NOON,
  specDigest: specDigest(SPEC),
  issuerRef: ISSUER.ref,
  secretName: SPEC.secretName,
  dnsNames: SPEC.dnsNames,
} as const;
const intent = { csr: 'csr', notAfter: NOON + 90 * DAY_MS, intendedAt: NOON };
const STARTED: Attempt = { ...base, phase: 'started' };
const INTENDED: Attempt = { ...base, ...intent, phase: 'orderIntended', accountedUnder: 0 };
const PLACED: Attempt = { ...base, ...intent, phase: 'orderPlaced', ticket: { order: '1' } };
const STORED: Attempt = {
  ...base,
  phase: 'stored',
  issuedAt: NOON,
  version: versionId.parse('v2'),
  ref: 'arn',
  leaf: aLeaf(),
};
const during = (attempt: Attempt, record = DECLARED): CertificateRecord => ({ ...record, attempt });

const FULL = [1, 2, 3, 4, 5].map((hours) => NOON - hours * HOUR_MS);
const OUTBOX = apply(
  ISSUED,
  { event: 'AttemptFailed', failure: { class: 'unknown', code: 'X', message: 'y' } },
  BY,
).outbox;
const OWED = { issuerRef: ISSUER.ref, ticket: { order: '1' }, tries: 0, tryAt: NOON };

describe('the next look', () => {
  it.each<[boolean, string, CertificateRecord, Instant]>([
    [true, 'to see whether the store has it already', { ...DECLARED, storeInspected: false }, NOON],
    [true, 'to begin', DECLARED, NOON],
    [true, 'to renew', ISSUED, DUE],
    [true, 'to intend an order', during(STARTED), NOON],
    [true, 'to place it', during(INTENDED), NOON],
    [true, 'to account for another call', during({ ...INTENDED, accountedUnder: 7 }), NOON],
    [false, 'to ask how it goes', during(PLACED), NOON],
    [false, 'to promote', during(STORED), NOON],
    [false, 'to tell', { ...ISSUED, outbox: OUTBOX }, DUE],
    [false, 'to give something back', { ...ISSUED, abandoned: [OWED] }, DUE],
    [false, 'to ask what the CA wishes', { ...ISSUED, current: { ...CURRENT, renewalInfo: { checkAt: NOON } } }, NOON],
    [false, 'at nothing', ISSUED, NOON],
  ])('is %s for an order where it is there %s', (wanted, _why, record, due) => {
    expect(wantsOrder(record, due)).toBe(wanted);
  });
});

describe('a certificate is due', () => {
  it.each<[string | undefined, CertificateRecord, Instant]>([
    ['NotIssued', DECLARED, NOON],
    ['SpecChanged', { ...ISSUED, spec: aSpec({ dnsNames: ['other.example'] }) }, NOON],
    ['RenewalWindowReached', ISSUED, DUE],
    ['RenewalWindowReached', { ...ISSUED, request: REQUEST }, DUE],
    ['Requested', { ...ISSUED, request: REQUEST }, NOON],
    [undefined, ISSUED, DUE - 1],
  ])('as %s', (reason, record, now) => {
    expect(dueReason(record, now)).toBe(reason);
  });
});

describe('what is done next', () => {
  it.each<[string, CertificateRecord, object]>([
    ['first, what happened is told', { ...during(STARTED), outbox: OUTBOX, abandoned: [OWED] }, { do: 'announce' }],
    [
      'then, what is owed is given back',
      { ...during(STARTED), abandoned: [OWED] },
      { do: 'abandonOrder', order: OWED },
    ],
    [
      'what is owed later is not given back yet',
      { ...during(STARTED), abandoned: [{ ...OWED, tryAt: NOON + 1 }] },
      { do: 'intendOrder' },
    ],
    ['nothing is done before our patience ends', { ...during(STARTED), waitUntil: NOON + 1 }, { do: 'rest' }],
    ['nothing is done before the CA’s ends', { ...during(STARTED), retryAfter: NOON + 1 }, { do: 'rest' }],
    ['patience that has ended holds nothing up', { ...during(STARTED), retryAfter: NOON }, { do: 'intendOrder' }],
    [
      'what is owed is given back all the same',
      { ...ISSUED, waitUntil: NOON + 1, abandoned: [OWED] },
      { do: 'abandonOrder' },
    ],
    ['the store is looked into once', { ...DECLARED, storeInspected: false }, { do: 'inspectStore' }],
    ['but not where a version is known', { ...ISSUED, storeInspected: false }, { do: 'rest' }],
    ['what is due is begun', DECLARED, { do: 'startAttempt', reason: 'NotIssued' }],
    ['what is retired is not', { ...DECLARED, retiredAt: NOON }, { do: 'rest' }],
    ['what is only watched is not', { ...DECLARED, origin: 'observed' }, { do: 'rest' }],
    [
      'what is past the daily cap waits',
      { ...DECLARED, orders: FULL },
      { do: 'defer', until: NOON + 19 * HOUR_MS, cause: 'DailyCap' },
    ],
    ['an attempt goes on: the order is intended', during(STARTED), { do: 'intendOrder', attempt: STARTED }],
    ['an attempt goes on: the order is placed', during(INTENDED), { do: 'placeOrder', attempt: INTENDED }],
    ['an attempt goes on: the order is looked at', during(PLACED), { do: 'checkOrder', attempt: PLACED }],
    ['an attempt goes on: the version is promoted', during(STORED), { do: 'promote', attempt: STORED }],
    [
      'a call that another worker may have made is accounted for anew',
      claimLease(during(INTENDED), 'two', NOON, MINUTE_MS),
      { do: 'intendAgain', attempt: INTENDED },
    ],
    [
      'such a call waits where the cap is reached',
      claimLease({ ...during(INTENDED), orders: FULL }, 'two', NOON, MINUTE_MS),
      { do: 'defer', until: NOON + 19 * HOUR_MS },
    ],
    ['a call that is accounted for is made, cap or not', { ...during(INTENDED), orders: FULL }, { do: 'placeOrder' }],
  ])('%s', (_what, record, decision) => {
    expect(decide(record, NOON)).toMatchObject(decision);
  });
});

describe('an attempt is given up', () => {
  const other = aSpec({ dnsNames: ['other.example'] });
  it.each<[string, CertificateRecord, Instant, string]>([
    ['when the certificate is retired', { ...during(STORED), retiredAt: NOON }, NOON, 'Retired'],
    ['when the manifest wants another', { ...during(PLACED), spec: other }, NOON, 'SpecChanged'],
    ['when it is older than a day', during(PLACED), NOON + DAY_MS + 1, 'TooOld'],
    ['when what it stored has expired', during(STORED), NOON + 90 * DAY_MS, 'TooOld'],
  ])('%s', (_when, record, now, cause) => {
    expect(decide(record, now)).toEqual({ do: 'abandonAttempt', attempt: record.attempt, cause });
  });

  it.each<[string, CertificateRecord, Instant]>([
    ['when it is a day old', during(PLACED), NOON + DAY_MS],
    ['while what it stored is valid', during(STORED), NOON + 90 * DAY_MS - 1],
  ])('not %s', (_when, record, now) => {
    expect(decide(record, now).do).not.toBe('abandonAttempt');
  });

  it.each([
    [90 * 24, 24 * 60],
    [240, 24 * 60],
    [100, 10 * 60],
    [1, 10],
  ])('of a certificate of %d hours after %d minutes', (hours, minutes) => {
    expect(attemptLifetimeMs(hours * 3_600)).toBe(minutes * MINUTE_MS);
  });
});

describe('the due index has', () => {
  const wishing: CertificateRecord = { ...ISSUED, current: { ...CURRENT, renewalInfo: { checkAt: NOON + HOUR_MS } } };
  it.each<[string, CertificateRecord, Instant | undefined]>([
    ['what was just declared, since then', DECLARED, NOON],
    ['what has no history, always', { ...DECLARED, history: [] }, 0],
    ['what is in use, when it is to be renewed', ISSUED, DUE],
    ['what is requested, since then', { ...ISSUED, request: REQUEST }, NOON],
    ['what has a wishful CA, when that is to be asked', wishing, NOON + HOUR_MS],
    [
      'what has a CA that is to be asked late, when it is to be renewed',
      { ...ISSUED, current: { ...CURRENT, renewalInfo: { checkAt: NOON + 400 * DAY_MS } } },
      DUE,
    ],
    ['what has an attempt under way, since then', during(STARTED, ISSUED), NOON],
    ['what waits, when our patience ends', { ...DECLARED, waitUntil: NOON + 5 }, NOON + 5],
    ['what waits, when the CA’s patience ends', { ...DECLARED, waitUntil: NOON + 5, retryAfter: NOON + 7 }, NOON + 7],
    ['what has something to tell, at once', { ...ISSUED, outbox: OUTBOX, waitUntil: NOON + 5 }, NOON],
    ['what owes something, when that is due', { ...ISSUED, abandoned: [{ ...OWED, tryAt: NOON + 9 }] }, NOON + 9],
    [
      'what owes something later than it is due itself, then',
      { ...DECLARED, abandoned: [{ ...OWED, tryAt: NOON + 9 }] },
      NOON,
    ],
    ['what is retired and owes something, too', { ...ISSUED, retiredAt: NOON, abandoned: [OWED] }, NOON],
    ['what is retired and has an attempt under way, too', { ...during(PLACED), retiredAt: NOON }, NOON],
    ['what is retired and has something to tell, too', { ...ISSUED, retiredAt: NOON, outbox: OUTBOX }, NOON],
    ['nothing that is retired', { ...ISSUED, retiredAt: NOON }, undefined],
    ['nothing that is only watched', { ...ISSUED, origin: 'observed' }, undefined],
    ['what somebody works on, when the claim ends', claimLease(DECLARED, 'one', NOON, MINUTE_MS), NOON + MINUTE_MS],
    ['what is due after the claim ends, then', claimLease(ISSUED, 'one', NOON, MINUTE_MS), DUE],
  ])('%s', (_what, record, due) => {
    expect(dueAt(record)).toBe(due);
  });
});

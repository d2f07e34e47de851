import { describe, expect, it } from 'vitest';
import { attemptId, versionId } from '../../functions/core/certificate.ts';
import { encodeDetail, parseEvent } from '../../functions/core/events.ts';
import type { CertificateRecord } from '../../functions/core/record.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../functions/core/time.ts';
import { apply, declare, type Happening } from '../../functions/core/transitions.ts';
import { aLeaf, aSpec, ISSUER, NOON } from '../support/builders.ts';

const BY = { actor: 'test', at: NOON };
const SPEC = aSpec({ labels: { team: 'shop' } });
const ATTEMPT = attemptId.parse('6a8f1c1e-5b0e-4f6a-9d55-1f4e0a3b2c1d');
const [FIRST, SECOND] = [versionId.parse('v1'), versionId.parse('v2')];
const FAILURE = { class: 'transient', code: 'Unreachable', message: 'no answer', mayHaveActed: true } as const;
const LEAF = aLeaf({ serialNumber: '0B', authorityKeyId: '00', notAfter: NOON + 80 * DAY_MS });

const after = (record: CertificateRecord, ...happenings: readonly Happening[]): CertificateRecord =>
  happenings.reduce((state, happening) => apply(state, happening, BY), record);

const DECLARED = declare(SPEC, BY);
const inUse = { version: FIRST, issuerRef: ISSUER.ref, leaf: aLeaf(), specDigest: '', issuedAt: NOON };
const ISSUED: CertificateRecord = {
  ...DECLARED,
  generation: 7,
  current: { ...inUse, secretName: SPEC.secretName },
};
const PROMOTION: readonly Happening[] = [
  { event: 'AttemptStarted', attempt: ATTEMPT, reason: 'RenewalWindowReached' },
  { event: 'OrderIntended', csr: 'csr', notAfter: NOON + 90 * DAY_MS },
  { event: 'VersionStored', version: SECOND, ref: 'arn', leaf: LEAF },
  { event: 'VersionPromoted' },
];

describe('a promotion is told', () => {
  const detail = {
    schemaVersion: '1',
    certificate: SPEC.id,
    generation: 8,
    issuerRef: ISSUER.ref,
    labels: { team: 'shop' },
    dnsNames: SPEC.dnsNames,
    serialNumber: '0B',
    sha256Fingerprint: LEAF.sha256Fingerprint,
    notBefore: NOON,
    notAfter: NOON + 80 * DAY_MS,
    store: { kind: 'SecretsManager', ref: 'arn', version: SECOND, previousVersion: FIRST },
    attempt: ATTEMPT,
    reason: 'RenewalWindowReached',
  };

  it('with all that a consumer needs to find it and to know it again', () => {
    expect(after(ISSUED, ...PROMOTION).outbox).toStrictEqual([{ type: 'Certificate Rotated', detail }]);
  });

  it.each<[string, CertificateRecord, number]>([
    ['was none', DECLARED, 1],
    ['rests in another secret', { ...ISSUED, current: { ...inUse, secretName: 'former-tls' } }, 8],
  ])('without a version before it where that %s', (_what, record, generation) => {
    const { previousVersion: _none, ...store } = detail.store;
    expect(after(record, ...PROMOTION).outbox).toStrictEqual([
      { type: 'Certificate Rotated', detail: { ...detail, generation, store } },
    ]);
  });
});

describe('a version that is tried again is told', () => {
  const version: CertificateRecord['current'] = {
    ...inUse,
    version: SECOND,
    leaf: LEAF,
    secretName: SPEC.secretName,
    issuerRef: { ...ISSUER.ref, name: 'former' },
  };
  const held = { version, since: NOON, issueAt: NOON + DAY_MS, cause: 'NotServed: it is not' };
  const again: Happening = { event: 'PromotedAgain', version: SECOND, ref: 'arn' };
  const detail = {
    schemaVersion: '1',
    certificate: SPEC.id,
    generation: 8,
    issuerRef: version.issuerRef,
    labels: { team: 'shop' },
    dnsNames: SPEC.dnsNames,
    serialNumber: '0B',
    sha256Fingerprint: LEAF.sha256Fingerprint,
    notBefore: NOON,
    notAfter: NOON + 80 * DAY_MS,
    store: { kind: 'SecretsManager', ref: 'arn', version: SECOND, previousVersion: FIRST },
    reason: 'DeploymentRetried',
  };

  it('as a rotation is, but with no attempt', () => {
    expect(after({ ...ISSUED, held }, again).outbox).toStrictEqual([{ type: 'Certificate Rotated', detail }]);
  });

  it('without a version before it where that rests in another secret', () => {
    const elsewhere = { ...held, version: { ...version, secretName: 'former-tls' } };
    const { previousVersion: _none, ...store } = detail.store;
    expect(after({ ...ISSUED, held: elsewhere }, again).outbox).toStrictEqual([
      { type: 'Certificate Rotated', detail: { ...detail, store } },
    ]);
  });
});

describe('a revocation is told', () => {
  const asked = (): CertificateRecord =>
    after(
      ISSUED,
      { event: 'RevocationRequested', version: FIRST, reason: 'keyCompromise', by: 'a person' },
      { event: 'RevocationTried', version: FIRST },
    );
  const detail = {
    schemaVersion: '1',
    certificate: SPEC.id,
    issuerRef: ISSUER.ref,
    serialNumber: '0A0B',
    sha256Fingerprint: aLeaf().sha256Fingerprint,
    version: FIRST,
    reason: 'keyCompromise',
    requestedBy: 'a person',
  };

  it('with the leaf that has ended, and who asked for it', () => {
    expect(after(asked(), { event: 'Revoked', version: FIRST }).outbox).toStrictEqual([
      { type: 'Certificate Revoked', detail },
    ]);
  });

  it('that failed with why, and when it is tried again', () => {
    expect(after(asked(), { event: 'NotRevoked', version: FIRST, failure: FAILURE }).outbox).toStrictEqual([
      {
        type: 'Certificate Revocation Failed',
        detail: {
          ...detail,
          failure: { class: 'transient', code: 'Unreachable', message: 'no answer' },
          tries: 1,
          nextAttemptAt: NOON + MINUTE_MS,
        },
      },
    ]);
  });
});

describe('a failure is told', () => {
  const plain = {
    schemaVersion: '1',
    certificate: SPEC.id,
    generation: 0,
    issuerRef: ISSUER.ref,
    failure: { class: 'transient', code: 'Unreachable', message: 'no answer' },
    failures: 1,
    blocked: false,
    nextAttemptAt: NOON + MINUTE_MS,
  };

  it('of what was never issued, without attempt and expiry', () => {
    expect(after(DECLARED, { event: 'AttemptFailed', failure: FAILURE }).outbox).toStrictEqual([
      { type: 'Certificate Renewal Failed', detail: plain },
    ]);
  });

  it('with the attempt it happened to, and the expiry of what is in use', () => {
    const record = after(ISSUED, ...PROMOTION.slice(0, 1), { event: 'AttemptFailed', failure: FAILURE });
    expect(record.outbox).toStrictEqual([
      {
        type: 'Certificate Renewal Failed',
        detail: {
          ...plain,
          generation: 7,
          attempt: ATTEMPT,
          reason: 'RenewalWindowReached',
          notAfter: NOON + 90 * DAY_MS,
        },
      },
    ]);
  });

  it('as blocked when it is for good', () => {
    const failure = { ...FAILURE, class: 'permanent' } as const;
    expect(after(DECLARED, { event: 'AttemptFailed', failure }).outbox).toMatchObject([
      { detail: { failure: { class: 'permanent' }, blocked: true, nextAttemptAt: NOON + DAY_MS } },
    ]);
  });
});

describe('the daily cap is told', () => {
  const capped: Happening = { event: 'Deferred', until: NOON + HOUR_MS, cause: 'DailyCap' };
  const full: CertificateRecord = { ...ISSUED, orders: [1, 2, 3, 4, 5].map((hour) => NOON - hour * HOUR_MS) };

  it('as a failure that passes, when the next order may be placed', () => {
    expect(after(full, capped).outbox).toStrictEqual([
      {
        type: 'Certificate Renewal Failed',
        detail: {
          schemaVersion: '1',
          certificate: SPEC.id,
          generation: 7,
          issuerRef: ISSUER.ref,
          failure: {
            class: 'transient',
            code: 'DailyCapReached',
            message: '5 orders in 24 hours; no further one before the oldest is a day old',
          },
          failures: 1,
          blocked: false,
          nextAttemptAt: NOON + HOUR_MS,
          notAfter: NOON + 90 * DAY_MS,
        },
      },
    ]);
  });

  it('with the failures that went before it', () => {
    const failing = { ...full, failures: { count: 3, blocked: false } };
    expect(after(failing, capped).outbox).toMatchObject([{ detail: { failures: 3 } }]);
  });

  it('once, however often it is met', () => {
    expect(after(full, capped, capped).outbox).toHaveLength(1);
  });

  it('also where nothing is known of before', () => {
    const told = after({ ...full, history: [] }, capped);
    expect(told.outbox).toHaveLength(1);
    expect(told.history).toMatchObject([{ event: 'Deferred' }]);
  });

  it('and no other wait is', () => {
    expect(after(full, { ...capped, cause: 'CircuitOpen' }).outbox).toEqual([]);
  });
});

describe('what is told', () => {
  it('is read by subscribers as it was meant', () => {
    const [told] = after(ISSUED, ...PROMOTION).outbox;
    if (told === undefined) throw new Error('nothing was told');
    const detail: unknown = JSON.parse(encodeDetail(told));
    expect(parseEvent({ source: 'everleaf', 'detail-type': told.type, detail })).toEqual(told);
  });
});

import { describe, expect, it } from 'vitest';
import { attemptId, versionId } from '../../functions/core/certificate.ts';
import { decide, dueAt, dueReason } from '../../functions/core/decide.ts';
import { type CertificateRecord, versionInUse } from '../../functions/core/record.ts';
import { specDigest } from '../../functions/core/spec-change.ts';
import { DAY_MS, type Instant, MINUTE_MS } from '../../functions/core/time.ts';
import { apply, declare, type Happening } from '../../functions/core/transitions.ts';
import { aLeaf, aSpec, NOON } from '../support/builders.ts';

const OLD = versionId.parse('old');
const NEW = versionId.parse('new');

const inUse: CertificateRecord = {
  ...declare(aSpec(), { actor: 'test', at: NOON }),
  generation: 1,
  current: versionInUse(
    {
      version: OLD,
      secretName: 'orders-tls',
      issuerRef: aSpec().issuerRef,
      leaf: aLeaf(),
      specDigest: specDigest(aSpec()),
      issuedAt: NOON,
    },
    NOON,
  ),
};

const after = (record: CertificateRecord, at: Instant, ...happenings: readonly Happening[]): CertificateRecord =>
  happenings.reduce((state, happening) => apply(state, happening, { actor: 'alice', at }), record);

const REQUEST = { event: 'RevocationRequested', version: OLD, reason: 'keyCompromise', by: 'alice' } as const;
const REPLACEMENT: readonly Happening[] = [
  { event: 'AttemptStarted', attempt: attemptId.parse(crypto.randomUUID()), reason: 'RevocationRequested' },
  { event: 'OrderIntended', csr: 'csr', notAfter: NOON + 90 * DAY_MS },
  { event: 'VersionStored', version: NEW, ref: 'arn', leaf: aLeaf({ serialNumber: '0C' }) },
  { event: 'VersionPromoted' },
  { event: 'Announced' },
];
const FAILURE = { class: 'permanent', code: 'AccessDenied', message: 'no' } as const;

describe('a revocation that was asked for', () => {
  it('waits for the successor of a leaf that is in use, and asks for one', () => {
    const asked = after(inUse, NOON, REQUEST);
    expect(dueReason(asked, NOON)).toBe('RevocationRequested');
    expect(decide(asked, NOON)).toEqual({ do: 'startAttempt', reason: 'RevocationRequested' });
    const replaced = after(asked, NOON, ...REPLACEMENT);
    expect(decide(replaced, NOON)).toMatchObject({ do: 'revoke', revocation: { version: OLD, by: 'alice' } });
    expect(dueReason(replaced, NOON)).toBeUndefined();
  });

  it('is over when the CA has done it, is told, and stays with the version it is about', () => {
    const done = after(
      inUse,
      NOON,
      REQUEST,
      ...REPLACEMENT,
      { event: 'RevocationTried', version: OLD },
      { event: 'Revoked', version: OLD },
    );
    expect(done.revocations).toBeUndefined();
    expect(done.previous?.revocation).toEqual({ reason: 'keyCompromise', requestedAt: NOON, revokedAt: NOON });
    expect(done.outbox).toMatchObject([
      { type: 'Certificate Revoked', detail: { version: OLD, serialNumber: '0A0B', requestedBy: 'alice' } },
    ]);
    expect(done.history.at(-1)).toMatchObject({ event: 'Revoked', cause: 'keyCompromise', version: OLD });
  });

  it('is done at once for a leaf that is not in use any more, and for one that nothing replaces', () => {
    const replaced = after(inUse, NOON, ...REPLACEMENT, REQUEST);
    expect(decide(replaced, NOON).do).toBe('revoke');
    expect(dueReason(replaced, NOON)).toBeUndefined();
    const retired = after(inUse, NOON, { event: 'Retired' }, REQUEST);
    expect(decide(retired, NOON).do).toBe('revoke');
    expect(dueAt(retired)).toBe(NOON);
  });

  it('waits while the successor is on its way to where it is served', () => {
    const replaced = after(after(inUse, NOON, REQUEST), NOON, ...REPLACEMENT);
    const rollout = { generation: 2, hooks: [], at: NOON };
    const moving: CertificateRecord = { ...replaced, rollout: { ...rollout, state: 'underWay' } };
    expect(decide(replaced, NOON)).toMatchObject({ do: 'revoke' });
    expect(decide(moving, NOON).do).not.toBe('revoke');
    for (const state of ['deployed', 'halted', 'incomplete'] as const) {
      expect(decide({ ...moving, rollout: { ...rollout, state } }, NOON)).toMatchObject({ do: 'revoke' });
    }
  });

  it('asked for twice is asked for once', () => {
    expect(after(inUse, NOON, REQUEST, REQUEST).revocations).toHaveLength(1);
    expect(() => after(inUse, NOON, { ...REQUEST, version: NEW })).toThrow(
      'illegal transition of payments/orders: version new is not one of its last two',
    );
    const { current: _none, ...unissued } = inUse;
    expect(() => after(unissued, NOON, REQUEST)).toThrow(/version old is not one of its last two/);
  });

  it('of a leaf in use ends our patience with its successor', () => {
    const blocked = { ...inUse, waitUntil: NOON + DAY_MS, failures: { count: 4, blocked: true } };
    const asked = after(blocked, NOON, REQUEST);
    expect(decide(asked, NOON)).toEqual({ do: 'startAttempt', reason: 'RevocationRequested' });
    expect(asked.failures).toEqual({ count: 4, blocked: false });
  });

  it('of the leaf before it hurries no renewal', () => {
    const blocked = { waitUntil: NOON + DAY_MS, failures: { count: 4, blocked: true } };
    const replaced = { ...after(inUse, NOON, ...REPLACEMENT), ...blocked };
    expect(after(replaced, NOON, REQUEST)).toMatchObject(blocked);
    const { current: _lost, ...alone } = replaced;
    expect(after(alone, NOON, REQUEST)).toMatchObject(blocked);
  });

  it('is tried again with patience, told at first and at last, and given up after four weeks', () => {
    let record = after(inUse, NOON, ...REPLACEMENT, REQUEST);
    let [now, tries] = [NOON, 0];
    while (record.revocations !== undefined) {
      now = record.revocations[0]?.tryAt ?? now;
      expect(decide({ ...record, outbox: [] }, now).do).toBe('revoke');
      record = after(
        record,
        now,
        { event: 'RevocationTried', version: OLD },
        { event: 'NotRevoked', version: OLD, failure: FAILURE },
      );
      expect(record.revocations?.[0]?.tryAt ?? Infinity).toBeGreaterThanOrEqual(now + MINUTE_MS);
      tries += 1;
    }
    expect({ tries, days: Math.round((now - NOON) / DAY_MS) }).toEqual({ tries: 33, days: 29 });
    expect(record.outbox.map(({ detail }) => detail)).toMatchObject([
      { tries: 1, nextAttemptAt: NOON + MINUTE_MS },
      { tries: 33 },
    ]);
    expect(record.outbox.at(-1)?.detail).not.toHaveProperty('nextAttemptAt');
    expect(record.history.filter(({ event }) => event === 'NotRevoked')).toHaveLength(1);
    // What nobody could revoke is still nothing to go back to.
    expect(record.previous?.revocation).toMatchObject({ reason: 'keyCompromise' });
  });

  it('waits for as long as the CA asks', () => {
    const record = after(
      inUse,
      NOON,
      ...REPLACEMENT,
      REQUEST,
      { event: 'RevocationTried', version: OLD },
      { event: 'NotRevoked', version: OLD, failure: { ...FAILURE, class: 'transient', retryAfterSeconds: 7_200 } },
    );
    expect(record.revocations?.[0]?.tryAt).toBe(NOON + 120 * MINUTE_MS);
    expect(dueAt({ ...record, outbox: [] })).toBe(NOON + 120 * MINUTE_MS);
  });

  it('ends when the leaf has expired: there is nothing left to revoke', () => {
    const expired = after(
      inUse,
      NOON + 91 * DAY_MS,
      ...REPLACEMENT,
      REQUEST,
      { event: 'RevocationTried', version: OLD },
      { event: 'NotRevoked', version: OLD, failure: FAILURE },
    );
    expect(expired.revocations).toBeUndefined();
  });
});

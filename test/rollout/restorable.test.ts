import { describe, expect, it } from 'vitest';
import type { CertificateRecord } from '../../functions/core/record.ts';
import { repairMs, whyNotRestorable } from '../../functions/core/rollout/restorable.ts';
import { specDigest } from '../../functions/core/spec-change.ts';
import { DAY_MS, HOUR_MS, SECOND_MS } from '../../functions/core/time.ts';
import { declare } from '../../functions/core/transitions.ts';
import { aLeaf, aSpec, ISSUER, NOON } from '../support/builders.ts';
import { aRelease } from './simulation.ts';

const SPEC = aSpec();
const REVOCATION = { reason: 'keyCompromise', requestedAt: NOON } as const;
const version = (name: string, notAfter = NOON + 30 * DAY_MS): NonNullable<CertificateRecord['current']> => ({
  version: aRelease(Number(name.slice(1))).version,
  secretName: 'orders-tls',
  issuerRef: ISSUER.ref,
  leaf: aLeaf({ notAfter }),
  specDigest: specDigest(SPEC),
  issuedAt: NOON - 60 * DAY_MS,
});
const RECORD: CertificateRecord = {
  ...declare(SPEC, { actor: 'test', at: NOON }),
  current: version('v2'),
  previous: version('v1'),
};
const [release, fallback] = [aRelease(2), aRelease(1)];
const why = (record: CertificateRecord, both: Parameters<typeof whyNotRestorable>[1] = { release, fallback }) =>
  whyNotRestorable(record, both, NOON);

describe('the version before', () => {
  it('comes back while it is what the ledger names, and good for as long as a repair takes', () => {
    expect(why(RECORD)).toBeUndefined();
    expect(why({ ...RECORD, previous: version('v1', NOON + DAY_MS) })).toBeUndefined();
  });

  const { previous: _none, ...first } = RECORD;
  it.each<[string, CertificateRecord, Parameters<typeof whyNotRestorable>[1] | undefined, string]>([
    ['there never was one', first, undefined, 'there is no version before it'],
    ['the roll-out knows of none', RECORD, { release }, 'there is no version before it'],
    ['the ledger names another', { ...RECORD, previous: version('v7') }, undefined, 'the ledger names another version'],
    [
      'it is in another secret',
      RECORD,
      { release, fallback: { ...fallback, secretName: 'former-tls' } },
      'in another secret',
    ],
    ['it is revoked', { ...RECORD, previous: { ...version('v1'), revocation: REVOCATION } }, undefined, 'is revoked'],
    [
      'it has the key of one that is revoked',
      { ...RECORD, current: { ...version('v2'), revocation: REVOCATION } },
      { release, fallback: { ...fallback, publicKeySha256: release.publicKeySha256 } },
      'has the key of one that is revoked',
    ],
    ['it has expired', { ...RECORD, previous: version('v1', NOON) }, undefined, 'has expired'],
    [
      'it lives too short',
      { ...RECORD, previous: version('v1', NOON + DAY_MS - SECOND_MS) },
      undefined,
      'expires in 23h 59m, and a repair takes 1d',
    ],
  ])('stays away when %s', (_, record, both, because) => {
    expect(why(record, both)).toContain(because);
  });

  it('of a revoked one with a key of its own may come back', () => {
    expect(why({ ...RECORD, current: { ...version('v2'), revocation: REVOCATION } })).toBeUndefined();
  });
});

it('a repair takes a day, or a tenth of a short life', () => {
  expect(repairMs(90 * 86_400)).toBe(DAY_MS);
  expect(repairMs(10 * 86_400)).toBe(DAY_MS);
  expect(repairMs(36_000)).toBe(HOUR_MS);
});

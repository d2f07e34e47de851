import { describe, expect, it } from 'vitest';
import type { CertificateSpec } from '../../functions/core/certificate.ts';
import { canonicalJson, compareSpecs, specDigest } from '../../functions/core/spec-change.ts';
import { hookRef } from '../../functions/core/rollout/hook-spec.ts';
import { aSpec, id, ISSUER } from '../support/builders.ts';

/** With two of everything, so that an order can change. */
const FULL = aSpec({
  subject: { organizations: ['Shop'], countries: ['DE'] },
  ipAddresses: ['10.0.0.1', '10.0.0.2'],
  uris: ['spiffe://a/b', 'spiffe://a/c'],
  emailAddresses: ['a@b.example', 'c@d.example'],
  outputFormats: ['CombinedPEM', 'DER'],
  renewBefore: { seconds: 86_400 },
  labels: { team: 'shop', tier: 'one' },
  hooks: [hookRef.parse('payments/orders@0123456789ab')],
});

type Field = keyof CertificateSpec;

/** Every field, with another value; a field that is added to the spec has to be added here. */
const REISSUED: {
  readonly [F in Exclude<Field, 'id' | 'renewBefore' | 'labels' | 'hooks'>]-?: readonly CertificateSpec[F][];
} = {
  secretName: ['other-tls'],
  issuerRef: [
    { ...ISSUER.ref, group: 'other' },
    { ...ISSUER.ref, kind: 'AWSPCAIssuer' },
    { ...ISSUER.ref, name: 'other' },
    { ...ISSUER.ref, namespace: 'payments' },
  ],
  commonName: ['other.example', undefined],
  subject: [{ ...FULL.subject, countries: ['FR'] }, { ...FULL.subject, serialNumber: '1' }, {}],
  dnsNames: [['orders.internal.example'], [...FULL.dnsNames, 'more.example']],
  ipAddresses: [['10.0.0.1'], []],
  uris: [['spiffe://a/b'], []],
  emailAddresses: [['a@b.example'], []],
  privateKey: [
    { algorithm: 'ECDSA', sizeBits: 384 },
    { algorithm: 'RSA', sizeBits: 2048 },
  ],
  usages: [['digital signature'], [...FULL.usages, 'server auth']],
  durationSeconds: [FULL.durationSeconds + 1],
  outputFormats: [['DER'], undefined],
};

/** Either nothing of the certificate, or only when it is renewed. */
const KEPT: { readonly [F in 'renewBefore' | 'labels' | 'hooks']: readonly CertificateSpec[F][] } = {
  renewBefore: [{ seconds: 3_600 }, { percentage: 50 }, undefined],
  labels: [{ team: 'bank', tier: 'one' }, {}],
  hooks: [[hookRef.parse('payments/orders@ba9876543210')], undefined],
};

const changes = (table: object): [Field, CertificateSpec][] =>
  Object.entries(table as Record<Field, readonly unknown[]>).flatMap(([field, values]) =>
    values.map((value): [Field, CertificateSpec] => {
      const { [field as Field]: _former, ...rest } = FULL;
      return [field as Field, (value === undefined ? rest : { ...rest, [field]: value }) as CertificateSpec];
    }),
  );

describe('a new certificate is wanted', () => {
  it.each(changes(REISSUED))('when %s changes, to %j', (field, changed) => {
    expect(specDigest(changed)).not.toBe(specDigest(FULL));
    expect(compareSpecs(FULL, changed)).toEqual({ consequence: 'reissue', fields: [field] });
    expect(compareSpecs(changed, FULL)).toEqual({ consequence: 'reissue', fields: [field] });
  });

  it('when several fields change, which are named in the order of the alphabet', () => {
    const changed = { ...FULL, secretName: 'other-tls', commonName: 'other.example', uris: [] };
    expect(compareSpecs(FULL, changed).fields).toEqual(['commonName', 'secretName', 'uris']);
  });

  it('when a value moves from one list to another', () => {
    const digests = (['dnsNames', 'uris', 'emailAddresses', 'ipAddresses'] as const).map((field) =>
      specDigest(aSpec({ dnsNames: [], [field]: ['x'] })),
    );
    expect(new Set(digests).size).toBe(4);
  });
});

describe('the certificate in use serves on', () => {
  it.each(changes(KEPT))('when %s changes, to %j', (field, changed) => {
    expect(specDigest(changed)).toBe(specDigest(FULL));
    expect(compareSpecs(FULL, changed)).toEqual({ consequence: 'reschedule', fields: [field] });
  });

  it.each(['dnsNames', 'ipAddresses', 'uris', 'emailAddresses', 'usages', 'outputFormats'] as const)(
    'when %s are in another order',
    (field) => {
      const changed = { ...FULL, [field]: FULL[field]?.toReversed() };
      expect(changed[field]).not.toEqual(FULL[field]);
      expect(specDigest(changed)).toBe(specDigest(FULL));
      expect(compareSpecs(FULL, changed)).toEqual({ consequence: 'none', fields: [] });
    },
  );

  it('when labels and subject attributes are in another order', () => {
    const subject = Object.fromEntries(Object.entries(FULL.subject).toReversed());
    const labels = Object.fromEntries(Object.entries(FULL.labels).toReversed());
    expect(specDigest({ ...FULL, subject })).toBe(specDigest(FULL));
    expect(compareSpecs(FULL, { ...FULL, subject, labels })).toEqual({ consequence: 'none', fields: [] });
  });

  it.each<[string, Partial<CertificateSpec>, Partial<CertificateSpec>]>([
    ['output formats', { outputFormats: [] }, {}],
    [
      'subject attributes',
      { subject: { organizations: ['Shop'], countries: [] } },
      { subject: { organizations: ['Shop'] } },
    ],
  ])('when %s are asked for by an empty list or not at all', (_what, empty, absent) => {
    expect(specDigest(aSpec(empty))).toBe(specDigest(aSpec(absent)));
  });

  it('when two certificates ask for the same: whose it is means nothing', () => {
    expect(specDigest(aSpec({ id: id('payments/other') }))).toBe(specDigest(aSpec()));
  });

  it('after an upgrade of Everleaf: digests in inventories stay what they are', () => {
    expect(specDigest(aSpec())).toMatchInlineSnapshot(
      `"a76186a52b7720a9355fb0893a9d77607d78de2a2e9871b80a7c86112188b7f8"`,
    );
    expect(specDigest(FULL)).toMatchInlineSnapshot(
      `"f91d2cb8d2d2d71f002e498c5ccf472114bdf7181d3ab4c2951bfb2e43672378"`,
    );
  });
});

describe('null', () => {
  it('is a value like any other, and not what is absent', () => {
    expect(canonicalJson({ a: null, b: [null] })).toBe('{"a":null,"b":[null]}');
  });
});

describe('an empty list', () => {
  it('means what an absent one means, at any depth', () => {
    const bare = aSpec();
    const empty = aSpec({ subject: { organizations: [], countries: [] }, outputFormats: [] });
    expect(specDigest(empty)).toBe(specDigest(bare));
    expect(compareSpecs(bare, empty).consequence).toBe('none');
  });
});

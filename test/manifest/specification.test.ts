import { describe, expect, it } from 'vitest';
import type { CertificateSpec } from '../../functions/core/certificate.ts';
import { CERTIFICATE, parse } from './support.ts';

describe('defaults', () => {
  const only = (text: string): CertificateSpec | undefined => parse(text).manifest.certificates[0];

  it("are cert-manager's", () => {
    expect(only(CERTIFICATE)).toEqual({
      id: 'default/orders',
      secretName: 'orders-tls',
      issuerRef: { group: 'awspca.cert-manager.io', kind: 'AWSPCAClusterIssuer', name: 'internal' },
      subject: {},
      dnsNames: ['orders.internal.example'],
      ipAddresses: [],
      uris: [],
      emailAddresses: [],
      privateKey: { algorithm: 'RSA', sizeBits: 2048 },
      usages: ['digital signature', 'key encipherment'],
      durationSeconds: 90 * 24 * 3_600,
      labels: {},
    });
  });

  it.each([
    ['privateKey: {}', { algorithm: 'RSA', sizeBits: 2048 }],
    ['privateKey: { algorithm: ECDSA }', { algorithm: 'ECDSA', sizeBits: 256 }],
    ['privateKey: { algorithm: ECDSA, size: 0 }', { algorithm: 'ECDSA', sizeBits: 256 }],
    ['privateKey: { size: 4096 }', { algorithm: 'RSA', sizeBits: 4096 }],
  ])('fill in %s', (line, privateKey) => {
    expect(only(`${CERTIFICATE}  ${line}\n`)?.privateKey).toEqual(privateKey);
  });

  it('fill in an empty list of usages', () => {
    expect(only(`${CERTIFICATE}  usages: []\n`)?.usages).toEqual(['digital signature', 'key encipherment']);
  });
});

it('carries every honoured field into the specification', () => {
  const text = `${CERTIFICATE.replace('  name: orders', '  name: orders\n  namespace: payments\n  labels: { team: shop }')}\
  commonName: orders
  subject: { organizations: [Example], countries: [DE], serialNumber: "7" }
  ipAddresses: [10.0.0.1, "2001:DB8::0:1"]
  uris: [spiffe://example.internal/orders]
  emailAddresses: [orders@example.org]
  privateKey: { algorithm: ECDSA, size: 521 }
  usages: [client auth, client auth]
  duration: 144h
  renewBeforePercentage: 25
`;
  expect(parse(text).manifest.certificates[0]).toEqual({
    id: 'payments/orders',
    secretName: 'orders-tls',
    issuerRef: { group: 'awspca.cert-manager.io', kind: 'AWSPCAClusterIssuer', name: 'internal' },
    commonName: 'orders',
    subject: { organizations: ['Example'], countries: ['DE'], serialNumber: '7' },
    dnsNames: ['orders.internal.example'],
    ipAddresses: ['10.0.0.1', '2001:db8::1'],
    uris: ['spiffe://example.internal/orders'],
    emailAddresses: ['orders@example.org'],
    privateKey: { algorithm: 'ECDSA', sizeBits: 521 },
    usages: ['client auth'],
    durationSeconds: 144 * 3_600,
    renewBefore: { percentage: 25 },
    labels: { team: 'shop' },
  });
});

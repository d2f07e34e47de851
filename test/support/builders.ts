import {
  type CertificateId,
  certificateId,
  type CertificateSpec,
  type IssuerSpec,
  type LeafFacts,
} from '../../functions/core/certificate.ts';
import { DAY_MS, type Instant } from '../../functions/core/time.ts';

/** A fixed hour from which tests count. */
export const NOON: Instant = Date.parse('2026-06-01T12:00:00.000Z');

export const id = (text: string): CertificateId => certificateId.parse(text);

export const ISSUER: IssuerSpec = {
  ref: { group: 'awspca.cert-manager.io', kind: 'AWSPCAClusterIssuer', name: 'internal' },
  plugin: 'acm-pca',
  options: {
    certificateAuthorityArn: 'arn:aws:acm-pca:us-east-1:111122223333:certificate-authority/x',
    region: 'us-east-1',
  },
};

export function aSpec(overrides: Partial<CertificateSpec> = {}): CertificateSpec {
  return {
    id: id('payments/orders'),
    secretName: 'orders-tls',
    issuerRef: ISSUER.ref,
    commonName: 'orders.internal.example',
    subject: {},
    dnsNames: ['orders.internal.example', 'orders.payments.svc'],
    ipAddresses: [],
    uris: [],
    emailAddresses: [],
    privateKey: { algorithm: 'ECDSA', sizeBits: 256 },
    usages: ['digital signature', 'key encipherment'],
    durationSeconds: 90 * 86_400,
    labels: {},
    ...overrides,
  };
}

export function aLeaf(overrides: Partial<LeafFacts> = {}): LeafFacts {
  return {
    serialNumber: '0A0B',
    sha256Fingerprint: 'ab'.repeat(32),
    notBefore: NOON,
    notAfter: NOON + 90 * DAY_MS,
    ...overrides,
  };
}

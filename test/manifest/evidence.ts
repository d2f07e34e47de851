import type { CERTIFICATE_FIELDS } from '../../functions/core/manifest/certificate-fields.ts';
import type { ACM_PCA_FIELDS } from '../../functions/issuers/acm-pca/fields.ts';
import type { Observed } from './observations.ts';
import { ARN, CERTIFICATE } from './support.ts';

type Row = (typeof CERTIFICATE_FIELDS)[number];
type PathOf<Verdict extends Row['verdict']> = Extract<Row, { verdict: Verdict }>['path'];

/** How one honoured field shows when it is set, where it would not without. */
export interface Evidence {
  /** The sample with the field set. */
  readonly text: string;
  readonly shows?: Readonly<Partial<Record<Observed, unknown>>>;
  /** What is said, of fields that have one value which is what happens anyway: of the other one. */
  readonly codes?: readonly string[];
  /** What a deploy does to a certificate in use. */
  readonly deploy?: 'reissue' | 'reschedule' | 'another certificate';
}

const spec = (lines: string, evidence: Omit<Evidence, 'text'>): Evidence => ({
  text: `${CERTIFICATE}  ${lines}\n`,
  ...evidence,
});
const edited = (from: string, to: string, evidence: Omit<Evidence, 'text'>): Evidence => ({
  text: CERTIFICATE.replace(from, to),
  ...evidence,
});
const subject = (attribute: string, value: string, shown: string): Evidence =>
  spec(`subject: { ${attribute}: ${value} }`, { shows: { subject: shown }, deploy: 'reissue' });
const said = (lines: string, ...codes: string[]): Evidence => spec(lines, { codes });

const TWO_NAMES = (second: string): readonly string[] => ['dns orders.internal.example', second];

/** By the compiler's word none of the honoured fields is missing here. */
export const HONOURED: Readonly<Record<PathOf<'honoured'>, Evidence>> = {
  'metadata.name': edited('name: orders', 'name: ledger', {
    shows: { id: 'default/ledger' },
    deploy: 'another certificate',
  }),
  'metadata.namespace': edited('name: orders', 'name: orders\n  namespace: payments', {
    shows: { id: 'payments/orders', secret: 'Everleaf/payments/orders-tls' },
    deploy: 'another certificate',
  }),
  'metadata.labels': edited('name: orders', 'name: orders\n  labels: { team: shop }', {
    shows: { labels: { team: 'shop' } },
    deploy: 'reschedule',
  }),
  'spec.secretName': edited('orders-tls', 'other-tls', { shows: { secret: 'Everleaf/other-tls' }, deploy: 'reissue' }),
  'spec.issuerRef.name': edited('name: internal', 'name: interna', { codes: ['UnknownIssuer'] }),
  'spec.issuerRef.kind': edited('kind: AWSPCAClusterIssuer', 'kind: AWSPCAIssuer', { codes: ['UnknownIssuer'] }),
  'spec.issuerRef.group': edited('group: awspca.cert-manager.io', 'group: cert-manager.io', { codes: ['IssuerGroup'] }),
  'spec.commonName': spec('commonName: orders', { shows: { subject: 'CN=orders' }, deploy: 'reissue' }),
  'spec.subject.organizations': subject('organizations', '[A, B]', 'O=A, O=B'),
  'spec.subject.countries': subject('countries', '[DE]', 'C=DE'),
  'spec.subject.organizationalUnits': subject('organizationalUnits', '[Shop]', 'OU=Shop'),
  'spec.subject.localities': subject('localities', '[Kiel]', 'L=Kiel'),
  'spec.subject.provinces': subject('provinces', '[Holstein]', 'ST=Holstein'),
  'spec.subject.streetAddresses': subject('streetAddresses', '[Kai 1]', '2.5.4.9=Kai 1'),
  'spec.subject.postalCodes': subject('postalCodes', '["24103"]', '2.5.4.17=24103'),
  'spec.subject.serialNumber': subject('serialNumber', '"7"', '2.5.4.5=7'),
  'spec.dnsNames': edited('- orders.internal.example', '- a.example', {
    shows: { names: ['dns a.example'] },
    deploy: 'reissue',
  }),
  'spec.ipAddresses': spec('ipAddresses: [10.0.0.7]', {
    shows: { names: TWO_NAMES('ip 10.0.0.7') },
    deploy: 'reissue',
  }),
  'spec.uris': spec('uris: [spiffe://a.example/b]', {
    shows: { names: TWO_NAMES('url spiffe://a.example/b') },
    deploy: 'reissue',
  }),
  'spec.emailAddresses': spec('emailAddresses: [a@b.example]', {
    shows: { names: TWO_NAMES('email a@b.example') },
    deploy: 'reissue',
  }),
  'spec.privateKey.algorithm': spec('privateKey: { algorithm: ECDSA }', {
    shows: { key: 'ec prime256v1' },
    deploy: 'reissue',
  }),
  'spec.privateKey.size': spec('privateKey: { size: 3072 }', { shows: { key: 'rsa 3072' }, deploy: 'reissue' }),
  'spec.privateKey.rotationPolicy': said('privateKey: { rotationPolicy: Never }', 'NotSupportedYet'),
  'spec.privateKey.encoding': said('privateKey: { encoding: PKCS1 }', 'NoMeaningHere'),
  'spec.usages': spec('usages: [digital signature, client auth]', {
    shows: { usages: { bits: 1, purposes: ['1.3.6.1.5.5.7.3.2'] } },
    deploy: 'reissue',
  }),
  'spec.duration': spec('duration: 24h', { shows: { lifetimeHours: 24, renewedAfterHours: 12 }, deploy: 'reissue' }),
  'spec.renewBefore': spec('renewBefore: 160h', { shows: { renewedAfterHours: 2_000 }, deploy: 'reschedule' }),
  'spec.renewBeforePercentage': spec('renewBeforePercentage: 10', {
    shows: { renewedAfterHours: 1_944 },
    deploy: 'reschedule',
  }),
  'spec.additionalOutputFormats[].type': spec('additionalOutputFormats: [{ type: CombinedPEM }, { type: DER }]', {
    shows: { bundle: ['tls.crt', 'tls.key', 'ca.crt', 'tls-combined.pem', 'key.der', 'everleaf'] },
    deploy: 'reissue',
  }),
  'spec.signatureAlgorithm': said('signatureAlgorithm: SHA384WithRSA', 'NotSupportedYet'),
  'spec.isCA': said('isCA: true', 'NotSupportedYet'),
};

const DOCUMENT = (from: string, to: string): string => CERTIFICATE.replace(from, to);

/** How each declined field looks, to be found and named. */
export const DECLINED: Readonly<Record<PathOf<'warned' | 'refused'>, string>> = {
  'metadata.annotations.cert-manager.io/issue-temporary-certificate': DOCUMENT(
    'name: orders',
    'name: orders\n  annotations: { cert-manager.io/issue-temporary-certificate: "true" }',
  ),
  'metadata.generateName': DOCUMENT('name: orders', 'generateName: orders-'),
  'spec.literalSubject': `${CERTIFICATE}  literalSubject: CN=orders\n`,
  'spec.otherNames': `${CERTIFICATE}  otherNames: [{ oid: 1.3.6.1.4.1.311.20.2.3, utf8Value: a@b.example }]\n`,
  'spec.keystores': `${CERTIFICATE}  keystores: { jks: { create: true, passwordSecretRef: { name: a } } }\n`,
  'spec.secretTemplate': `${CERTIFICATE}  secretTemplate: { labels: { a: b } }\n`,
  'spec.nameConstraints': `${CERTIFICATE}  nameConstraints: { permitted: { dnsDomains: [example] } }\n`,
  'spec.encodeUsagesInRequest': `${CERTIFICATE}  encodeUsagesInRequest: false\n`,
  'spec.revisionHistoryLimit': `${CERTIFICATE}  revisionHistoryLimit: 3\n`,
  'spec.renewal': `${CERTIFICATE}  renewal: { policy: Disabled }\n`,
};

/** The last issuer in the order of their names. */
export const ISSUER = `apiVersion: awspca.cert-manager.io/v1beta1
kind: AWSPCAIssuer
metadata: { name: zz, namespace: zz }
spec: { arn: ${ARN} }
`;

type IssuerPath = Extract<(typeof ACM_PCA_FIELDS)[number], { verdict: 'honoured' }>['path'];

const OTHER_CA = ARN.replace('us-east-1', 'eu-west-1');
const issuer = (from: string, to: string, becomes: object) => ({ text: ISSUER.replace(from, to), becomes });

export const HONOURED_ISSUER: Readonly<Record<IssuerPath, { readonly text: string; readonly becomes: object }>> = {
  'metadata.name': issuer('name: zz', 'name: zzz', { ref: { name: 'zzz' } }),
  'metadata.namespace': issuer('namespace: zz', 'namespace: zzz', { ref: { namespace: 'zzz' } }),
  'metadata.annotations.everleaf.dev/order-limit': issuer(
    'metadata: {',
    'metadata: { annotations: { everleaf.dev/order-limit: 300/3h },',
    { orderLimit: { orders: 300, perSeconds: 10_800 } },
  ),
  'spec.arn': issuer(ARN, OTHER_CA, { options: { certificateAuthorityArn: OTHER_CA, region: 'eu-west-1' } }),
  // Refused, and so not there: the last one is then the sound one beside it.
  'spec.region': issuer('arn:', 'region: eu-west-1, arn:', { ref: { name: 'short-lived' } }),
  'spec.role': issuer('arn:', 'role: arn:aws:iam::444455556666:role/x, arn:', {
    options: { role: 'arn:aws:iam::444455556666:role/x' },
  }),
};

import { readFileSync } from 'node:fs';
import type { IssuerSpec } from '../../functions/core/certificate.ts';
import { splitCertificates } from '../../functions/core/x509/pem.ts';
import type { ISSUER_FIELDS } from '../../tools/manifest-fields.ts';
import { ACME_ISSUER, parse } from './support.ts';

type Row = (typeof ISSUER_FIELDS)[number];
type PathOf<Verdict extends Row['verdict']> = Extract<Row, { verdict: Verdict }>['path'];

/** How one honoured field shows when it is set: in what the issuer becomes, or in what is said of another value. */
interface Evidence {
  readonly text: string;
  readonly becomes?: object;
  readonly codes?: readonly string[];
}

/** The one Issuer in a file, everything that is said of it, and the lines that it is said of. */
export function readAcme(text: string): {
  readonly issuer: IssuerSpec | undefined;
  readonly codes: readonly string[];
  readonly lines: readonly string[];
} {
  const { manifest, findings } = parse(text);
  return {
    issuer: manifest.issuers.find(({ ref }) => ref.group === 'cert-manager.io'),
    codes: findings.map(({ code }) => code),
    lines: findings.map(({ line }) => text.split('\n')[line - 1] ?? ''),
  };
}

const edited = (from: string, to: string, evidence: Omit<Evidence, 'text'>): Evidence => ({
  text: ACME_ISSUER.replace(from, to),
  ...evidence,
});
const options = (line: string, becomes: object): Evidence => ({
  text: `${ACME_ISSUER}    ${line}\n`,
  becomes: { options: becomes },
});
const annotated = (annotation: string, becomes: object): Evidence =>
  edited('name: letsencrypt', `name: letsencrypt\n  annotations: { everleaf.dev/${annotation} }`, {
    becomes: { options: becomes },
  });
const solver = (from: string, to: string, becomes: object): Evidence =>
  edited(from, to, { becomes: { options: { solvers: [becomes] } } });
const binding = (from: string, to: string, evidence: Omit<Evidence, 'text'>): Evidence => ({
  text: `${ACME_ISSUER}    externalAccountBinding: ${'{ keyID: a, keySecretRef: { name: eab, key: hmac } }'.replace(from, to)}\n`,
  ...evidence,
});

/** One root, in PEM and as `caBundle` has it. */
export const ROOT = splitCertificates(readFileSync('examples/acme/roots.pem', 'utf8'))[0] ?? '';
export const ROOT_IN_BASE64 = Buffer.from(ROOT).toString('base64');

const ROLE = 'arn:aws:iam::444455556666:role/write-dns';

/** By the compiler's word none of the honoured fields is missing here. */
export const HONOURED_ACME: Readonly<Record<PathOf<'honoured'>, Evidence>> = {
  'metadata.name': edited('name: letsencrypt', 'name: staging', { becomes: { ref: { name: 'staging' } } }),
  'metadata.namespace': edited('name: letsencrypt', 'name: letsencrypt\n  namespace: shop', {
    becomes: { ref: { namespace: 'shop' }, options: { accountKey: { namespace: 'shop' } } },
  }),
  'metadata.annotations.everleaf.dev/order-limit': edited(
    'name: letsencrypt',
    'name: letsencrypt\n  annotations: { everleaf.dev/order-limit: 300/3h }',
    { becomes: { orderLimit: { orders: 300, perSeconds: 10_800 } } },
  ),
  'metadata.annotations.everleaf.dev/trust-anchors': annotated('trust-anchors: public', { trustAnchors: 'public' }),
  'metadata.annotations.everleaf.dev/acme-hosts': annotated('acme-hosts: "a.example, b.example:14000"', {
    hosts: ['a.example', 'b.example:14000'],
  }),
  'spec.acme.server': edited('acme-v02', 'acme-staging-v02', {
    becomes: { options: { server: 'https://acme-staging-v02.api.letsencrypt.org/directory' } },
  }),
  'spec.acme.email': options('email: pki@example.org', { email: 'pki@example.org' }),
  'spec.acme.privateKeySecretRef.name': edited('letsencrypt-account', 'other', {
    becomes: { options: { accountKey: { name: 'other', key: 'tls.key' } } },
  }),
  'spec.acme.privateKeySecretRef.key': edited('letsencrypt-account', 'other, key: account.key', {
    becomes: { options: { accountKey: { name: 'other', key: 'account.key' } } },
  }),
  'spec.acme.disableAccountKeyGeneration': options('disableAccountKeyGeneration: true', { makesAccountKey: false }),
  'spec.acme.externalAccountBinding.keyID': binding('keyID: a', 'keyID: b', {
    becomes: { options: { externalAccountBinding: { keyId: 'b' } } },
  }),
  'spec.acme.externalAccountBinding.keySecretRef.name': binding('name: eab', 'name: other', {
    becomes: { options: { externalAccountBinding: { secret: { namespace: 'default', name: 'other', key: 'hmac' } } } },
  }),
  'spec.acme.externalAccountBinding.keySecretRef.key': binding('key: hmac', 'key: other', {
    becomes: { options: { externalAccountBinding: { secret: { key: 'other' } } } },
  }),
  'spec.acme.externalAccountBinding.keyAlgorithm': binding('keyID: a', 'keyAlgorithm: HS512, keyID: a', {
    codes: ['NoMeaningHere'],
  }),
  'spec.acme.caBundle': options(`caBundle: ${ROOT_IN_BASE64}`, { caBundle: ROOT }),
  'spec.acme.skipTLSVerify': { text: `${ACME_ISSUER}    skipTLSVerify: true\n`, codes: ['InsecureTls'] },
  'spec.acme.preferredChain': options('preferredChain: ISRG Root X2', { preferredChain: 'ISRG Root X2' }),
  'spec.acme.profile': options('profile: shortlived', { profile: 'shortlived' }),
  'spec.acme.enableDurationFeature': options('enableDurationFeature: true', { sendsNotAfter: true }),
  'spec.acme.solvers[].selector.dnsNames': solver('[{', '[{ selector: { dnsNames: ["*.A.example"] },', {
    dnsNames: ['*.a.example'],
  }),
  'spec.acme.solvers[].selector.dnsZones': solver('[{', '[{ selector: { dnsZones: [Example.org.] },', {
    dnsZones: ['example.org'],
  }),
  'spec.acme.solvers[].selector.matchLabels': solver('[{', '[{ selector: { matchLabels: { team: shop } },', {
    matchLabels: { team: 'shop' },
  }),
  'spec.acme.solvers[].dns01.cnameStrategy': solver('dns01: {', 'dns01: { cnameStrategy: Follow,', {
    options: { followsCnames: true },
  }),
  'spec.acme.solvers[].dns01.route53.hostedZoneID': solver('route53: {', 'route53: { hostedZoneID: /hostedzone/Z2AB', {
    options: { writer: 'route53', options: { hostedZoneId: 'Z2AB' } },
  }),
  'spec.acme.solvers[].dns01.route53.role': solver('route53: {', `route53: { role: "${ROLE}"`, {
    options: { options: { role: ROLE } },
  }),
  'spec.acme.solvers[].dns01.route53.region': solver('route53: {', 'route53: { region: eu-west-1', {
    options: { options: { region: 'eu-west-1' } },
  }),
};

const type = (field: string): string => `${ACME_ISSUER.slice(0, ACME_ISSUER.indexOf('  acme:'))}  ${field}: {}\n`;
const service = (field: string): string => ACME_ISSUER.replace('route53: {}', `${field}: {}`);
const route53 = (field: string): string => ACME_ISSUER.replace('route53: {', `route53: { ${field}`);

/** How each declined field looks, to be found and named. */
export const DECLINED_ACME: Readonly<Record<PathOf<'warned' | 'refused'>, string>> = {
  'spec.ca': type('ca'),
  'spec.selfSigned': type('selfSigned'),
  'spec.vault': type('vault'),
  'spec.venafi': type('venafi'),
  'spec.acme.solvers[].http01': ACME_ISSUER.replace('dns01: { route53', 'http01: { ingress'),
  'spec.acme.solvers[].waitInsteadOfSelfCheck': ACME_ISSUER.replace('{ dns01', '{ waitInsteadOfSelfCheck: 30s, dns01'),
  'spec.acme.solvers[].dns01.acmeDNS': service('acmeDNS'),
  'spec.acme.solvers[].dns01.akamai': service('akamai'),
  'spec.acme.solvers[].dns01.azureDNS': service('azureDNS'),
  'spec.acme.solvers[].dns01.cloudDNS': service('cloudDNS'),
  'spec.acme.solvers[].dns01.cloudflare': service('cloudflare'),
  'spec.acme.solvers[].dns01.digitalocean': service('digitalocean'),
  'spec.acme.solvers[].dns01.rfc2136': service('rfc2136'),
  'spec.acme.solvers[].dns01.webhook': service('webhook'),
  'spec.acme.solvers[].dns01.route53.accessKeyID': route53('accessKeyID: AKIAEXAMPLE'),
  'spec.acme.solvers[].dns01.route53.accessKeyIDSecretRef': route53('accessKeyIDSecretRef: { name: aws, key: id }'),
  'spec.acme.solvers[].dns01.route53.secretAccessKeySecretRef': route53('secretAccessKeySecretRef: { name: aws }'),
  'spec.acme.solvers[].dns01.route53.auth': route53('auth: { kubernetes: { serviceAccountRef: { name: a } } }'),
};

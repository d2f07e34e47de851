import { describe, expect, it } from 'vitest';
import type { IssuerKind } from '../../functions/core/manifest/index.ts';
import { parseManifest } from '../../functions/core/manifest/index.ts';
import type { ChallengePlugin } from '../../functions/core/ports.ts';
import { dns01 } from '../../functions/challenges/dns-01/plugin.ts';
import { route53 } from '../../functions/dns/route53/plugin.ts';
import { acme } from '../../functions/issuers/acme/plugin.ts';
import { ACME_ISSUER, CERTIFICATE, NAMELESS, parse, places } from './support.ts';

const referring = (text: string): string => text.replace(/issuerRef: .*/, 'issuerRef: { name: letsencrypt }');
const ORDERS = referring(CERTIFICATE);
const SELECTIVE = ACME_ISSUER.replace(
  /solvers: .*/,
  `solvers:
      - selector: { dnsZones: [example.org], matchLabels: { team: shop } }
        dns01: { route53: {} }
      - selector: { dnsNames: [a.example, b.example] }
        dns01: { route53: {} }`,
);

const beside = (certificate: string, issuer: string) => parse(certificate, { path: 'b.yaml', text: issuer });

describe('a certificate from an ACME CA', () => {
  it('as the tutorial of cert-manager has it is accepted without a word', () => {
    const certificate = `apiVersion: cert-manager.io/v1
kind: Certificate
metadata:
  name: example-com
spec:
  secretName: example-com-tls
  issuerRef:
    name: letsencrypt-staging
    kind: Issuer
  commonName: example.com
  dnsNames:
    - example.com
    - www.example.com
`;
    const issuer = `apiVersion: cert-manager.io/v1
kind: Issuer
metadata:
  name: letsencrypt-staging
spec:
  acme:
    email: user@example.com
    server: https://acme-staging-v02.api.letsencrypt.org/directory
    privateKeySecretRef:
      name: example-issuer-account-key
    solvers:
      - dns01:
          route53:
            region: us-east-1
`;
    const parsed = beside(certificate, issuer);
    expect(places(parsed)).toEqual([]);
    expect(parsed.manifest.certificates[0]?.issuerRef).toEqual({
      group: 'cert-manager.io',
      kind: 'Issuer',
      name: 'letsencrypt-staging',
      namespace: 'default',
    });
  });

  it.each([
    ['a URI', `${ORDERS}  uris: [spiffe://a.example/b]\n`, '10:3 error IssuerCannotSign'],
    ['a mailbox', `${ORDERS}  emailAddresses: [a@b.example]\n`, '10:3 error IssuerCannotSign'],
    ['an address', `${ORDERS}  ipAddresses: [10.0.0.7]\n`, '10:17 error IssuerCannotSign'],
    [
      'a common name that is no DNS name of it',
      `${ORDERS}  commonName: other.example\n`,
      '10:15 error IssuerCannotSign',
    ],
    ['a common name and no DNS name', `${referring(NAMELESS)}  commonName: a.example\n`, '5:1 error IssuerCannotSign'],
    ['e-mail protection', `${ORDERS}  usages: [digital signature, email protection]\n`, '10:31 error IssuerCannotSign'],
    ['the signing of certificates', `${ORDERS}  usages: [cert sign]\n`, '10:12 error IssuerCannotSign'],
    ['client authentication', `${ORDERS}  usages: [server auth, client auth]\n`, '10:25 warning UsageLeftOut'],
    ['a subject', `${ORDERS}  subject: { organizations: [Example] }\n`, '10:3 warning SubjectLeftOut'],
  ])('with %s is told so', (_, text, finding) => {
    const parsed = beside(text, ACME_ISSUER);
    expect(places(parsed)).toEqual([finding]);
    expect(parsed.manifest.certificates).toHaveLength(finding.includes('warning') ? 1 : 0);
  });

  it.each([
    ['a wildcard', '  dnsNames: ["*.a.example"]\n'],
    ['a common name in another case', '  dnsNames: [a.example]\n  commonName: A.example\n'],
    [
      'the usages of a server',
      '  dnsNames: [a.example]\n  usages: [signing, key encipherment, key agreement, server auth]\n',
    ],
    ['an empty subject', '  dnsNames: [a.example]\n  subject: { organizations: [] }\n'],
  ])('with %s is fine', (_, lines) => {
    expect(places(beside(referring(NAMELESS) + lines, ACME_ISSUER))).toEqual([]);
  });
});

describe('a name', () => {
  const labelled = ORDERS.replace('name: orders', 'name: orders\n  labels: { team: shop }');

  it('that no solver is for is told at its place, with what the solvers are for', () => {
    const parsed = beside(`${referring(NAMELESS)}  dnsNames: [a.example, c.example]\n`, SELECTIVE);
    expect(places(parsed)).toEqual(['8:25 error IssuerCannotSign']);
    expect(parsed.findings[0]?.message).toBe(
      'No solver of this issuer is for "c.example". Those there are want dnsZones example.org and matchLabels team=shop; dnsNames a.example, b.example.',
    );
  });

  it('has a solver by zone and labels only where the certificate has the labels', () => {
    const names = (text: string) => text.replace('orders.internal.example', 'www.example.org');
    expect(places(beside(names(labelled), SELECTIVE))).toEqual([]);
    expect(places(beside(names(ORDERS), SELECTIVE))).toEqual(['9:7 error IssuerCannotSign']);
  });

  it('needs no solver where the issuer has none: its CA has approved it beforehand', () => {
    const text = beside(ORDERS, ACME_ISSUER.replace(/ +solvers: .*\n/, ''));
    expect(places(text)).toEqual(['b.yaml:6:3 warning NoSolvers']);
    expect(text.manifest.certificates).toHaveLength(1);
  });

  it('that is a wildcard or an address is as provable as the solvers say', () => {
    const proving = (...proven: string[]): readonly IssuerKind[] => {
      const challenge: ChallengePlugin<unknown> = { ...dns01([route53]), proves: (name) => proven.includes(name) };
      return [acme([challenge])];
    };
    const text = `${referring(NAMELESS)}  dnsNames: ["*.a.example", a.example]\n  ipAddresses: [10.0.0.7]\n---\n${ACME_ISSUER}`;
    const said = (...proven: string[]) => places(parseManifest([{ path: 'a.yaml', text }], proving(...proven)));
    expect(said('dns')).toEqual(['8:14 error IssuerCannotSign', '9:17 error IssuerCannotSign']);
    expect(said('dns', 'wildcard')).toEqual(['9:17 error IssuerCannotSign']);
    expect(said('dns', 'wildcard', 'ip')).toEqual([]);
    const unused: ChallengePlugin<unknown> = { ...dns01([route53]), field: 'unused', proves: () => true };
    const beside = parseManifest([{ path: 'a.yaml', text }], [acme([dns01([route53]), unused])]);
    expect(places(beside)).toEqual(['9:17 error IssuerCannotSign']);
  });
});

describe("an issuer's secret", () => {
  const issuer = `${ACME_ISSUER}    externalAccountBinding: { keyID: a, keySecretRef: { name: eab, key: hmac } }\n`;
  const owning = (secret: string, namespace = 'default') =>
    ORDERS.replace('orders-tls', secret).replace('name: orders', `name: orders\n  namespace: ${namespace}`);
  const cluster = issuer.replace('kind: Issuer', 'kind: ClusterIssuer');
  const elsewhere = issuer.replace('name: letsencrypt', 'name: letsencrypt\n  namespace: shop');

  it.each([
    ['its account key', owning('letsencrypt-account'), issuer, ['7:15 error SharedSecret']],
    ["its customer's key", owning('eab'), issuer, ['7:15 error SharedSecret']],
    [
      'that of a ClusterIssuer, in no namespace',
      owning('eab').replace('{ name: letsencrypt }', '{ name: letsencrypt, kind: ClusterIssuer }'),
      cluster,
      ['7:15 error SharedSecret'],
    ],
    ['the same name in another namespace', owning('eab', 'shop'), elsewhere, ['7:15 error SharedSecret']],
  ])("cannot be a certificate's, too: %s", (_, certificate, issuers, findings) => {
    const parsed = beside(certificate, issuers);
    expect(places(parsed)).toEqual(findings);
    expect(parsed.findings[0]?.message).toMatch(/ at b\.yaml:\d+:\d+\.$/);
    expect(parsed.manifest.certificates).toEqual([]);
  });

  it.each([
    [
      'another namespace',
      owning('eab', 'shop').replace('{ name: letsencrypt }', '{ name: letsencrypt, kind: ClusterIssuer }'),
      cluster,
    ],
    [
      'another issuer that shares the account',
      ORDERS,
      `${issuer}---\n${issuer.replace('name: letsencrypt\n', 'name: second\n')}`,
    ],
  ])('may have its name in %s', (_, certificate, issuers) => {
    expect(places(beside(certificate, issuers))).toEqual([]);
  });
});

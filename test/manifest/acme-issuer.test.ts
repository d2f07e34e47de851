import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { AcmeOptions } from '../../functions/issuers/acme/options.ts';
import { ROOT, ROOT_IN_BASE64 } from './evidence-acme.ts';
import { ACME_ISSUER, parse, places } from './support.ts';

const SERVER = 'https://acme-v02.api.letsencrypt.org/directory';
const with_ = (...lines: string[]): string => `${ACME_ISSUER}${lines.map((line) => `    ${line}\n`).join('')}`;
const serving = (url: string): string => ACME_ISSUER.replace(SERVER, `"${url}"`);
const solving = (...solvers: string[]): string =>
  ACME_ISSUER.replace(/solvers: .*/, `solvers: [${solvers.join(', ')}]`);
const optionsOf = (text: string): AcmeOptions | undefined =>
  parse(text).manifest.issuers.find(({ plugin }) => plugin === 'acme')?.options as AcmeOptions | undefined;

it('an Issuer with all that ACME needs comes to its options, defaults filled in', () => {
  expect(places(parse(ACME_ISSUER))).toEqual([]);
  expect(parse(ACME_ISSUER).manifest.issuers.at(-1)).toEqual({
    ref: { group: 'cert-manager.io', kind: 'Issuer', name: 'letsencrypt', namespace: 'default' },
    plugin: 'acme',
    options: {
      server: SERVER,
      hosts: [],
      accountKey: { namespace: 'default', name: 'letsencrypt-account', key: 'tls.key' },
      makesAccountKey: true,
      sendsNotAfter: false,
      trustAnchors: 'topOfChain',
      solvers: [
        {
          matchLabels: {},
          dnsNames: [],
          dnsZones: [],
          challenge: 'dns01',
          options: { followsCnames: false, writer: 'route53', options: {} },
        },
      ],
    },
  });
});

it('a ClusterIssuer and its secrets belong to no namespace', () => {
  const text = with_('externalAccountBinding: { keyID: a, keySecretRef: { name: eab, key: hmac } }');
  const cluster = parse(text.replace('kind: Issuer', 'kind: ClusterIssuer')).manifest.issuers.at(-1);
  expect(cluster?.ref).toEqual({ group: 'cert-manager.io', kind: 'ClusterIssuer', name: 'letsencrypt' });
  expect(cluster?.options).toMatchObject({
    accountKey: { namespace: undefined },
    externalAccountBinding: { keyId: 'a', secret: { namespace: undefined, name: 'eab', key: 'hmac' } },
  });
});

it('fields that Go writes when they are empty are as good as left out', () => {
  const text = with_('email: ""', 'preferredChain: ""', 'profile: ""', 'caBundle: ""', 'skipTLSVerify: false')
    .replace('letsencrypt-account }', 'letsencrypt-account, key: "" }')
    .replace(
      'route53: {}',
      'route53: { region: "", hostedZoneID: "", role: "", secretAccessKeySecretRef: { name: "" }, auth: {} }',
    );
  expect(places(parse(text))).toEqual([]);
  expect(optionsOf(text)).toEqual(optionsOf(ACME_ISSUER));
});

describe('the server', () => {
  it.each([
    ['http://acme.example.org/directory', '7:13 error InsecureUrl'],
    ['ftp://acme.example.org/directory', '7:13 error InvalidUrl'],
    ['acme.example.org/directory', '7:13 error InvalidUrl'],
    ['', '7:13 error InvalidUrl'],
    ['https://acme.example.org/directory#new', '7:13 error InvalidUrl'],
    ['https://user:canary@acme.example.org/directory', '7:5 error CredentialsInUrl'],
    ['https://canary@acme.example.org/directory', '7:5 error CredentialsInUrl'],
    ['https://169.254.169.254/latest/meta-data', '7:13 error ForbiddenHost'],
    ['https://169.254.170.2:443/', '7:13 error ForbiddenHost'],
    ['https://2852039166/', '7:13 error ForbiddenHost'],
    ['https://0xa9.0xfe.0xa9.0xfe/', '7:13 error ForbiddenHost'],
    ['https://[fe80::1]/', '7:13 error ForbiddenHost'],
    ['https://[FEBF:0:0::1]/', '7:13 error ForbiddenHost'],
    ['https://[fd00:ec2::254]/', '7:13 error ForbiddenHost'],
    ['https://[::ffff:169.254.169.254]/', '7:13 error ForbiddenHost'],
    ['https://0.0.0.0/', '7:13 error ForbiddenHost'],
    ['https://[::]/', '7:13 error ForbiddenHost'],
  ])('%s is refused', (url, finding) => {
    const { findings } = parse(serving(url));
    expect(places(parse(serving(url)))).toEqual([finding]);
    expect(JSON.stringify(findings)).not.toContain('canary');
  });

  it.each([
    ['https://ACME.example.org:443/directory', 'https://acme.example.org/directory'],
    ['https://127.0.0.1:14000/dir', 'https://127.0.0.1:14000/dir'],
    ['https://[fd00:ec2::1]/dir?ca=1', 'https://[fd00:ec2::1]/dir?ca=1'],
    ['https://169.254.example.org/', 'https://169.254.example.org/'],
  ])('%s is taken as %s', (url, server) => {
    expect(optionsOf(serving(url))?.server).toBe(server);
  });
});

describe('TLS to the server', () => {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

  it('is never without verification', () => {
    expect(places(parse(with_('skipTLSVerify: true')))).toEqual(['10:20 error InsecureTls']);
  });

  it.each([
    ['PEM itself', ROOT.replaceAll('\n', '\\n'), 'is PEM, and not base64 of it.'],
    ['no base64', 'not-base64!', 'is not base64.'],
    ['base64 that is cut off', ROOT_IN_BASE64.slice(0, -3), 'is not base64.'],
    ['base64 of something else', base64('hello'), 'holds no certificate.'],
    ['a private key beside the root', base64(`${ROOT}${key}`), 'holds a private key.'],
    [
      'PEM with something else in it',
      base64(ROOT.replace('MII', '***')),
      'holds a certificate that is not PEM all through.',
    ],
    [
      'a certificate that is none',
      base64(ROOT.replace(/MII.*/, 'AAAA')),
      'holds a certificate that cannot be read (certificate 1).',
    ],
    ['too many', base64(ROOT.repeat(51)), 'holds 51 certificates; 50 is the most.'],
  ])('cannot be verified by a caBundle that is %s', (_, bundle, message) => {
    const parsed = parse(with_(`caBundle: "${bundle}"`));
    expect(places(parsed)).toEqual(['10:5 error InvalidBundle']);
    expect(parsed.findings[0]?.message).toBe(`\`caBundle\` ${message}`);
    expect(JSON.stringify(parsed.findings)).not.toContain(bundle.slice(0, 40).padEnd(40, '?'));
  });

  it('is verified by certificates in base64 of any layout, each one once', () => {
    const wrapped = base64(`# the root\n${ROOT}${ROOT}`).replaceAll(/.{76}/g, '$&\n      ');
    expect(optionsOf(with_(`caBundle: |\n      ${wrapped}`))?.caBundle).toBe(ROOT);
  });
});

describe('the account', () => {
  const binding = (text: string): string => with_(`externalAccountBinding: ${text}`);

  it.each([
    ['an e-mail address with a name', with_('email: PKI <pki@example.org>'), '10:12 error InvalidName'],
    ['no secret', ACME_ISSUER.replace(/privateKeySecretRef.*/, 'email: a@example.org'), '6:3 error MissingField'],
    ['no name of a secret', ACME_ISSUER.replace('name: letsencrypt-account', 'key: a'), '8:5 error MissingField'],
    ['a slash in the name', ACME_ISSUER.replace('letsencrypt-account', 'a/b'), '8:34 error InvalidName'],
    ['a field that is none', ACME_ISSUER.replace('letsencrypt-account', 'a, key: b/c'), '8:42 error InvalidName'],
    ['a field of ours', ACME_ISSUER.replace('letsencrypt-account', 'a, key: everleaf.x'), '8:42 error InvalidName'],
    ['a binding without key', binding('{ keyID: a }'), '10:5 error MissingField'],
    ['a binding without field', binding('{ keyID: a, keySecretRef: { name: b } }'), '10:41 error MissingField'],
    ['a binding without id', binding('{ keyID: "", keySecretRef: { name: b, key: c } }'), '10:38 error MissingField'],
    [
      'one secret for both',
      binding('{ keyID: a, keySecretRef: { name: letsencrypt-account, key: c } }'),
      '10:63 error SharedSecret',
    ],
    [
      'an algorithm that is none',
      binding('{ keyID: a, keyAlgorithm: RS256, keySecretRef: { name: b, key: c } }'),
      '10:55 error UnknownValue',
    ],
  ])('with %s is refused', (_, text, finding) => {
    expect(places(parse(text))).toEqual([finding]);
    expect(optionsOf(text)).toBeUndefined();
  });
});

describe('solvers', () => {
  const ROUTE53 = 'dns01: { route53: {} }';

  it('may be missing, with a warning: some CAs approve names beforehand', () => {
    for (const text of [ACME_ISSUER.replace(/ +solvers.*\n/, ''), solving()]) {
      expect(places(parse(text))).toEqual(['6:3 warning NoSolvers']);
      expect(optionsOf(text)?.solvers).toEqual([]);
    }
  });

  it.each([
    ['without a challenge', '{}', '9:15 error NoChallenge'],
    ['with two', `{ ${ROUTE53}, http01: { ingress: {} } }`, '9:41 error Exclusive'],
    ['with http-01', '{ http01: { ingress: { class: nginx } } }', '9:17 error KindNotBuilt'],
    ['without a DNS service', '{ dns01: {} }', '9:17 error NoDnsService'],
    ['with a DNS service that is not built', '{ dns01: { cloudflare: { email: a } } }', '9:26 error KindNotBuilt'],
    ['with a challenge that nobody knows', '{ dns1: {} }', '9:17 error UnknownField'],
    ['with two DNS services', '{ dns01: { route53: {}, webhook: {} } }', '9:39 error Exclusive'],
    ['with a DNS service that nobody knows', '{ dns01: { route54: {} } }', '9:26 error UnknownField'],
    ['with another CNAME strategy', '{ dns01: { cnameStrategy: Chase, route53: {} } }', '9:41 error UnknownValue'],
    ['with a name that is none', `{ selector: { dnsNames: [a_b.example] }, ${ROUTE53} }`, '9:40 error InvalidName'],
    ['with a wildcard for a zone', `{ selector: { dnsZones: ["*.a.example"] }, ${ROUTE53} }`, '9:40 error InvalidName'],
    [
      'with a zone that is a URL',
      `{ selector: { dnsZones: ["https://a.example"] }, ${ROUTE53} }`,
      '9:40 error InvalidName',
    ],
    ['with a label that is no text', `{ selector: { matchLabels: { a: 1 } }, ${ROUTE53} }`, '9:47 error WrongType'],
  ])('%s are refused', (_, solver, finding) => {
    const text = solving(solver);
    expect(places(parse(text))).toEqual([finding]);
    expect(optionsOf(text)).toBeUndefined();
  });

  it.each([
    ['a Region that is none', 'region: useast1', '9:45 error InvalidRegion'],
    ['a zone that is none', 'hostedZoneID: example.org', '9:51 error InvalidZoneId'],
    ['a role that is none', 'role: admin', '9:43 error InvalidArn'],
    ['an access key', 'accessKeyID: AKIAEXAMPLE', '9:37 error StaticCredentials'],
    ['a field that nobody knows', 'hostedZoneId: Z2AB', '9:37 error UnknownField'],
  ])('over Route 53 with %s are refused', (_, field, finding) => {
    expect(places(parse(solving(`{ dns01: { route53: { ${field} } } }`)))).toEqual([finding]);
  });

  it('keep their order, and each is told its own mistakes', () => {
    const text = solving(`{ selector: { dnsZones: [b.example] }, ${ROUTE53} }`, `{ ${ROUTE53} }`);
    expect(optionsOf(text)?.solvers.map(({ dnsZones }) => dnsZones)).toEqual([['b.example'], []]);
    expect(places(parse(solving('{}', '{ http01: {} }')))).toEqual([
      '9:15 error NoChallenge',
      '9:21 error KindNotBuilt',
    ]);
  });
});

describe('annotations of ours', () => {
  const annotated = (annotation: string): string =>
    ACME_ISSUER.replace('name: letsencrypt', `name: letsencrypt\n  annotations:\n    everleaf.dev/${annotation}`);

  it.each([
    ['acme-hosts: https://a.example', '6:30 error InvalidAnnotation'],
    ['acme-hosts: a.example/path', '6:30 error InvalidAnnotation'],
    ['acme-hosts: user@a.example', '6:30 error InvalidAnnotation'],
    ['acme-hosts: "*.example"', '6:30 error InvalidAnnotation'],
    ['acme-hosts: a.example:99999', '6:30 error InvalidAnnotation'],
    ['acme-hosts: ""', '6:30 error InvalidAnnotation'],
    ['acme-hosts: a.example, 169.254.169.254', '6:30 error ForbiddenHost'],
    ['acme-host: a.example', '6:29 warning UnknownAnnotation'],
    ['trust-anchors: ""', '6:33 error InvalidAnnotation'],
    ['trust-anchors: public, roots.pem', '6:33 error InvalidAnnotation'],
  ])('%s', (annotation, finding) => {
    expect(places(parse(annotated(annotation)))).toContain(finding);
  });

  it('name hosts as URLs write them', () => {
    expect(
      optionsOf(annotated('acme-hosts: A.example, a.example:443,b.example:14000, "[::1]:8443"'.replaceAll('"', '')))
        ?.hosts,
    ).toEqual(['a.example', 'b.example:14000', '[::1]:8443']);
  });

  it('of others are left alone', () => {
    const text = ACME_ISSUER.replace('name: letsencrypt', 'name: letsencrypt\n  annotations: { a.example/b: c }');
    expect(places(parse(text))).toEqual([]);
  });

  it('near to one that is known are told which', () => {
    const remedy = parse(annotated('trust-anchor: public')).findings[0]?.remedy;
    expect(remedy).toBe('Did you mean `everleaf.dev/trust-anchors`?');
  });
});

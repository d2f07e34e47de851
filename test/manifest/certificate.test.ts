import { describe, expect, it, test } from 'vitest';
import { CERTIFICATE, NAMELESS, parse, places } from './support.ts';

/** What `spec` gains, from line 10 on, and all that is said about it. */
const RULES: readonly (readonly [sentence: string, lines: string, ...findings: string[]])[] = [
  ['a field that nobody knows is an error at its key', '  dnsName: [a.example]', '10:3 error UnknownField'],
  [
    'a field that nobody knows is found in a nested mapping',
    '  privateKey: { algorithm: RSA, bits: 2048 }',
    '10:33 error UnknownField',
  ],
  ['text where a list belongs is an error', '  uris: spiffe://example.internal/a', '10:9 error WrongType'],
  ['a number where text belongs is an error', '  commonName: 12', '10:15 error WrongType'],
  ['text where a whole number belongs is an error', '  privateKey: { size: "2048" }', '10:23 error WrongType'],
  ['a fraction where a whole number belongs is an error', '  renewBeforePercentage: 33.3', '10:26 error WrongType'],
  ['an empty item of a list is an error', '  uris:\n    -', '11:6 error WrongType'],
  ['a field without a value is left out with a warning', '  isCA:', '10:3 warning EmptyField'],
  ['a field that is null is left out with a warning', '  isCA: null', '10:3 warning EmptyField'],

  ['an RSA key under 2048 bits is refused', '  privateKey: { size: 1024 }', '10:23 error KeySize'],
  ['an RSA key of 8192 bits is refused', '  privateKey: { algorithm: RSA, size: 8192 }', '10:39 error KeySize'],
  [
    'an ECDSA key on an unknown curve is refused',
    '  privateKey: { algorithm: ECDSA, size: 2048 }',
    '10:41 error KeySize',
  ],
  ['an Ed25519 key is not supported yet', '  privateKey: { algorithm: Ed25519 }', '10:28 error NotSupportedYet'],
  ['an unknown key algorithm is refused', '  privateKey: { algorithm: rsa }', '10:28 error UnknownValue'],
  ['a key that is kept for ever is refused', '  privateKey: { rotationPolicy: Never }', '10:33 error NotSupportedYet'],
  ['a key that is replaced each time is what happens anyway', '  privateKey: { rotationPolicy: Always }'],
  ['PKCS#1 is warned about: bundles hold PKCS#8', '  privateKey: { encoding: PKCS1 }', '10:27 warning NoMeaningHere'],
  ['PKCS#8 is what bundles hold', '  privateKey: { encoding: PKCS8 }'],

  ['an unknown usage is refused', '  usages: [server-auth]', '10:12 error UnknownValue'],
  ['a usage that stands twice is warned about', '  usages: [server auth, server auth]', '10:25 warning DuplicateUsage'],
  [
    'a usage that no template gives is refused',
    '  usages: [server auth, email protection]',
    '10:25 error IssuerCannotSign',
  ],
  [
    'usages that no template gives together are refused',
    '  usages: [server auth, code signing]',
    '10:25 error IssuerCannotSign',
  ],
  [
    'key encipherment does not go with code signing',
    '  usages: [code signing, key encipherment]',
    '10:26 error IssuerCannotSign',
  ],
  ['code signing alone is fine', '  usages: [code signing, digital signature]'],

  ['a duration in days is refused', '  duration: 90d', '10:13 error InvalidDuration'],
  ['a duration that is a number is refused', '  duration: 2160', '10:13 error WrongType'],
  ['a duration under an hour is refused', '  duration: 59m', '10:13 error OutOfRange'],
  ['a duration of an hour is enough', '  duration: 1h'],
  ['a duration of half a second more is refused', '  duration: 1h500ms', '10:13 error InvalidDuration'],
  ['a negative duration is refused', '  duration: -1h', '10:13 error OutOfRange'],
  ['renewBefore under five minutes is refused', '  renewBefore: 4m59s', '10:16 error OutOfRange'],
  ['renewBefore of the default duration is refused', '  renewBefore: 2160h', '10:16 error RenewsWithoutEnd'],
  ['renewBefore beyond the duration is refused', '  duration: 24h\n  renewBefore: 25h', '11:16 error RenewsWithoutEnd'],
  ['renewBefore just under the duration is fine', '  duration: 24h\n  renewBefore: 23h59m'],
  [
    'renewBefore and a percentage exclude each other',
    '  renewBefore: 24h\n  renewBeforePercentage: 30',
    '11:26 error Exclusive',
  ],
  ['a percentage of zero is refused', '  renewBeforePercentage: 0', '10:26 error OutOfRange'],
  ['a percentage of a hundred is refused', '  renewBeforePercentage: 100', '10:26 error OutOfRange'],
  [
    'a percentage that leaves under five minutes is refused',
    '  duration: 1h\n  renewBeforePercentage: 8',
    '11:26 error OutOfRange',
  ],
  [
    'a percentage that renews at once is refused',
    '  duration: 1h\n  renewBeforePercentage: 95',
    '11:26 error OutOfRange',
  ],

  ['an organization that is empty is refused', '  subject: { organizations: [""] }', '10:30 error InvalidSubject'],
  ['a country of three letters is refused', '  subject: { countries: [DEU] }', '10:26 error InvalidSubject'],
  ['an unknown subject attribute is refused', '  subject: { organisations: [A] }', '10:14 error UnknownField'],

  ['isCA: false is the default', '  isCA: false'],
  ['isCA: true is not supported yet', '  isCA: true', '10:9 error NotSupportedYet'],
  ['literalSubject is not supported yet', '  literalSubject: CN=orders', '10:3 error NotSupportedYet'],
  ['otherNames are not supported yet', '  otherNames: [{ oid: 1.2.3 }]', '10:3 error NotSupportedYet'],
  [
    'what a chart left empty asks for nothing',
    '  otherNames: []\n  literalSubject: ""\n  keystores: {}\n  secretTemplate: { labels: {}, annotations: {} }',
  ],
  ['keystores are not supported yet', '  keystores: { jks: { create: true } }', '10:3 error NotSupportedYet'],
  ['additionalOutputFormats are written', '  additionalOutputFormats: [{ type: DER }, { type: CombinedPEM }]'],
  [
    'an output format that nobody knows is refused',
    '  additionalOutputFormats: [{ type: PFX }]',
    '10:37 error UnknownValue',
  ],
  [
    'an output format that stands twice is refused',
    '  additionalOutputFormats: [{ type: DER }, { type: DER }]',
    '10:52 error DuplicateFormat',
  ],
  ['nameConstraints are not supported yet', '  nameConstraints: { critical: true }', '10:3 error NotSupportedYet'],
  ['SHA-256 with RSA signs the request of an RSA key anyway', '  signatureAlgorithm: SHA256WithRSA'],
  [
    'SHA-256 with ECDSA signs the request of an ECDSA key anyway',
    '  privateKey: { algorithm: ECDSA }\n  signatureAlgorithm: ECDSAWithSHA256',
  ],
  ['a longer hash is not supported yet', '  signatureAlgorithm: SHA512WithRSA', '10:23 error NotSupportedYet'],
  ['SHA-1 is refused', '  signatureAlgorithm: SHA1WithRSA', '10:23 error WeakSignature'],
  [
    'a signature that the key cannot make is refused',
    '  signatureAlgorithm: ECDSAWithSHA256',
    '10:23 error SignatureMismatch',
  ],
  ['an unknown signature algorithm is refused', '  signatureAlgorithm: RSA-PSS', '10:23 error UnknownValue'],
  ['a renewal policy is not supported yet', '  renewal: { policy: Disabled }', '10:3 error NotSupportedYet'],
  ['secretTemplate is not supported yet', '  secretTemplate: { labels: { a: b } }', '10:3 error NotSupportedYet'],
  ['usages are encoded in the request anyway', '  encodeUsagesInRequest: true'],
  ['encodeUsagesInRequest: false has no effect', '  encodeUsagesInRequest: false', '10:3 warning NoMeaningHere'],
  ['revisionHistoryLimit has no effect', '  revisionHistoryLimit: 1', '10:3 warning NoMeaningHere'],
  ['revisionHistoryLimit under one is refused', '  revisionHistoryLimit: 0', '10:25 error OutOfRange'],

  ['a name that stands twice is warned about', '    - ORDERS.internal.example', '10:7 warning DuplicateName'],
  [
    'what is wrong is all said at once',
    '  duration: 1m\n  isCA: true\n  colour: red',
    '10:13 error OutOfRange',
    '11:9 error NotSupportedYet',
    '12:3 error UnknownField',
  ],
];

describe('a Certificate', () => {
  test.each(RULES.map(([sentence, lines, ...findings]) => ({ sentence, lines, findings })))('$sentence', (rule) => {
    expect(places(parse(`${CERTIFICATE}${rule.lines}\n`))).toEqual(rule.findings);
  });

  it('without secretName is told so at its spec', () => {
    const parsed = parse(CERTIFICATE.replace(/ {2}secretName.*\n/, ''));
    expect(places(parsed)).toEqual(['5:1 error MissingField']);
    expect(parsed.findings[0]?.remedy).toBe('Add it, as in `secretName: orders-tls`.');
  });

  it('without spec is told so at its beginning', () => {
    expect(places(parse(CERTIFICATE.slice(0, CERTIFICATE.indexOf('spec:'))))).toEqual(['1:1 error MissingField']);
  });

  it('without any name is refused', () => {
    expect(places(parse(NAMELESS))).toEqual(['5:1 error NoNames']);
  });

  it.each(['commonName: ledger', 'uris: ["urn:a:b"]', 'ipAddresses: [10.0.0.1]', 'emailAddresses: [a@b.example]'])(
    'with %s as its only name is fine',
    (line) => {
      expect(places(parse(`${NAMELESS}  ${line}\n`))).toEqual([]);
    },
  );

  it('may have a hundred names and no more', () => {
    const names = (count: number) => Array.from({ length: count }, (_, index) => `n${index}.example`).join(', ');
    expect(places(parse(`${NAMELESS}  dnsNames: [${names(100)}]\n`))).toEqual([]);
    expect(places(parse(`${NAMELESS}  dnsNames: [${names(100)}]\n  uris: ["urn:a:b"]\n`))).toEqual([
      '8:3 error TooManyNames',
    ]);
  });

  it('may have a common name of 64 bytes and no more', () => {
    expect(places(parse(`${CERTIFICATE}  commonName: ${'a'.repeat(64)}\n`))).toEqual([]);
    expect(places(parse(`${CERTIFICATE}  commonName: ${'ä'.repeat(33)}\n`))).toEqual(['10:15 error InvalidName']);
  });

  it.each([
    ['orders_tls', 'InvalidName', 'error'],
    ['Orders', 'InvalidName', 'error'],
    ['payments/orders', 'InvalidName', 'error'],
    ['orders-server', 'AmbiguousSecretName', 'warning'],
    ['orders-a1b2c3', 'AmbiguousSecretName', 'warning'],
  ])('with the secret name %s gets %s', (name, code, severity) => {
    expect(places(parse(CERTIFICATE.replace('orders-tls', name)))).toEqual([`6:15 ${severity} ${code}`]);
  });

  // As its custom resource definition names them.
  it.each(
    `additionalOutputFormats commonName dnsNames duration emailAddresses encodeUsagesInRequest
    ipAddresses isCA issuerRef keystores literalSubject nameConstraints otherNames privateKey
    renewBefore renewBeforePercentage renewal revisionHistoryLimit secretName secretTemplate
    signatureAlgorithm subject uris usages`.split(/\s+/),
  )('may have the field %s: whatever comes of it, it is known by name', (field) => {
    const { findings } = parse(
      `${CERTIFICATE.replace(new RegExp(` {2}${field}:.*\\n(?: {4}.*\\n)*`), '')}  ${field}: [[]]\n`,
    );
    expect(findings.map(({ code }) => code)).not.toContain('UnknownField');
  });
});

import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import {
  ACMPCAClient,
  DescribeCertificateAuthorityCommand,
  GetCertificateAuthorityCertificateCommand,
  GetCertificateCommand,
  IssueCertificateCommand,
  type IssueCertificateCommandInput,
  ListTagsCommand,
  RevokeCertificateCommand,
  type ValidityPeriodType,
} from '@aws-sdk/client-acm-pca';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KeyAlgorithm } from '../../local/pca/keys.ts';
import { WRONG_LEAVES } from '../../local/pca/wrong-leaves.ts';
import * as x509 from '../../local/pca/x509.ts';
import { AcmPca } from '../../local/services/acm-pca.ts';
import { type AssumedSession, handleSts } from '../../local/services/sts.ts';
import { ACCOUNT_ID, JsonEndpoint, REGION } from './json-endpoint.ts';

const NOW = Date.parse('2026-03-01T12:34:56Z');
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const CA_END = Date.parse('2027-03-01T00:00:00Z');
const SPIFFE_ID = 'spiffe://example.org/ns/shop/sa/orders';

const arnOf = (last: string): string =>
  `arn:aws:acm-pca:${REGION}:${ACCOUNT_ID}:certificate-authority/11111111-2222-3333-4444-00000000000${last}`;
const EC_CA = arnOf('1');
const RSA_CA = arnOf('2');
const P384_CA = arnOf('3');
const SHORT_CA = arnOf('4');
const template = (name: string): string => `arn:aws:acm-pca:::template/${name}/V1`;

let service: AcmPca;
let endpoint: JsonEndpoint;
let client: ACMPCAClient;

beforeEach(async () => {
  service = new AcmPca({
    certificateAuthorities: [
      { arn: EC_CA, notAfter: CA_END },
      { arn: RSA_CA, keyAlgorithm: 'RSA_2048' },
      { arn: P384_CA, keyAlgorithm: 'EC_secp384r1' },
      { arn: SHORT_CA, usageMode: 'SHORT_LIVED_CERTIFICATE' },
    ],
    now: () => NOW,
  });
  service.issuanceDelay = 0;
  endpoint = await JsonEndpoint.start(service, NOW);
  client = new ACMPCAClient(endpoint.settings);
});
afterEach(async () => {
  client.destroy();
  await endpoint.stop();
});

const ecKeys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const EC = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };

interface Request {
  readonly subject?: string;
  readonly names?: x509.JsonGeneralNames;
  readonly keys?: { readonly privateKey: KeyObject; readonly publicKey: KeyObject };
}

async function csr({ subject = 'CN=orders.internal', names = [], keys = ecKeys() }: Request = {}): Promise<string> {
  const algorithm = keys.publicKey.asymmetricKeyType === 'rsa' ? RSA : EC;
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: subject,
    keys: {
      privateKey: keys.privateKey.toCryptoKey(algorithm, false, ['sign']),
      publicKey: keys.publicKey.toCryptoKey(algorithm, true, ['verify']),
    },
    signingAlgorithm: algorithm,
    extensions: names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names, subject === '')],
  });
  return request.toString('pem');
}

async function order(
  wishes: Partial<Omit<IssueCertificateCommandInput, 'Csr'>> & { Csr?: string } = {},
): Promise<string> {
  const { Csr = await csr(), ...input } = wishes;
  const { CertificateArn = '' } = await client.send(
    new IssueCertificateCommand({
      CertificateAuthorityArn: EC_CA,
      SigningAlgorithm: 'SHA256WITHECDSA',
      Validity: { Type: 'DAYS', Value: 30 },
      ...input,
      Csr: Buffer.from(Csr),
    }),
  );
  return CertificateArn;
}

async function fetch(CertificateArn: string): Promise<{ leaf: X509Certificate; chain: X509Certificate[] }> {
  const CertificateAuthorityArn = CertificateArn.split('/certificate/')[0];
  const answer = await client.send(new GetCertificateCommand({ CertificateAuthorityArn, CertificateArn }));
  const chain = answer.CertificateChain?.match(/-----BEGIN[^]+?-----END CERTIFICATE-----/g) ?? [];
  return { leaf: new X509Certificate(answer.Certificate ?? ''), chain: chain.map((pem) => new X509Certificate(pem)) };
}

const issue = async (wishes?: Parameters<typeof order>[0]) => await fetch(await order(wishes));

const describeCa = (CertificateAuthorityArn: string) =>
  client.send(new DescribeCertificateAuthorityCommand({ CertificateAuthorityArn }));

/** An extension's criticality and value, which `node:crypto` does not tell. */
function extension(leaf: X509Certificate, type: string): { critical: boolean; value: string } | undefined {
  const found = new x509.X509Certificate(leaf.raw).getExtension(type);
  return found === null ? undefined : { critical: found.critical, value: Buffer.from(found.value).toString('hex') };
}

/** Names that do not sign one another's certificate, from the leaf to the last of the chain. */
function brokenLinks({ leaf, chain }: { leaf: X509Certificate; chain: X509Certificate[] }): string[] {
  const path = [leaf, ...chain];
  const pairs = path.map((each, index) => ({ each, issuer: path[index + 1] ?? each }));
  return pairs
    .filter(({ each, issuer }) => !each.checkIssued(issuer) || !each.verify(issuer.publicKey))
    .map(({ each }) => each.subject);
}

/** The name of the error that an order meets. */
const refusal = async (wishes: Parameters<typeof order>[0]): Promise<unknown> =>
  await order(wishes).catch((error: unknown) => (error instanceof Error ? error.name : error));

describe('the authorities', () => {
  test.each([
    [EC_CA, 'EC_prime256v1', 'SHA256WITHECDSA'],
    [RSA_CA, 'RSA_2048', 'SHA256WITHRSA'],
    [P384_CA, 'EC_secp384r1', 'SHA384WITHECDSA'],
  ] satisfies [string, KeyAlgorithm, string][])(
    '%s describes itself as the certificate it hands out',
    async (arn, key, algorithm) => {
      const { CertificateAuthority } = await describeCa(arn);
      const answer = await client.send(new GetCertificateAuthorityCertificateCommand({ CertificateAuthorityArn: arn }));
      const [ca, root] = [answer.Certificate, answer.CertificateChain].map((pem) => new X509Certificate(pem ?? ''));
      expect(CertificateAuthority).toMatchObject({
        Arn: arn,
        OwnerAccount: ACCOUNT_ID,
        Type: 'SUBORDINATE',
        Status: 'ACTIVE',
        UsageMode: 'GENERAL_PURPOSE',
        Serial: ca?.serialNumber.toLowerCase(),
        NotBefore: new Date(ca?.validFrom ?? ''),
        NotAfter: new Date(ca?.validTo ?? ''),
        CertificateAuthorityConfiguration: { KeyAlgorithm: key, SigningAlgorithm: algorithm },
      });
      expect(ca?.ca).toBe(true);
      expect(root?.validFrom).toBe('Mar  1 12:34:56 2021 GMT');
      expect(root?.validTo).toBe('Mar  1 12:34:56 2036 GMT');
      expect(ca?.validFrom).toBe('Mar  1 12:34:56 2025 GMT');
      expect(await service.roots()).toContain(root?.toString().trim());
    },
  );

  test('a CA without an end of its own ends five years after it began', async () => {
    expect((await describeCa(SHORT_CA)).CertificateAuthority).toMatchObject({
      UsageMode: 'SHORT_LIVED_CERTIFICATE',
      NotAfter: new Date('2031-03-01T12:34:56Z'),
    });
  });

  test('an ARN that names no CA is not found, one that could not is invalid', async () => {
    await expect(describeCa(arnOf('9'))).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(describeCa('arn:aws:s3:::bucket')).rejects.toMatchObject({ name: 'InvalidArnException' });
  });

  test('every authority is a family of its own', async () => {
    expect(new Set(await service.roots()).size).toBe(4);
  });
});

describe('an honest leaf', () => {
  test.each([
    [EC_CA, 'SHA256WITHECDSA'],
    [EC_CA, 'SHA512WITHECDSA'],
    [P384_CA, 'SHA384WITHECDSA'],
    [RSA_CA, 'SHA256WITHRSA'],
    [RSA_CA, 'SHA512WITHRSA'],
  ] as const)('of %s with %s chains up to the root', async (CertificateAuthorityArn, SigningAlgorithm) => {
    const issued = await issue({ CertificateAuthorityArn, SigningAlgorithm });
    expect(issued.chain).toHaveLength(2);
    expect(brokenLinks(issued)).toEqual([]);
    expect(await service.roots()).toContain(issued.chain[1]?.toString().trim());
  });

  test.each([
    ['EC', ecKeys()],
    ['RSA', generateKeyPairSync('rsa', { modulusLength: 2_048 })],
  ])("holds the request's %s key", async (_kind, keys) => {
    const { leaf } = await issue({ Csr: await csr({ keys }) });
    expect(leaf.checkPrivateKey(keys.privateKey)).toBe(true);
  });

  test('takes subject and every kind of name from the request', async () => {
    const Csr = await csr({
      subject: 'CN=orders.internal, O=Example',
      names: [
        { type: 'dns', value: 'orders.internal' },
        { type: 'dns', value: '*.orders.internal' },
        { type: 'ip', value: '10.0.0.1' },
        { type: 'url', value: SPIFFE_ID },
        { type: 'email', value: 'orders@example.org' },
      ],
    });
    const { leaf } = await issue({ Csr });
    expect(leaf.subject.split('\n').toSorted()).toEqual(['CN=orders.internal', 'O=Example']);
    expect(leaf.subjectAltName).toBe(
      `DNS:orders.internal, DNS:*.orders.internal, IP Address:10.0.0.1, URI:${SPIFFE_ID}, email:orders@example.org`,
    );
    expect(extension(leaf, '2.5.29.17')?.critical).toBe(false);
  });

  test('of a workload has a SPIFFE ID alone, in a critical extension', async () => {
    const { leaf } = await issue({ Csr: await csr({ subject: '', names: [{ type: 'url', value: SPIFFE_ID }] }) });
    expect(leaf.subject).toBeUndefined();
    expect(leaf.subjectAltName).toBe(`URI:${SPIFFE_ID}`);
    expect(extension(leaf, '2.5.29.17')?.critical).toBe(true);
  });

  test('began an hour ago and ends when it was asked to', async () => {
    const { leaf } = await issue();
    expect(Date.parse(leaf.validFrom)).toBe(NOW - HOUR_MS);
    expect(Date.parse(leaf.validTo)).toBe(NOW + 30 * DAY_MS);
  });

  test('has a serial number of 16 octets, and key identifiers that meet', async () => {
    const { leaf, chain } = await issue();
    expect(leaf.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
    const issuerId = extension(chain[0] ?? leaf, '2.5.29.14')?.value.slice(-40);
    expect(extension(leaf, '2.5.29.35')?.value).toContain(issuerId);
    expect(extension(leaf, '2.5.29.14')).toBeDefined();
  });
});

describe('templates', () => {
  const SERVER = '1.3.6.1.5.5.7.3.1';
  const CLIENT = '1.3.6.1.5.5.7.3.2';
  const { digitalSignature, keyEncipherment } = x509.KeyUsageFlags;
  const BOTH = digitalSignature | keyEncipherment;

  test.each([
    ['The default', [SERVER, CLIENT], BOTH, false],
    ['EndEntityCertificate', [SERVER, CLIENT], BOTH, false],
    ['EndEntityServerAuthCertificate', [SERVER], BOTH, false],
    ['EndEntityClientAuthCertificate', [CLIENT], BOTH, false],
    ['CodeSigningCertificate', ['1.3.6.1.5.5.7.3.3'], digitalSignature, true],
    ['OCSPSigningCertificate', ['1.3.6.1.5.5.7.3.9'], digitalSignature, true],
  ])('%s gives the extensions that AWS documents', async (name, purposes, usages, critical) => {
    const { leaf } = await issue(name === 'The default' ? {} : { TemplateArn: template(name) });
    expect(leaf.keyUsage).toEqual(purposes);
    expect(extension(leaf, '2.5.29.37')?.critical).toBe(critical);
    const keyUsage = new x509.X509Certificate(leaf.raw).getExtension(x509.KeyUsagesExtension);
    expect({ usages: keyUsage?.usages, critical: keyUsage?.critical }).toEqual({ usages, critical: true });
    // DER of an empty SEQUENCE: CA:FALSE is the default, and so not written.
    expect(extension(leaf, '2.5.29.19')).toEqual({ critical: false, value: '3000' });
    expect(leaf.ca).toBe(false);
  });

  test('others are refused, and those of other partitions are not', async () => {
    expect(await refusal({ TemplateArn: template('BlankEndEntityCertificate_CSRPassthrough') })).toBe(
      'ValidationException',
    );
    expect(await refusal({ TemplateArn: 'arn:aws:acm-pca:::template/constructor' })).toBe('ValidationException');
    const TemplateArn = 'arn:aws-us-gov:acm-pca:::template/EndEntityServerAuthCertificate/V1';
    expect((await issue({ TemplateArn })).leaf.keyUsage).toEqual([SERVER]);
  });

  test('extensions that a request brings along do not get in', async () => {
    const keys = ecKeys();
    const request = await x509.Pkcs10CertificateRequestGenerator.create({
      name: 'CN=sneaky',
      keys: {
        privateKey: keys.privateKey.toCryptoKey(EC, false, ['sign']),
        publicKey: keys.publicKey.toCryptoKey(EC, true, ['verify']),
      },
      signingAlgorithm: EC,
      extensions: [
        new x509.BasicConstraintsExtension(true, 1, true),
        new x509.ExtendedKeyUsageExtension(['1.3.6.1.5.5.7.3.4']),
      ],
    });
    const { leaf } = await issue({ Csr: request.toString('pem') });
    expect(leaf.ca).toBe(false);
    expect(leaf.keyUsage).toEqual([SERVER, CLIENT]);
  });
});

describe('validity', () => {
  const validity = (Type: ValidityPeriodType, Value: number) => ({
    CertificateAuthorityArn: RSA_CA,
    SigningAlgorithm: 'SHA256WITHRSA' as const,
    Validity: { Type, Value },
  });

  test.each([
    ['ABSOLUTE', Date.parse('2026-06-01T00:00:00Z') / 1_000, '2026-06-01T00:00:00Z'],
    ['END_DATE', 20_260_601_235_959, '2026-06-01T23:59:59Z'],
    ['END_DATE', 260_601_235_959, '2026-06-01T23:59:59Z'],
    ['DAYS', 90, '2026-05-30T12:34:56Z'],
    ['MONTHS', 13, '2027-04-01T12:34:56Z'],
    ['YEARS', 2, '2028-03-01T12:34:56Z'],
  ] as const)('%s %d ends at the right second', async (type, value, end) => {
    const { leaf } = await issue(validity(type, value));
    expect(Date.parse(leaf.validTo)).toBe(Date.parse(end));
  });

  test('a month that is too short ends on its last day', async () => {
    endpoint.now = Date.parse('2026-12-31T10:00:00Z');
    const { leaf } = await issue(validity('MONTHS', 2));
    expect(Date.parse(leaf.validTo)).toBe(Date.parse('2027-02-28T10:00:00Z'));
  });

  test('what is no date, is over, or is nothing at all is refused', async () => {
    expect(await refusal(validity('END_DATE', 20_260_231_000_000))).toBe('ValidationException');
    expect(await refusal(validity('END_DATE', 2_026))).toBe('ValidationException');
    expect(await refusal(validity('END_DATE', 500_101_000_000))).toBe('ValidationException');
    expect(await refusal(validity('ABSOLUTE', NOW / 1_000))).toBe('ValidationException');
    expect(await refusal(validity('DAYS', 0))).toBe('ValidationException');
  });

  test('nothing outlives its CA', async () => {
    const until = (end: number) => ({ Validity: { Type: 'ABSOLUTE' as const, Value: end / 1_000 } });
    expect(await refusal(until(CA_END + 1_000))).toBe('ValidationException');
    const { leaf } = await issue(until(CA_END));
    expect(Date.parse(leaf.validTo)).toBe(CA_END);
  });

  test('a CA for short lives issues for seven days at most', async () => {
    const short = (Value: number) => ({
      CertificateAuthorityArn: SHORT_CA,
      Validity: { Type: 'DAYS' as const, Value },
    });
    expect(await refusal(short(8))).toBe('ValidationException');
    expect(Date.parse((await issue(short(7))).leaf.validTo)).toBe(NOW + 7 * DAY_MS);
  });

  test('a beginning may be given, as an instant, and moves the end nowhere', async () => {
    const ValidityNotBefore = { Type: 'ABSOLUTE' as const, Value: NOW / 1_000 + 600 };
    const { leaf } = await issue({ ValidityNotBefore });
    expect(Date.parse(leaf.validFrom)).toBe(NOW + 600_000);
    expect(Date.parse(leaf.validTo)).toBe(NOW + 30 * DAY_MS);
    expect(await refusal({ ValidityNotBefore: { Type: 'DAYS', Value: 1 } })).toBe('ValidationException');
  });
});

describe('refusals', () => {
  test('a request that is none, was tampered with, or names nobody is malformed', async () => {
    const good = await csr();
    const der = Buffer.from(good.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
    const at = der.indexOf('orders.internal');
    der.write('0rders', at);
    const tampered = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----`;
    const notARequest = '-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----';
    for (const Csr of ['hello', notARequest, tampered, await csr({ subject: '' })]) {
      expect(await refusal({ Csr })).toBe('MalformedCSRException');
    }
    expect(service.issued(EC_CA)).toEqual([]);
  });

  test("a signing algorithm has to be of the CA key's family", async () => {
    expect(await refusal({ SigningAlgorithm: 'SHA256WITHRSA' })).toBe('InvalidArgsException');
    expect(await refusal({ CertificateAuthorityArn: RSA_CA })).toBe('InvalidArgsException');
    expect(await refusal({ SigningAlgorithm: 'SM3WITHSM2' as 'SHA256WITHECDSA' })).toBe('InvalidArgsException');
  });

  test('a CA that is disabled or expired issues nothing, and says why', async () => {
    service.setStatus(EC_CA, 'DISABLED');
    expect(await refusal({})).toBe('InvalidStateException');
    service.setStatus(EC_CA, 'ACTIVE');
    endpoint.now = CA_END + 1;
    expect(await refusal({})).toBe('InvalidStateException');
    expect((await describeCa(EC_CA)).CertificateAuthority?.Status).toBe('EXPIRED');
  });

  test('calls are throttled on demand', async () => {
    service.throttle = (operation) => operation === 'IssueCertificate';
    expect(await refusal({})).toBe('ThrottlingException');
    await expect(describeCa(EC_CA)).resolves.toBeDefined();
  });

  test('what the twin does not know is said, never ignored', async () => {
    await expect(client.send(new ListTagsCommand({ CertificateAuthorityArn: EC_CA }))).rejects.toMatchObject({
      message: expect.stringContaining('ListTags'),
    });
    await expect(order({ ApiPassthrough: { Subject: { CommonName: 'x' } } })).rejects.toMatchObject({
      message: expect.stringContaining('ApiPassthrough'),
    });
  });
});

describe('orders', () => {
  test('a certificate is in progress for as many looks as the test wants', async () => {
    service.issuanceDelay = 2;
    const arn = await order();
    expect(arn).toMatch(new RegExp(`^${EC_CA}/certificate/[0-9a-f]{32}$`));
    for (const _look of [1, 2]) await expect(fetch(arn)).rejects.toMatchObject({ name: 'RequestInProgressException' });
    await expect(fetch(arn)).resolves.toMatchObject({ leaf: expect.any(X509Certificate) });
  });

  test('an unknown certificate is not found', async () => {
    await expect(fetch(`${EC_CA}/certificate/${'0'.repeat(32)}`)).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  test('a token gives the same certificate for five minutes, also to two who ask at once', async () => {
    const repeated = {
      Csr: await csr(),
      IdempotencyToken: 'attempt1',
      Validity: { Type: 'ABSOLUTE' as const, Value: NOW / 1_000 + 86_400 },
    };
    const [first, second] = await Promise.all([order(repeated), order(repeated)]);
    endpoint.now += 299_999;
    expect([second, await order(repeated)]).toEqual([first, first]);
    expect(service.issued(EC_CA)).toHaveLength(1);
    endpoint.now += 1;
    expect(await order(repeated)).not.toBe(first);
    expect(service.issued(EC_CA)).toHaveLength(2);
  });

  test('without a token, with another one, or with another request it is another certificate', async () => {
    const Csr = await csr();
    const arns = [
      await order({ Csr }),
      await order({ Csr }),
      await order({ Csr, IdempotencyToken: 'a' }),
      await order({ Csr, IdempotencyToken: 'b' }),
      await order({ Csr, IdempotencyToken: 'b', Validity: { Type: 'DAYS', Value: 31 } }),
    ];
    expect(new Set(arns).size).toBe(5);
  });

  test('a token whose request was refused may be used again', async () => {
    const repeated = { Csr: await csr(), IdempotencyToken: 'a' };
    service.setStatus(EC_CA, 'DISABLED');
    expect(await refusal(repeated)).toBe('InvalidStateException');
    service.setStatus(EC_CA, 'ACTIVE');
    await expect(order(repeated)).resolves.toContain('/certificate/');
  });

  test('what was issued is counted, fetched or not', async () => {
    const Csr = await csr({ names: [{ type: 'dns', value: 'a.internal' }] });
    const { leaf } = await issue({ Csr });
    await order();
    expect(service.issued(EC_CA)).toHaveLength(2);
    expect(service.issued(EC_CA)[0]).toMatchObject({
      serial: leaf.serialNumber.toLowerCase(),
      names: ['orders.internal', 'a.internal'],
      at: NOW,
    });
    expect(service.issued(RSA_CA)).toEqual([]);
  });

  test('a serial number is revoked once, with or without colons', async () => {
    const { leaf } = await issue();
    const revoke = (CertificateSerial: string) =>
      client.send(
        new RevokeCertificateCommand({
          CertificateAuthorityArn: EC_CA,
          CertificateSerial,
          RevocationReason: 'SUPERSEDED',
        }),
      );
    await revoke(leaf.serialNumber.replaceAll(/(..)(?!$)/g, '$1:'));
    expect(service.issued(EC_CA)[0]?.revoked).toEqual({ reason: 'SUPERSEDED', at: NOW });
    await expect(revoke(leaf.serialNumber)).rejects.toMatchObject({ name: 'RequestAlreadyProcessedException' });
    await expect(revoke('0a0b')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});

describe('permissions', () => {
  test('everything is authorized on the CA, and issuing names the template', async () => {
    await issue();
    await issue({ TemplateArn: template('EndEntityServerAuthCertificate') });
    expect(endpoint.asked.map(({ resource }) => resource)).toEqual(Array.from({ length: 4 }, () => EC_CA));
    const [first, second, third] = endpoint.asked;
    expect(first).toMatchObject({
      action: 'acm-pca:IssueCertificate',
      context: { 'acm-pca:TemplateArn': template('EndEntityCertificate') },
    });
    expect(second?.action).toBe('acm-pca:GetCertificate');
    expect(third?.context).toEqual({ 'acm-pca:TemplateArn': template('EndEntityServerAuthCertificate') });
  });

  test('who may not issue gets nothing', async () => {
    endpoint.denied = (action) => action === 'acm-pca:IssueCertificate';
    expect(await refusal({})).toBe('AccessDeniedException');
    expect(service.issued(EC_CA)).toEqual([]);
  });
});

describe('leaves that are wrong on purpose', () => {
  const keys = ecKeys();
  const wrongly = async (kind: keyof typeof WRONG_LEAVES) => {
    service.misissue = WRONG_LEAVES[kind];
    return await issue({ Csr: await csr({ keys, names: [{ type: 'dns', value: 'orders.internal' }] }) });
  };

  test('are for another key, or other names', async () => {
    expect((await wrongly('anotherKey')).leaf.checkPrivateKey(keys.privateKey)).toBe(false);
    const { leaf } = await wrongly('otherNames');
    expect(leaf.checkPrivateKey(keys.privateKey)).toBe(true);
    expect(leaf.subjectAltName).toBe('DNS:elsewhere.example');
  });

  test('are over, not begun, or far too long', async () => {
    expect(Date.parse((await wrongly('expired')).leaf.validTo)).toBeLessThan(NOW);
    expect(Date.parse((await wrongly('notYetValid')).leaf.validFrom)).toBeGreaterThan(NOW + HOUR_MS);
    expect(Date.parse((await wrongly('longLived')).leaf.validTo)).toBeGreaterThan(NOW + 3_650 * DAY_MS);
  });

  test('are for the wrong purpose, or CAs themselves', async () => {
    expect((await wrongly('wrongPurpose')).leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.4']);
    expect(extension((await wrongly('certificateAuthority')).leaf, '2.5.29.19')?.value).toBe('30030101ff');
  });

  test('come from a stranger of the same name, with a chain that is sound in itself', async () => {
    const issued = await wrongly('untrusted');
    expect(brokenLinks(issued)).toEqual([]);
    const [root = ''] = await service.roots();
    expect(issued.chain[1]?.subject).toBe(new X509Certificate(root).subject);
    expect(issued.chain[1]?.verify(new X509Certificate(root).publicKey)).toBe(false);
  });

  test('lack their intermediate', async () => {
    const { leaf, chain } = await wrongly('withoutIntermediate');
    expect(chain).toHaveLength(1);
    expect(chain.some((issuer) => leaf.checkIssued(issuer))).toBe(false);
  });

  test('end when the fault is taken away', async () => {
    await wrongly('otherNames');
    service.misissue = undefined;
    expect((await issue()).leaf.subject).toBe('CN=orders.internal');
    expect(service.issued(EC_CA)).toHaveLength(2);
  });
});

describe("a role in the CA's account", () => {
  const ROLE = 'arn:aws:iam::444455556666:role/pki/issue-certificates';
  let sts: STSClient;
  let stsEndpoint: JsonEndpoint;
  let sessions: AssumedSession[];

  beforeEach(async () => {
    sessions = [];
    stsEndpoint = await JsonEndpoint.start(service, NOW, (form, authorize) =>
      handleSts(form, {
        now: NOW,
        accountId: ACCOUNT_ID,
        callerArn: `arn:aws:sts::${ACCOUNT_ID}:assumed-role/issue/one`,
        authorize,
        trustsAccount: () => false,
        issue: (session) => {
          sessions.push(session);
          return { accessKeyId: 'ASIATWIN', secretAccessKey: 'a<b&c' };
        },
      }),
    );
    sts = new STSClient(stsEndpoint.settings);
  });
  afterEach(async () => {
    sts.destroy();
    await stsEndpoint.stop();
  });

  const assume = (RoleArn: string, DurationSeconds?: number) =>
    sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'everleaf', DurationSeconds }));

  test('is assumed by who may, and gives keys for an hour', async () => {
    const { Credentials, AssumedRoleUser } = await assume(ROLE);
    expect(Credentials).toMatchObject({
      AccessKeyId: 'ASIATWIN',
      SecretAccessKey: 'a<b&c',
      SessionToken: expect.any(String),
      Expiration: new Date(NOW + HOUR_MS),
    });
    expect(AssumedRoleUser?.Arn).toBe('arn:aws:sts::444455556666:assumed-role/issue-certificates/everleaf');
    expect(sessions).toEqual([{ roleArn: ROLE, sessionName: 'everleaf', expiresAt: NOW + HOUR_MS }]);
    expect(stsEndpoint.asked).toMatchObject([{ action: 'sts:AssumeRole', resource: ROLE }]);
  });

  test('is refused to who may not, for a time out of bounds, and where it would be a role of this account', async () => {
    for (const seconds of [899, 43_201])
      await expect(assume(ROLE, seconds)).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(assume(`arn:aws:iam::${ACCOUNT_ID}:role/own`)).rejects.toMatchObject({ name: 'AccessDenied' });
    stsEndpoint.denied = () => true;
    await expect(assume(ROLE)).rejects.toMatchObject({ name: 'AccessDeniedException' });
    expect(sessions).toEqual([]);
  });

  test('anybody may ask who they are', async () => {
    await expect(sts.send(new GetCallerIdentityCommand({}))).resolves.toMatchObject({
      Account: ACCOUNT_ID,
      Arn: `arn:aws:sts::${ACCOUNT_ID}:assumed-role/issue/one`,
    });
    expect(stsEndpoint.asked).toEqual([]);
  });
});

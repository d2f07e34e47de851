import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { exportJWK, importJWK } from 'jose';
import { beforeEach, describe, expect, test } from 'vitest';
import { certIdOf, parseCertId, windowOf } from '../../local/acme/renewal-info.ts';
import { WRONG_LEAVES } from '../../local/pca/wrong-leaves.ts';
import * as x509 from '../../local/pca/x509.ts';
import {
  AcmeSession,
  type AcmeStage,
  acmeStage,
  certificatesIn,
  ecKeys,
  NOW,
  obtain,
  type Obtained,
  placeOrder,
  problemIn,
  readyOrder,
  type Reply,
} from './acme-stage.ts';

const NAMES = ['shop.example'];
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const SERVER = '1.3.6.1.5.5.7.3.1';
const CLIENT = '1.3.6.1.5.5.7.3.2';

let stage: AcmeStage;
let session: AcmeSession;

beforeEach(async () => {
  stage = await acmeStage();
  stage.server.settings.preApproved = true;
  session = await AcmeSession.register(stage.server);
});

const read = (pem: string | undefined): X509Certificate => new X509Certificate(pem ?? '');
const leafOf = ({ chain }: Obtained): X509Certificate => read(chain[0]);
const lifetimeOf = (leaf: X509Certificate): number[] => [leaf.validFrom, leaf.validTo].map((each) => Date.parse(each));

describe('a leaf', () => {
  test.each([
    ['classic', 90 * 24],
    ['tlsserver', 45 * 24],
    ['shortlived', 160],
  ])('of the profile %s lives for %d hours, from an hour ago', async (profile, hours) => {
    const obtained = await obtain(stage, session, NAMES, { profile });
    const begin = NOW - HOUR_MS;
    expect(lifetimeOf(leafOf(obtained))).toEqual([begin, begin + hours * HOUR_MS - 1_000]);
    expect(stage.server.issued[0]).toMatchObject({ profile, at: NOW, notAfter: begin + hours * HOUR_MS - 1_000 });
  });

  test('is of the first profile offered when the order names none', async () => {
    stage = await acmeStage({ profiles: { hourly: { lifetimeSeconds: 3_600 }, daily: { lifetimeSeconds: 86_400 } } });
    stage.server.settings.preApproved = true;
    const [begin = 0, end = 0] = lifetimeOf(
      leafOf(await obtain(stage, await AcmeSession.register(stage.server), NAMES)),
    );
    expect(end - begin).toBe(HOUR_MS - 1_000);
  });

  test('lives as ordered where that is allowed', async () => {
    stage.server.settings.allowsDates = true;
    const dates = { notBefore: '2026-03-01T12:00:00Z', notAfter: '2026-03-08T12:00:00Z' };
    const obtained = await obtain(stage, session, NAMES, dates);
    expect(lifetimeOf(leafOf(obtained))).toEqual(Object.values(dates).map((each) => Date.parse(each)));
    const tooLong = { notAfter: '2026-12-01T00:00:00Z' };
    const over = { notBefore: '2026-02-01T00:00:00Z', notAfter: '2026-03-01T00:00:00Z' };
    for (const more of [tooLong, over]) {
      expect(problemIn((await placeOrder(session, NAMES, more)).reply)).toBe('malformed');
    }
  });

  test.each([
    ['EC', ecKeys, x509.KeyUsageFlags.digitalSignature],
    ['RSA', () => generateKeyPairSync('rsa', { modulusLength: 2_048 }), 5],
  ])('says of an %s key what it is for', async (_kind, newKeys, usages) => {
    const keys = newKeys();
    const obtained = await obtain(stage, session, NAMES, {}, { keys });
    const certificate = new x509.X509Certificate(obtained.chain[0] ?? '');
    expect(leafOf(obtained).checkPrivateKey(keys.privateKey)).toBe(true);
    expect(certificate.getExtension(x509.KeyUsagesExtension)).toMatchObject({ usages, critical: true });
    expect(certificate.getExtension(x509.ExtendedKeyUsageExtension)?.usages).toEqual([SERVER]);
    expect(certificate.getExtension(x509.BasicConstraintsExtension)).toMatchObject({ ca: false, critical: true });
  });

  test('is for clients too where that is set', async () => {
    stage.server.settings.clientAuth = true;
    const { chain } = await obtain(stage, session, NAMES);
    const usages = new x509.X509Certificate(chain[0] ?? '').getExtension(x509.ExtendedKeyUsageExtension)?.usages;
    expect(usages).toEqual([SERVER, CLIENT]);
  });

  test('has the common name of the request, or none', async () => {
    const named = await obtain(stage, session, NAMES, {}, { subject: 'CN=Shop.example,O=Example' });
    expect(leafOf(named).subject).toBe('CN=shop.example');
    const bare = await obtain(stage, session, NAMES);
    expect(leafOf(bare).subject).toBeUndefined();
    const san = new x509.X509Certificate(bare.chain[0] ?? '').getExtension(x509.SubjectAlternativeNameExtension);
    expect(san?.critical).toBe(true);
  });
});

describe('the chain', () => {
  test('is leaf and intermediate, with the other one as its alternate', async () => {
    const { url, download, chain } = await obtain(stage, session, NAMES);
    expect(download.headers['content-type']).toBe('application/pem-certificate-chain');
    expect(download.headers['link']).toBe(`<${url}/1>;rel="alternate", <${stage.server.directoryUrl}>;rel="index"`);
    const alternate = await session.post(`${url}/1`);
    expect(alternate.headers['link']).toContain(`<${url}>;rel="alternate"`);
    for (const [index, [leaf, intermediate, ...others]] of [chain, certificatesIn(alternate.text)].entries()) {
      const root = read(stage.server.roots[index]);
      expect(others).toEqual([]);
      expect(read(leaf).checkIssued(read(intermediate)) && read(leaf).verify(read(intermediate).publicKey)).toBe(true);
      expect(read(intermediate).checkIssued(root) && read(intermediate).verify(root.publicKey)).toBe(true);
      expect(Date.parse(read(intermediate).validTo)).toBeGreaterThan(Date.now() + 365 * DAY_MS);
    }
    expect((await session.post(`${url}/2`)).status).toBe(404);
  });

  test('is for the account that ordered it', async () => {
    const { url } = await obtain(stage, session, NAMES);
    const other = await AcmeSession.register(stage.server);
    expect(problemIn(await other.post(url))).toBe('unauthorized');
  });
});

describe('a wrong leaf', () => {
  const keys = ecKeys();

  /** Everything that could be wrong with what a CA hands out. */
  async function findings(): Promise<string[]> {
    const obtained = await obtain(stage, session, NAMES, {}, { keys });
    const [leaf, intermediate] = [leafOf(obtained), read(obtained.chain[1])];
    const [begin = 0, end = 0] = lifetimeOf(leaf);
    const certificate = new x509.X509Certificate(leaf.raw);
    const checks = {
      anotherKey: !leaf.checkPrivateKey(keys.privateKey),
      otherNames: leaf.subjectAltName !== 'DNS:shop.example',
      expired: end <= NOW,
      notYetValid: begin > NOW,
      untrusted:
        leaf.issuer === intermediate.subject &&
        !stage.server.roots.some((root) => intermediate.verify(read(root).publicKey)),
      withoutIntermediate: leaf.issuer !== intermediate.subject,
      wrongPurpose: leaf.keyUsage?.[0] !== SERVER,
      certificateAuthority: certificate.getExtension(x509.BasicConstraintsExtension)?.ca,
      longLived: end - begin > 91 * DAY_MS,
    };
    return Object.entries(checks).flatMap(([name, isWrong]) => (isWrong === true ? [name] : []));
  }

  test.each(Object.entries(WRONG_LEAVES))('is issued on demand: %s', async (name, misissue) => {
    stage.server.settings.misissue = misissue;
    expect(await findings()).toEqual([name]);
    stage.server.settings.misissue = undefined;
    expect(await findings()).toEqual([]);
  });
});

describe('renewal information', () => {
  const ask = async (certId: string): Promise<Reply> => await session.send(`renewal-info/${certId}`);

  test('reads the certID of RFC 9773', () => {
    expect(parseCertId('aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE')).toEqual({
      keyIdentifier: '69885b6b87464041e1b37b847ba0ae2cde01c8d4',
      serialNumber: '87654321',
    });
  });

  test('has a certID for serial numbers with and without a highest bit', async () => {
    const serials = new Set<boolean>();
    while (serials.size < 2) {
      const { chain } = await obtain(stage, session, NAMES);
      const leaf = new x509.X509Certificate(chain[0] ?? '');
      const certId = certIdOf(leaf);
      expect(stage.server.issued.at(-1)?.certId).toBe(certId);
      const der = Buffer.from(certId.split('.')[1] ?? '', 'base64url');
      expect(der.readUInt8() < 0x80).toBe(true);
      expect(parseCertId(certId).serialNumber).toBe(leaf.serialNumber);
      expect((await ask(certId)).status).toBe(200);
      serials.add(der.length === 17);
    }
  });

  test.each([
    ['classic', 90 * DAY_MS, 3],
    ['tlsserver', 45 * DAY_MS, 3],
    ['shortlived', 160 * HOUR_MS, 2],
  ])('suggests for %s one per cent around the usual point', async (profile, lifetime, parts) => {
    await obtain(stage, session, NAMES, { profile });
    const reply = await ask(stage.server.issued[0]?.certId ?? '');
    const notAfter = NOW - HOUR_MS + lifetime - 1_000;
    const ideal = notAfter - lifetime / parts;
    const at = (instant: number): string => new Date(instant).toISOString();
    const suggestedWindow = { start: at(ideal - lifetime / 100), end: at(ideal + lifetime / 100) };
    expect(reply).toMatchObject({ status: 200, headers: { 'retry-after': '21600' } });
    expect(reply.body).toEqual({ suggestedWindow });
  });

  test('suggests the past for what was revoked', async () => {
    await obtain(stage, session, NAMES);
    const [leaf] = stage.server.issued;
    if (leaf === undefined) throw new Error('nothing was issued');
    const { end } = windowOf({ ...leaf, revoked: { reason: 1, by: 'account' } }, NOW);
    expect(end).toBeLessThan(NOW);
  });

  test('may say anything else, for one certificate or for all', async () => {
    await obtain(stage, session, NAMES);
    await obtain(stage, session, NAMES);
    const [first = '', second = ''] = stage.server.issued.map(({ certId }) => certId);
    const { settings } = stage.server;
    settings.renewalInfo = (certId) =>
      certId === first
        ? { start: NOW, end: NOW + HOUR_MS, explanationURL: 'https://ca.example/why', retryAfterSeconds: 60 }
        : { errorStatus: 503 };
    const reply = await ask(first);
    expect(reply.headers['retry-after']).toBe('60');
    expect(reply.body).toEqual({
      suggestedWindow: { start: '2026-03-01T12:34:56.000Z', end: '2026-03-01T13:34:56.000Z' },
      explanationURL: 'https://ca.example/why',
    });
    expect(await ask(second)).toMatchObject({ status: 503, body: { status: 503 } });
  });

  test('is had of certificates of this CA alone, and without a signature', async () => {
    await obtain(stage, session, NAMES);
    const certId = stage.server.issued[0]?.certId ?? '';
    expect((await ask('nonsense')).status).toBe(400);
    expect((await ask('aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE')).status).toBe(404);
    expect((await ask(certId.replace(/^[^.]+/, 'aYhba4dGQEHhs3uEe6CuLN4ByNQ'))).status).toBe(404);
    expect((await session.post(`renewal-info/${certId}`)).status).toBe(405);
  });
});

describe('revocation', () => {
  const revoked = () => stage.server.issued[0]?.revoked;

  const request = (obtained: Obtained, reason?: number) => ({
    certificate: leafOf(obtained).raw.toString('base64url'),
    reason,
  });

  async function byKey(privateKey: KeyObject, payload: unknown): Promise<Reply> {
    const jwk = privateKey.export({ format: 'jwk' });
    const { d: _private, ...publicJwk } = jwk;
    const url = session.url('revoke-cert');
    const key = (await importJWK(jwk, 'ES256')) as typeof session.key;
    return await session.submit(
      url,
      await session.jws(payload, { url, nonce: await session.nonce(), jwk: publicJwk }, key),
    );
  }

  test('is for the account that ordered the certificate, once', async () => {
    const obtained = await obtain(stage, session, NAMES);
    expect((await session.post('revoke-cert', request(obtained, 4))).status).toBe(200);
    expect(revoked()).toEqual({ reason: 4, by: 'account' });
    expect(problemIn(await session.post('revoke-cert', request(obtained)))).toBe('alreadyRevoked');
  });

  test('is for the key of the certificate', async () => {
    const keys = ecKeys();
    const obtained = await obtain(stage, session, NAMES, {}, { keys });
    expect(problemIn(await byKey(ecKeys().privateKey, request(obtained, 1)))).toBe('unauthorized');
    const accountKey = createPrivateKey({ key: await exportJWK(session.key), format: 'jwk' });
    expect(problemIn(await byKey(accountKey, request(obtained, 1)))).toBe('unauthorized');
    expect((await byKey(keys.privateKey, request(obtained, 1))).status).toBe(200);
    expect(revoked()).toEqual({ reason: 1, by: 'certificateKey' });
  });

  test('is for whoever has authorizations for all its names', async () => {
    stage.server.settings.preApproved = false;
    const names = [...NAMES, '*.shop.example'];
    const obtained = await obtain(stage, session, names);
    const other = await AcmeSession.register(stage.server);
    await readyOrder(stage, other, NAMES);
    expect(problemIn(await other.post('revoke-cert', request(obtained)))).toBe('unauthorized');
    const { authorizations } = await readyOrder(stage, other, ['*.shop.example']);
    await other.post(authorizations[0] ?? '');
    expect((await other.post('revoke-cert', request(obtained))).status).toBe(200);
    expect(revoked()).toEqual({ reason: 0, by: 'authorizations' });
  });

  test('is for reasons that subscribers may have, and certificates of this CA', async () => {
    const obtained = await obtain(stage, session, NAMES);
    for (const reason of [2, 7, 10, 99, -1]) {
      expect(problemIn(await session.post('revoke-cert', request(obtained, reason)))).toBe('badRevocationReason');
    }
    const root = read(stage.server.roots[0]).raw.toString('base64url');
    expect((await session.post('revoke-cert', { certificate: root })).status).toBe(404);
    expect((await session.post('revoke-cert', { certificate: 'AAAA' })).status).toBe(400);
    const forged = Buffer.from(leafOf(obtained).raw);
    forged.writeUInt8(forged.readUInt8(forged.length - 1) ^ 1, forged.length - 1);
    expect((await session.post('revoke-cert', { certificate: forged.toString('base64url') })).status).toBe(404);
    expect(revoked()).toBeUndefined();
  });
});

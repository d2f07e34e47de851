import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AcmeServer, type AcmeServerOptions } from '../../local/acme/server.ts';
import { Certbot } from './clients/certbot.ts';
import type { ClientOptions } from './clients/client.ts';
import { Lego } from './clients/lego.ts';
import { judge } from './openssl.ts';
import { Peers } from './peers.ts';
import { type ChallengeDns, startChallengeDns } from './servers/challenge-dns.ts';

const HOUR_MS = 3_600_000;
const BRIEF_SECONDS = 21_600;
const PROFILES = { classic: { lifetimeSeconds: 7_776_000 }, brief: { lifetimeSeconds: BRIEF_SECONDS } };
const EXTERNAL_ACCOUNT = { kid: 'kid-1', hmac: Buffer.alloc(32, 'hmac').toString('base64url') };
const OTHER_HMAC = Buffer.alloc(32, 'other').toString('base64url');

/** The twin's CA, in the eyes of clients that know nothing of it. */
const peers = new Peers();
let dns: ChallengeDns;
let ca: AcmeServer;

beforeAll(async () => {
  dns = await startChallengeDns(peers);
});
afterEach(() => ca.close());
afterAll(() => peers.stop());

async function startCa(options: Partial<AcmeServerOptions> = {}): Promise<ClientOptions> {
  ca = await AcmeServer.start({ clock: { now: () => Date.now() }, dnsServer: dns.dnsServer, ...options });
  const caFile = join(peers.newFolder('embedded-ca'), 'tls.pem');
  writeFileSync(caFile, ca.tlsRoot);
  return { directoryUrl: ca.directoryUrl, caFile, dns };
}

const problems = (): readonly string[] => ca.requests.flatMap(({ problem }) => problem ?? []);

const CLIENTS = [
  { client: 'lego', create: (options: ClientOptions) => new Lego(peers, options) },
  { client: 'certbot', create: (options: ClientOptions) => new Certbot(peers, options) },
];

describe.each(CLIENTS)('the embedded CA, for $client,', ({ create }) => {
  it('signs an apex and its wildcard', async () => {
    const names = ['apex.test', '*.apex.test'];
    const obtained = await create(await startCa()).obtain({ names });
    await expect(judge(peers, obtained, ca.roots)).resolves.toMatchObject({
      verdict: 'OK',
      keyFits: true,
      names: names.toSorted(),
    });
  });

  it('signs again for the same account', async () => {
    const client = create(await startCa());
    const names = ['again.test'];
    const first = await judge(peers, await client.obtain({ names }), ca.roots);
    const second = await judge(peers, await client.obtain({ names }), ca.roots);
    expect([first.verdict, second.verdict]).toEqual(['OK', 'OK']);
    expect(second.serial).not.toBe(first.serial);
  });

  it('signs in the profile asked for', async () => {
    const client = create(await startCa({ profiles: PROFILES }));
    const judged = await judge(peers, await client.obtain({ names: ['brief.test'], profile: 'brief' }), ca.roots);
    expect(judged).toMatchObject({ verdict: 'OK', lifetimeSeconds: BRIEF_SECONDS });
  });

  it('makes an account for who knows the key of an external one', async () => {
    const client = create(await startCa({ externalAccounts: { [EXTERNAL_ACCOUNT.kid]: EXTERNAL_ACCOUNT.hmac } }));
    const obtained = await client.obtain({ names: ['bound.test'], externalAccount: EXTERNAL_ACCOUNT });
    await expect(judge(peers, obtained, ca.roots)).resolves.toMatchObject({ verdict: 'OK' });
  });

  it('makes none without that key, and none with another', async () => {
    const options = await startCa({ externalAccounts: { [EXTERNAL_ACCOUNT.kid]: EXTERNAL_ACCOUNT.hmac } });
    const names = ['unbound.test'];
    await expect(create(options).obtain({ names })).rejects.toThrow(/external account/i);
    const externalAccount = { ...EXTERNAL_ACCOUNT, hmac: OTHER_HMAC };
    await expect(create(options).obtain({ names, externalAccount })).rejects.toThrow(/external account/);
    expect(problems()).toContain('unauthorized');
    expect(ca.issued).toEqual([]);
  });

  it('says what was wrong with a challenge', async () => {
    const options = await startCa();
    await dns.setServfail('_acme-challenge.lost.test');
    await expect(create(options).obtain({ names: ['lost.test'] })).rejects.toThrow(/SERVFAIL/);
  });

  it('has renewal information that keeps a young certificate', async () => {
    const client = create(await startCa());
    const names = ['young.test'];
    await client.obtain({ names });
    await client.obtain({ names, onlyIfDue: true });
    expect(ca.requests.find(({ resource }) => resource === 'renewalInfo')).toMatchObject({ status: 200 });
    expect(ca.issued).toHaveLength(1);
  });

  it('has renewal information that replaces it when its window has come', async () => {
    const client = create(await startCa());
    const names = ['window.test'];
    const { serial } = await judge(peers, await client.obtain({ names }), ca.roots);
    const now = Date.now();
    ca.settings.renewalInfo = () => ({ start: now - 2 * HOUR_MS, end: now - HOUR_MS });
    const renewed = await judge(peers, await client.obtain({ names, onlyIfDue: true }), ca.roots);
    expect(renewed.verdict).toBe('OK');
    expect(renewed.serial).not.toBe(serial);
  });

  it('is spoken to again when it refuses good nonces', async () => {
    const options = await startCa();
    // Every other one: certbot tries each request twice, and no more.
    let asked = 0;
    Object.assign(ca.settings, { rejectsNonces: 0.5, random: () => (asked += 1) % 2 });
    const obtained = await create(options).obtain({ names: ['nonce.test'] });
    expect(problems()).toContain('badNonce');
    await expect(judge(peers, obtained, ca.roots)).resolves.toMatchObject({ verdict: 'OK' });
  });
});

it('the embedded CA, for certbot, revokes, once', async () => {
  const certbot = new Certbot(peers, await startCa());
  const obtained = await certbot.obtain({ names: ['revoked.test'] });
  await expect(certbot.revoke(obtained, 'superseded')).resolves.toMatch(/successfully revoked/);
  expect(ca.issued).toMatchObject([{ revoked: { reason: 4 } }]);
  await expect(certbot.revoke(obtained, 'superseded')).rejects.toThrow(/revoked already/);
  expect(problems()).toEqual(['alreadyRevoked']);
});

it('the embedded CA, for lego, takes note of what replaces what', async () => {
  const lego = new Lego(peers, await startCa());
  const names = ['replaced.test'];
  await lego.obtain({ names });
  await lego.obtain({ names });
  const asked = ca.requests.find(({ resource }) => resource === 'renewalInfo');
  const [first, second] = ca.issued;
  expect(first?.replaces).toBeUndefined();
  expect(second?.replaces).toBe(asked?.path.split('/').at(-1));
});

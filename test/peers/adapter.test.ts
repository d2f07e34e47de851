import { readFileSync } from 'node:fs';
import { randomBytes, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { leafFactsOf, readCertificate } from '../../functions/core/x509/leaf.ts';
import { generateKey } from '../../functions/issue/keys.ts';
import { issuerOnPeers, newOrder, obtain, verdictOn } from './issuer-on-peers.ts';
import { Peers } from './peers.ts';
import { type ChallengeDns, startChallengeDns } from './servers/challenge-dns.ts';
import { type Pebble, startPebble } from './servers/pebble.ts';
import { type StepCa, startStepCa } from './servers/step-ca.ts';

/** Our adapter before CAs that we did not write. */
const peers = new Peers();
let dns: ChallengeDns;
beforeAll(async () => {
  dns = await startChallengeDns(peers);
});
afterAll(() => peers.stop());

/** Every request that Pebble has logged, as `METHOD /path/`. */
const requestsIn = ({ log }: Pebble): readonly string[] =>
  [...log().matchAll(/ (GET|HEAD|POST) (\/\S*) -> calling handler/g)].map(
    ([, method = '', path = '']) => `${method} ${path}`,
  );

/** A look that found an order not ready yet is followed by the same one. */
const withoutLooksRepeated = (requests: readonly string[]): readonly string[] =>
  requests.filter((request, index) => request !== 'POST /my-order/' || request !== requests[index - 1]);
const numberOf = (request: string, requests: readonly string[]): number =>
  requests.filter((each) => each === request).length;

describe('before Pebble without its faults, the requests for one certificate', () => {
  let pebble: Pebble;
  const start = (authzReusePercent: number): Promise<Pebble> =>
    startPebble(peers, { alwaysValid: true, noSleep: true, nonceRejectPercent: 0, authzReusePercent });
  const counted = async (work: () => Promise<unknown>): Promise<readonly string[]> => {
    const before = requestsIn(pebble).length;
    await work();
    return requestsIn(pebble).slice(before);
  };

  it('are eight with a warm account and a new authorization', async () => {
    pebble = await start(0);
    const { issuer } = issuerOnPeers(pebble, undefined);
    await obtain(issuer(), await newOrder());
    const requests = await counted(async () => obtain(issuer(), await newOrder()));
    expect(withoutLooksRepeated(requests)).toEqual([
      'HEAD /nonce-plz',
      'POST /order-plz',
      'POST /authZ/',
      'POST /chalZ/',
      'POST /my-order/',
      'POST /finalize-order/',
      'POST /my-order/',
      'POST /certZ/',
    ]);
  });

  it('are not more when fifty are obtained side by side on one account', async () => {
    const { issuer } = issuerOnPeers(pebble, undefined);
    await obtain(issuer(), await newOrder());
    const [shared, orders] = [issuer(), await Promise.all(Array.from({ length: 50 }, () => newOrder()))];
    const requests = await counted(() => Promise.all(orders.map((order) => obtain(shared, order))));
    const once = ['POST /order-plz', 'POST /chalZ/', 'POST /finalize-order/', 'POST /certZ/'];
    for (const request of once) expect([request, numberOf(request, requests)]).toEqual([request, 50]);
    expect(numberOf('HEAD /nonce-plz', requests)).toBeLessThanOrEqual(50);
    // All others are looks. How many find an order not ready yet is up to Pebble, which validates beside its answers.
    const others = requests.filter((request) => ![...once, 'HEAD /nonce-plz'].includes(request));
    expect(new Set(others)).toEqual(new Set(['POST /authZ/', 'POST /my-order/']));
    expect(numberOf('POST /authZ/', requests)).toBe(50);
  });

  it('are five with an authorization that is valid', async () => {
    pebble = await start(100);
    const { issuer } = issuerOnPeers(pebble, undefined);
    const spec = { dnsNames: ['again.test'] };
    await obtain(issuer(), await newOrder(spec));
    const requests = await counted(async () => obtain(issuer(), await newOrder(spec)));
    expect(withoutLooksRepeated(requests)).toEqual([
      'HEAD /nonce-plz',
      'POST /order-plz',
      'POST /finalize-order/',
      'POST /my-order/',
      'POST /certZ/',
    ]);
  });
});

describe('before Pebble with its usual faults', () => {
  let pebble: Pebble;
  beforeAll(async () => {
    const profiles = {
      default: { description: '90 days', validityPeriod: 7_776_000 },
      shortlived: { description: 'six days', validityPeriod: 518_400 },
    };
    pebble = await startPebble(peers, { dnsServer: dns.dnsServer, maxSleepSeconds: 1, alternateRoots: 1, profiles });
  });

  it('apex and wildcard are proved by real DNS, and up to the root that a person names', async () => {
    const roots = await pebble.roots();
    for (const anchor of roots) {
      const order = await newOrder({ dnsNames: ['apex.test', '*.apex.test'] });
      const issuer = issuerOnPeers(pebble, dns).issuer({ trustAnchors: [anchor] });
      expect(verdictOn(order, await obtain(issuer, order))).toMatchObject({
        verdict: 'pass',
        chain: { trustAnchors: [new X509Certificate(anchor).toString()] },
      });
    }
  });

  it('an RSA key is certified, a profile kept to, and a renewal says what it replaces', async () => {
    const issuer = issuerOnPeers(pebble, dns).issuer({ profile: 'shortlived' });
    const dnsNames = ['profile.test'];
    const first = await newOrder({ dnsNames, privateKey: { algorithm: 'RSA', sizeBits: 2048 } });
    const chain = await obtain(issuer, first);
    expect(verdictOn(first, chain).verdict).toBe('pass');
    const leaf = leafFactsOf(readCertificate(chain.leaf));
    expect(Math.round((leaf.notAfter - leaf.notBefore) / 1_000)).toBeLessThanOrEqual(518_400);
    const info = await issuer.renewalInfo?.(leaf);
    expect(info?.window?.start).toBeGreaterThan(leaf.notBefore);
    const second = await newOrder({ dnsNames });
    const replaces = { leaf, ...(chain.account === undefined ? {} : { account: chain.account }) };
    const renewed = await obtain(issuer, { ...second, request: { ...second.request, replaces } });
    // Pebble calls a certificate replaced once a successor was ordered: a third order for it has to do without.
    const third = await newOrder({ dnsNames });
    await obtain(issuer, { ...third, request: { ...third.request, replaces } });
    expect(renewed.leaf).not.toBe(chain.leaf);
  });

  it('a CA that says otherwise of renewal is heard, one that makes no sense is not', async () => {
    const issuer = issuerOnPeers(pebble, dns).issuer();
    const { leaf } = await obtain(issuer, await newOrder());
    const facts = leafFactsOf(readCertificate(leaf));
    const say = (start: string, end: string) =>
      pebble.setRenewalInfo(
        leaf,
        JSON.stringify({ suggestedWindow: { start, end }, explanationURL: 'https://ca.test/why' }),
      );
    await say('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z');
    expect(await issuer.renewalInfo?.(facts)).toMatchObject({
      window: { start: Date.parse('2026-01-01T00:00:00Z'), explanationUrl: 'https://ca.test/why' },
    });
    await say('2026-01-02T00:00:00Z', '2026-01-01T00:00:00Z');
    expect((await issuer.renewalInfo?.(facts))?.window).toBeUndefined();
  });

  it('a certificate is revoked by its account, and by its own key', async () => {
    const on = issuerOnPeers(pebble, dns);
    const order = await newOrder();
    const { leaf } = await obtain(on.issuer(), order);
    for (let turn = 0; turn < 2; turn++) await on.issuer().revoke?.({ certificate: leaf, reason: 'superseded' });
    expect(await pebble.certificateStatus(readCertificate(leaf).serialNumber.toLowerCase())).toMatchObject({
      Status: 'Revoked',
      Reason: 4,
    });

    const certificateKey = await generateKey({ algorithm: 'ECDSA', sizeBits: 256 });
    const { keyHandle } = await import('../../functions/core/key-handle.ts');
    const { buildCsr } = await import('../../functions/core/x509/csr.ts');
    const other = await newOrder();
    const csr = await buildCsr(other.request.certificate, keyHandle(certificateKey));
    const own = await obtain(on.issuer(), { ...other, request: { ...other.request, csr } });
    const stranger = issuerOnPeers(pebble, dns).issuer({ makesAccountKey: false });
    await stranger.revoke?.({ certificate: own.leaf, reason: 'keyCompromise', certificateKey });
    expect(await pebble.certificateStatus(readCertificate(own.leaf).serialNumber.toLowerCase())).toMatchObject({
      Status: 'Revoked',
      Reason: 1,
    });
  });

  it('an abandoned order gives its authorizations back', async () => {
    const on = issuerOnPeers(pebble, dns);
    const { request } = await newOrder();
    const placed = await on.issuer().start(request);
    if (placed.status !== 'waiting') throw new Error('not placed');
    for (let turn = 0; turn < 2; turn++) await on.issuer().abandon(placed.ticket);
    await expect(on.issuer().check(request, placed.ticket)).rejects.toMatchObject({ endsAttempt: true });
  });
});

describe('before Pebble that refuses half of all nonces', () => {
  it('a hundred of a hundred are obtained', async () => {
    const pebble = await startPebble(peers, { alwaysValid: true, noSleep: true, nonceRejectPercent: 50 });
    const issuer = issuerOnPeers(pebble, undefined).issuer();
    const orders = await Promise.all(Array.from({ length: 100 }, () => newOrder()));
    const chains = await Promise.all(orders.map((order) => obtain(issuer, order)));
    expect(new Set(chains.map(({ leaf }) => leaf)).size).toBe(100);
  });
});

describe('before Pebble that wants an external account', () => {
  const externalAccounts = { 'kid-1': randomBytes(32).toString('base64url') };
  const secret = { name: 'eab', key: 'secret' };

  it('a certificate is obtained with the right key, and none with another', async () => {
    const pebble = await startPebble(peers, { alwaysValid: true, noSleep: true, externalAccounts });
    const right = issuerOnPeers(pebble, undefined);
    await right.accounts.put(secret, { secret: externalAccounts['kid-1'] });
    const binding = { externalAccountBinding: { keyId: 'kid-1', secret } };
    const order = await newOrder();
    expect(verdictOn(order, await obtain(right.issuer(binding), order)).verdict).toBe('pass');

    const wrong = issuerOnPeers(pebble, undefined);
    await wrong.accounts.put(secret, { secret: randomBytes(32).toString('base64url') });
    await expect(wrong.issuer(binding).start(order.request)).rejects.toMatchObject({ class: 'permanent' });
    const none = issuerOnPeers(pebble, undefined);
    await expect(none.issuer().start(order.request)).rejects.toMatchObject({ code: 'AcmeExternalAccountRequired' });
  });
});

describe('before Pebble that was started anew, and knows nobody', () => {
  it('the account is registered again, with its key', async () => {
    const before = await startPebble(peers, { alwaysValid: true, noSleep: true });
    const on = issuerOnPeers(before, undefined);
    const warm = on.issuer();
    await obtain(warm, await newOrder());
    await before.stop();
    const port = Number(new URL(before.directoryUrl).port);
    const after = await startPebble(peers, { alwaysValid: true, noSleep: true, port });
    const again = { caBundle: readFileSync(after.caFile, 'utf8') };
    const { request } = await newOrder();
    await expect(on.issuer(again).start(request)).rejects.toMatchObject({ code: 'AcmeAccountDoesNotExist' });
    expect(await obtain(on.issuer(again), await newOrder())).toBeDefined();
  });
});

describe('before step-ca, which has neither profiles nor renewal information', () => {
  let stepCa: StepCa;
  beforeAll(async () => {
    stepCa = await startStepCa(peers, dns);
  });

  it('a certificate is obtained, for as long as the manifest says, up to the root that a person names', async () => {
    const on = issuerOnPeers({ ...stepCa, caFile: stepCa.rootFile }, dns);
    const order = await newOrder();
    const short = { ...order, request: { ...order.request, notAfter: Date.now() + 2 * 3_600_000 } };
    const issuer = on.issuer({ sendsNotAfter: true, trustAnchors: [readFileSync(stepCa.rootFile, 'utf8')] });
    const chain = await obtain(issuer, short);
    expect(verdictOn(order, chain).verdict).toBe('pass');
    const { notAfter } = readCertificate(chain.leaf);
    expect(Math.abs(notAfter - short.request.notAfter)).toBeLessThan(120_000);
    expect(chain.offersRenewalInfo).toBe(false);
    expect(await issuer.renewalInfo?.(leafFactsOf(readCertificate(chain.leaf)))).toMatchObject({ window: undefined });
    await issuer.revoke?.({ certificate: chain.leaf, reason: 'superseded' });
  });
});

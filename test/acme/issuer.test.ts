import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../functions/core/gate.ts';
import type { IssuedChain } from '../../functions/core/certificate.ts';
import { readCertificate, leafFactsOf } from '../../functions/core/x509/leaf.ts';
import { DAY_MS, HOUR_MS } from '../../functions/core/time.ts';
import { acmeVerdict } from '../support/acme-verdict.ts';
import { caBench, type CaBench, goOn, type Order, ticketAt, ZONE } from './ca-bench.ts';

const gate = (bench: CaBench, order: Order, chain: IssuedChain): Verdict =>
  acmeVerdict(order, chain, bench.clock.now());

const COLD = ['directory', 'newNonce', 'newAccount'];
const NEW_AUTHORIZATION = ['newOrder', 'authorization', 'challenge', 'order', 'finalize', 'order', 'certificate'];
const VALID_AUTHORIZATION = ['newOrder', 'finalize', 'order', 'certificate'];
const TWO_NAMES = [...NEW_AUTHORIZATION, 'authorization', 'challenge', 'newNonce'].toSorted();

describe('requests to the CA for one certificate with one name', () => {
  it('are ten where nothing is known, and the protocol has no fewer', async () => {
    const bench = await caBench();
    await bench.obtain(bench.issuer(), await bench.order());
    expect(bench.requests()).toEqual([...COLD, ...NEW_AUTHORIZATION]);
  });

  it('are seven with a warm account and a spare nonce, eight without one', async () => {
    const bench = await caBench();
    const warm = bench.issuer();
    await bench.obtain(warm, await bench.order());
    bench.requests();
    await bench.obtain(warm, await bench.order());
    expect(bench.requests()).toEqual(NEW_AUTHORIZATION);
    // Another function: the account is known from the store, and the directory from the last connection.
    await bench.obtain(bench.issuer(), await bench.order());
    expect(bench.requests()).toEqual(['newNonce', ...NEW_AUTHORIZATION]);
  });

  it('are five, or four, with an authorization that is still valid', async () => {
    const bench = await caBench();
    bench.ca.settings.reusesAuthorizations = true;
    const [warm, spec] = [bench.issuer(), { dnsNames: [`again.${ZONE}`] }];
    await bench.obtain(warm, await bench.order(spec));
    bench.requests();
    await bench.obtain(warm, await bench.order(spec));
    expect(bench.requests()).toEqual(VALID_AUTHORIZATION);
    await bench.obtain(bench.issuer(), await bench.order(spec));
    expect(bench.requests()).toEqual(['newNonce', ...VALID_AUTHORIZATION]);
  });

  it('are not more when fifty are obtained side by side on one account', async () => {
    const bench = await caBench();
    await bench.obtain(bench.issuer(), await bench.order());
    bench.requests();
    const [issuer, orders] = [bench.issuer(), await Promise.all(Array.from({ length: 50 }, () => bench.order()))];
    await Promise.all(orders.map((order) => bench.obtain(issuer, order)));
    const requests = bench.requests();
    expect(requests.length).toBeLessThanOrEqual(50 * 8);
    expect(requests.filter((resource) => resource === 'newAccount' || resource === 'directory')).toEqual([]);
  });

  it('are two more for another name, an authorization and a challenge, and a nonce to do two at a time', async () => {
    const bench = await caBench();
    const warm = bench.issuer();
    await bench.obtain(warm, await bench.order());
    bench.requests();
    await bench.obtain(warm, await bench.order({ dnsNames: [`two.${ZONE}`, `*.two.${ZONE}`] }));
    expect(bench.requests().toSorted()).toEqual(TWO_NAMES);
  });
});

describe('a certificate', () => {
  it('for apex and wildcard is proved by two records of one name, which are gone afterwards', async () => {
    const bench = await caBench();
    const order = await bench.order({ dnsNames: [ZONE, `*.${ZONE}`] });
    const chain = await bench.obtain(bench.issuer(), order);
    expect(gate(bench, order, chain).verdict).toBe('pass');
    expect(bench.dns.added.map(({ name }) => name)).toEqual([`_acme-challenge.${ZONE}`, `_acme-challenge.${ZONE}`]);
    expect(bench.dns.values(`_acme-challenge.${ZONE}`)).toEqual([]);
  });

  it('needs no DNS where the CA has approved its names beforehand', async () => {
    const bench = await caBench();
    bench.ca.settings.preApproved = true;
    const order = await bench.order();
    expect(gate(bench, order, await bench.obtain(bench.issuer({ solvers: [] }), order)).verdict).toBe('pass');
    expect(bench.dns.added).toEqual([]);
    expect(bench.requests()).not.toContain('authorization');
  });

  it('is obtained a hundred times of a hundred when the CA refuses half of all good nonces', async () => {
    const bench = await caBench();
    bench.ca.settings.rejectsNonces = 0.5;
    const [issuer, orders] = [bench.issuer(), await Promise.all(Array.from({ length: 100 }, () => bench.order()))];
    const chains = await Promise.all(orders.map((order) => bench.obtain(issuer, order)));
    expect(chains).toHaveLength(100);
    expect(bench.ca.issued).toHaveLength(100);
  });

  it('costs one request more when one good nonce is refused', async () => {
    const bench = await caBench();
    bench.ca.settings.rejectsNonces = 0.5;
    const draws = [1, 0];
    bench.ca.settings.random = () => draws.shift() ?? 1;
    const issuer = bench.issuer();
    await bench.obtain(issuer, await bench.order());
    expect(bench.requests()).toEqual([...COLD, 'newOrder', ...NEW_AUTHORIZATION]);
    // The nonce that came with the refusal is used up: two requests at a time want another one.
    await bench.obtain(issuer, await bench.order({ dnsNames: [`two.${ZONE}`, `*.two.${ZONE}`] }));
    expect(bench.requests().toSorted()).toEqual(TWO_NAMES);
  });

  it('has the life of its profile', async () => {
    const bench = await caBench();
    const order = await bench.order();
    const { leaf } = await bench.obtain(bench.issuer({ profile: 'shortlived' }), order);
    const { notBefore, notAfter } = readCertificate(leaf);
    expect(Math.round((notAfter - notBefore) / HOUR_MS)).toBe(160);
  });

  it('is not ordered for a profile that the CA does not offer', async () => {
    const bench = await caBench();
    await expect(bench.issuer({ profile: 'nope' }).start((await bench.order()).request)).rejects.toMatchObject({
      class: 'permanent',
      code: 'AcmeInvalidProfile',
      message: expect.stringContaining('classic, tlsserver, shortlived') as unknown,
    });
    expect(bench.requests()).not.toContain('newOrder');
  });

  it('ends when the manifest says, where the CA can be told', async () => {
    const bench = await caBench();
    bench.ca.settings.allowsDates = true;
    const order = await bench.order({}, { notAfter: bench.clock.now() + 7 * DAY_MS });
    const { leaf } = await bench.obtain(bench.issuer({ sendsNotAfter: true }), order);
    expect(readCertificate(leaf).notAfter).toBe(bench.clock.now() + 7 * DAY_MS);
  });

  it('comes with the chain that the issuer prefers, or the first one where there is no such', async () => {
    const bench = await caBench();
    const issuerOfTop = ({ intermediates }: IssuedChain): string | undefined =>
      new X509Certificate(intermediates.at(-1) ?? '').issuer?.replace(/^[^]*CN=/, '');
    const usual = issuerOfTop(await bench.obtain(bench.issuer(), await bench.order()));
    const roots = bench.ca.roots.map((pem) => new X509Certificate(pem).subject.replace(/^[^]*CN=/, ''));
    const other = roots.find((name) => name !== usual) ?? '';
    for (const [preferredChain, expected] of [
      [other, other],
      [usual, usual],
      ['Nobody Root', usual],
    ] as const) {
      const issuer = bench.issuer(preferredChain === undefined ? {} : { preferredChain });
      expect(issuerOfTop(await bench.obtain(issuer, await bench.order()))).toBe(expected);
    }
  });

  it('is verified up to the anchors that a person names, by an alternate chain where only that leads there', async () => {
    const bench = await caBench();
    for (const anchor of bench.ca.roots) {
      const order = await bench.order();
      const chain = await bench.obtain(bench.issuer({ trustAnchors: [anchor] }), order);
      expect(gate(bench, order, chain)).toMatchObject({
        verdict: 'pass',
        chain: { trustAnchors: [new X509Certificate(anchor).toString()] },
      });
    }
    const order = await bench.order();
    const strangers = (await caBench()).ca.roots;
    const chain = await bench.obtain(bench.issuer({ trustAnchors: strangers }), order);
    expect(gate(bench, order, chain).verdict).toBe('refuse');
    const publicly = await bench.obtain(bench.issuer({ trustAnchors: 'public' }), await bench.order());
    expect(publicly.trustAnchors).toEqual([]);
  });
});

describe('the account', () => {
  it('is registered once, whoever comes at the same time, with its address', async () => {
    const bench = await caBench();
    const orders = await Promise.all([bench.order(), bench.order(), bench.order()]);
    await Promise.all(orders.map((order) => bench.obtain(bench.issuer({ email: 'a@acme.example' }), order)));
    expect(new Set(bench.ca.issued.map(({ account }) => account)).size).toBe(1);
  });

  it('is bound to an external one, with the key that a person has put into the store', async () => {
    const hmacKey = Buffer.from('a key from the CA’s web page').toString('base64url');
    const bench = await caBench({ externalAccounts: { 'kid-1': hmacKey } });
    const secret = { name: 'eab', key: 'secret' };
    const binding = { externalAccountBinding: { keyId: 'kid-1', secret } };
    await expect(bench.obtain(bench.issuer(binding), await bench.order())).rejects.toMatchObject({
      code: 'SecretMissing',
    });
    await bench.accounts.put(secret, { secret: `${hmacKey}\n` });
    expect(await bench.obtain(bench.issuer(binding), await bench.order())).toBeDefined();
    await bench.accounts.lose(secret);
    expect(await bench.obtain(bench.issuer(binding), await bench.order())).toBeDefined();
  });

  it('is not asked for where the CA wants a binding and the issuer has none', async () => {
    const bench = await caBench({ externalAccounts: { 'kid-1': 'c2VjcmV0' } });
    await expect(bench.obtain(bench.issuer(), await bench.order())).rejects.toMatchObject({
      class: 'permanent',
      code: 'AcmeExternalAccountRequired',
    });
    expect(bench.requests()).toEqual(['directory']);
  });

  it('is registered again with its key when the CA has lost it', async () => {
    const [first, second] = [await caBench(), await caBench()];
    const issuer = first.issuer();
    await first.obtain(issuer, await first.order());
    const key = await first.accounts.read({ name: 'account', key: 'tls.key' });
    // The same key and the URL of an account that this CA has never had.
    await second.accounts.create({ name: 'account', key: 'tls.key' }, async () => key?.key ?? fail());
    await second.accounts.noteUrl(
      { name: 'account', key: 'tls.key' },
      second.ca.directoryUrl,
      `${second.ca.directoryUrl.replace('directory', 'account')}/404`,
    );
    const other = second.issuer();
    await expect(other.start((await second.order()).request)).rejects.toMatchObject({
      class: 'transient',
      code: 'AcmeAccountDoesNotExist',
      endsAttempt: true,
    });
    expect(await second.obtain(other, await second.order())).toBeDefined();
  });

  it.each([
    ['Ed25519', () => generateKeyPairSync('ed25519')],
    ['RSA with 1024 bits', () => generateKeyPairSync('rsa', { modulusLength: 1024 })],
    ['secp256k1', () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' })],
  ])('is not signed for with %s', async (_kind, make) => {
    const bench = await caBench();
    await bench.accounts.create({ name: 'account', key: 'tls.key' }, async () => make().privateKey);
    await expect(bench.issuer().start((await bench.order()).request)).rejects.toMatchObject({
      class: 'permanent',
      code: 'AccountKeyUnfit',
    });
    expect(bench.requests()).toEqual([]);
  });

  it('is not made where a person is to bring its key, and used where one has', async () => {
    const bench = await caBench();
    const issuer = bench.issuer({ makesAccountKey: false });
    await expect(issuer.start((await bench.order()).request)).rejects.toMatchObject({ code: 'AccountKeyMissing' });
    expect(bench.requests()).toEqual([]);
    const { key } = await bench.accounts.create({ name: 'account', key: 'tls.key' }, async () => {
      const { generateKey } = await import('../../functions/issue/keys.ts');
      return generateKey({ algorithm: 'RSA', sizeBits: 2048 });
    });
    expect(key.asymmetricKeyType).toBe('rsa');
    expect(await bench.obtain(issuer, await bench.order())).toBeDefined();
  });
});

const fail = (): never => {
  throw new Error('no key');
};

describe('what a renewal replaces', () => {
  const renewalOf = async (bench: CaBench, leaf: string, account: string | undefined, dnsNames: string[]) =>
    bench.order(
      { dnsNames },
      { replaces: { leaf: leafFactsOf(readCertificate(leaf)), ...(account === undefined ? {} : { account }) } },
    );

  it('is told to the CA and the account that issued it', async () => {
    const bench = await caBench();
    const [issuer, order] = [bench.issuer(), await bench.order()];
    const first = await bench.obtain(issuer, order);
    const { dnsNames } = order.request.certificate;
    await bench.obtain(issuer, await renewalOf(bench, first.leaf, first.account, dnsNames));
    expect(bench.ca.issued.at(-1)?.replaces).toBeDefined();
  });

  it('is told to no other account, and no other CA', async () => {
    const bench = await caBench();
    const [issuer, order] = [bench.issuer(), await bench.order()];
    const first = await bench.obtain(issuer, order);
    for (const account of [undefined, 'https://elsewhere.example/account/1']) {
      await bench.obtain(issuer, await renewalOf(bench, first.leaf, account, order.request.certificate.dnsNames));
      expect(bench.ca.issued.at(-1)?.replaces).toBeUndefined();
    }
  });

  it('is left out, once, where the CA says that it has a successor already', async () => {
    const bench = await caBench();
    const [issuer, order] = [bench.issuer(), await bench.order()];
    const first = await bench.obtain(issuer, order);
    const again = () => renewalOf(bench, first.leaf, first.account, order.request.certificate.dnsNames);
    await bench.obtain(issuer, await again());
    bench.requests();
    await bench.obtain(issuer, await again());
    expect(bench.requests().filter((resource) => resource === 'newOrder')).toHaveLength(2);
    expect(bench.ca.issued).toHaveLength(3);
  });

  it('is suggested by the CA, which also says when to ask again', async () => {
    const bench = await caBench();
    const issuer = bench.issuer();
    const { leaf, offersRenewalInfo } = await bench.obtain(issuer, await bench.order());
    expect(offersRenewalInfo).toBe(true);
    const facts = leafFactsOf(readCertificate(leaf));
    const info = await issuer.renewalInfo?.(facts);
    expect(info?.checkAfterSeconds).toBe(6 * 3_600);
    const middle = ((info?.window?.start ?? 0) + (info?.window?.end ?? 0)) / 2;
    expect((middle - facts.notBefore) / (facts.notAfter - facts.notBefore)).toBeCloseTo(2 / 3, 2);
    expect(bench.ca.requests.at(-1)).toMatchObject({ method: 'GET', resource: 'renewalInfo' });
  });
});

describe('a window that no ledger can hold', () => {
  it.each([
    ['+010000-01-01T00:00:00Z', '+010000-01-02T00:00:00Z'],
    ['-000001-01-01T00:00:00Z', '2026-06-01T00:00:00Z'],
    ['tomorrow', 'the day after'],
  ])('from %s is none', async (start, end) => {
    const bench = await caBench();
    bench.ca.use(async (call, next) =>
      call.resource === 'renewalInfo'
        ? { status: 200, headers: {}, body: JSON.stringify({ suggestedWindow: { start, end } }) }
        : next(),
    );
    const issuer = bench.issuer();
    const { leaf } = await bench.obtain(issuer, await bench.order());
    const info = await issuer.renewalInfo?.(leafFactsOf(readCertificate(leaf)));
    expect(info).toEqual({ window: undefined, checkAfterSeconds: 6 * 3_600 });
  });
});

describe('a revocation', () => {
  it('is asked for by the account, and asking twice is no failure', async () => {
    const bench = await caBench();
    const issuer = bench.issuer();
    const { leaf } = await bench.obtain(issuer, await bench.order());
    for (let turn = 0; turn < 2; turn++) await issuer.revoke?.({ certificate: leaf, reason: 'superseded' });
    expect(bench.ca.issued[0]?.revoked).toMatchObject({ by: 'account', reason: 4 });
  });

  it('is asked for with the key of the certificate, by whoever has lost the account', async () => {
    const bench = await caBench();
    const { generateKey } = await import('../../functions/issue/keys.ts');
    const { keyHandle } = await import('../../functions/core/key-handle.ts');
    const { buildCsr } = await import('../../functions/core/x509/csr.ts');
    const [order, certificateKey] = [await bench.order(), await generateKey({ algorithm: 'ECDSA', sizeBits: 384 })];
    const csr = await buildCsr(order.request.certificate, keyHandle(certificateKey));
    const { leaf } = await bench.obtain(bench.issuer(), { ...order, request: { ...order.request, csr } });
    await bench.accounts.lose({ name: 'account', key: 'tls.key' });
    const issuer = bench.issuer({ makesAccountKey: false });
    await issuer.revoke?.({ certificate: leaf, reason: 'keyCompromise', certificateKey });
    expect(bench.ca.issued[0]?.revoked).toMatchObject({ by: 'certificateKey', reason: 1 });
  });
});

describe('an order that was interrupted', () => {
  it.each(['authorizing', 'presenting', 'validating', 'processing'])('is taken up again from %s', async (phase) => {
    const bench = await caBench();
    bench.ca.settings.finalizeLooks = 2;
    bench.ca.settings.validationDelayMs = 30;
    const order = await bench.order();
    const ticket = await ticketAt(bench.issuer(), order, phase);
    for (let turn = 0; turn < 2; turn++) {
      const step = await goOn(bench.issuer(), order, { status: 'waiting', ticket, checkAfterSeconds: 0 }, 500);
      if (step.status !== 'done') throw new Error('not done');
      expect(gate(bench, order, step.value).verdict).toBe('pass');
    }
    expect(bench.ca.issued).toHaveLength(1);
    expect(bench.dns.values(bench.dns.added[0]?.name ?? '')).toEqual([]);
  });

  it('is found again by ordering again, where the CA re-uses orders', async () => {
    const bench = await caBench();
    bench.ca.settings.reusesOrders = true;
    const order = await bench.order();
    const lost = await bench.issuer().start(order.request);
    const found = await bench.issuer().start(order.request);
    if (lost.status !== 'waiting' || found.status !== 'waiting') throw new Error('not placed');
    expect(found.ticket['order']).toBe(lost.ticket['order']);
  });

  it('and finalized by another certificate of the same names is given up for a new one', async () => {
    const bench = await caBench();
    bench.ca.settings.reusesOrders = true;
    const [issuer, dnsNames] = [bench.issuer(), [`twins.${ZONE}`]];
    const [mine, theirs] = [await bench.order({ dnsNames }), await bench.order({ dnsNames })];
    const ticket = await ticketAt(issuer, mine, 'presenting');
    await bench.obtain(issuer, theirs);
    const waiting = { status: 'waiting' as const, ticket, checkAfterSeconds: 0 };
    await expect(goOn(issuer, mine, waiting, 20)).rejects.toMatchObject({ code: 'OrderTaken', endsAttempt: true });
  });

  it('gives back what it held when it is abandoned, as often as one likes', async () => {
    const bench = await caBench();
    const order = await bench.order({ dnsNames: [`left.${ZONE}`] });
    const ticket = await ticketAt(bench.issuer(), order, 'presenting');
    const record = {
      zone: ZONE,
      name: `_acme-challenge.left.${ZONE}`,
      value: JSON.parse(ticket['state'] ?? '{}').challenges[0].placement.value as string,
    };
    await bench.dns.add([record]);
    for (let turn = 0; turn < 2; turn++) await bench.issuer().abandon(ticket);
    expect(bench.dns.values(record.name)).toEqual([]);
    await expect(
      goOn(bench.issuer(), order, { status: 'waiting', ticket, checkAfterSeconds: 0 }, 5),
    ).rejects.toMatchObject({
      endsAttempt: true,
    });
    expect(bench.ca.issued).toEqual([]);
  });
});

import { generateKeyPairSync } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { AcmeSession, type AcmeStage, acmeStage, problemIn, type Reply } from './acme-stage.ts';

const AGREED = { termsOfServiceAgreed: true };

let stage: AcmeStage;
let session: AcmeSession;

beforeEach(async () => {
  stage = await acmeStage();
  session = await AcmeSession.open(stage.server);
});

describe('newAccount', () => {
  test('makes one account a key', async () => {
    const first = await session.postByKey('new-account', { ...AGREED, contact: ['mailto:ops@example.org'] });
    const second = await session.postByKey('new-account', AGREED);
    const found = await session.postByKey('new-account', { onlyReturnExisting: true });
    expect([first, second, found].map(({ status }) => status)).toEqual([201, 200, 200]);
    expect(new Set([first, second, found].map(({ headers }) => headers.location)).size).toBe(1);
    expect(found.body).toEqual({
      status: 'valid',
      contact: ['mailto:ops@example.org'],
      termsOfServiceAgreed: true,
      orders: `${String(first.headers.location)}/orders`,
    });
  });

  test.each([
    [{ onlyReturnExisting: true }, 'accountDoesNotExist'],
    [{}, 'malformed'],
    [{ termsOfServiceAgreed: false }, 'malformed'],
    [{ ...AGREED, contact: ['tel:+4912345'] }, 'unsupportedContact'],
    [{ ...AGREED, contact: ['mailto:nobody'] }, 'invalidContact'],
    [{ ...AGREED, contact: ['mailto:a@example.org,b@example.org'] }, 'invalidContact'],
    [{ ...AGREED, contact: 'mailto:a@example.org' }, 'malformed'],
    ['text', 'malformed'],
    [undefined, 'malformed'],
  ])('refuses %o: %s', async (payload, problem) => {
    expect(problemIn(await session.postByKey('new-account', payload))).toBe(problem);
  });

  test('refuses keys that are weak, unknown or nonsense', async () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey.export({ format: 'jwk' });
    for (const jwk of [weak, { kty: 'oct', k: 'AAAA' }, { ...session.jwk, x: 'AAAA' }, 'key']) {
      expect(problemIn(await session.postByKey('new-account', AGREED, { jwk }))).toBe('badPublicKey');
    }
  });
});

describe('an account', () => {
  beforeEach(async () => {
    session = await AcmeSession.register(stage.server);
  });

  test('changes its addresses', async () => {
    expect((await session.post(session.kid, { contact: ['mailto:new@example.org'] })).body['contact']).toEqual([
      'mailto:new@example.org',
    ]);
    expect((await session.post(session.kid)).body['contact']).toEqual(['mailto:new@example.org']);
    expect(problemIn(await session.post(session.kid, { contact: ['new@example.org'] }))).toBe('unsupportedContact');
  });

  test('that is deactivated can do nothing more', async () => {
    expect((await session.post(session.kid, { status: 'deactivated' })).body['status']).toBe('deactivated');
    expect(problemIn(await session.post(session.kid))).toBe('unauthorized');
    expect(problemIn(await session.postByKey('new-account', AGREED))).toBe('unauthorized');
  });

  test('lists its orders, all but the lost', async () => {
    const order = { identifiers: [{ type: 'dns', value: 'shop.example' }] };
    const kept = await session.post('new-order', order);
    const lost = await session.post('new-order', order);
    const [authorization = ''] = lost.body['authorizations'] as string[];
    await session.post(authorization, { status: 'deactivated' });
    expect((await session.post(`${session.kid}/orders`)).body).toEqual({ orders: [kept.headers.location] });
  });
});

describe('keyChange', () => {
  let next: AcmeSession;

  beforeEach(async () => {
    session = await AcmeSession.register(stage.server);
    next = await AcmeSession.open(stage.server, 'ES384');
  });

  interface Change {
    readonly payload?: unknown;
    readonly header?: Readonly<Record<string, unknown>>;
    readonly signer?: AcmeSession;
  }

  async function change({ payload, header, signer = next }: Change = {}): Promise<Reply> {
    const url = session.url('key-change');
    const wish = payload ?? { account: session.kid, oldKey: session.jwk };
    return await session.post('key-change', await signer.jws(wish, { url, jwk: next.jwk, ...header }));
  }

  test('puts the new key in place of the old one', async () => {
    expect((await change()).status).toBe(200);
    expect(problemIn(await session.post(session.kid))).toBe('malformed');
    next.kid = session.kid;
    expect((await next.post(session.kid)).status).toBe(200);
    expect(problemIn(await session.postByKey('new-account', { onlyReturnExisting: true }))).toBe('accountDoesNotExist');
  });

  test('refuses what is not as RFC 8555 has it', async () => {
    const { jwk: oldKey } = await AcmeSession.open(stage.server);
    const refused = [
      await change({ payload: { account: `${session.kid}x`, oldKey: session.jwk } }),
      await change({ payload: { account: session.kid, oldKey } }),
      await change({ payload: { account: session.kid } }),
      await change({ header: { url: session.url('new-order') } }),
      await change({ header: { nonce: await session.nonce() } }),
      await change({ header: { jwk: undefined, kid: session.kid } }),
      await change({ signer: await AcmeSession.open(stage.server, 'ES384') }),
      await session.post('key-change', { account: session.kid }),
    ];
    expect(refused.map(problemIn)).toEqual(refused.map(() => 'malformed'));
    expect((await session.post(session.kid)).status).toBe(200);
  });

  test('refuses the key of another account, and says whose it is', async () => {
    const { headers } = await next.postByKey('new-account', AGREED);
    expect(await change()).toMatchObject({ status: 409, headers: { location: headers.location } });
  });
});

describe('an external account', () => {
  const KEY = Buffer.alloc(32, 7);

  interface Binding {
    readonly kid?: string;
    readonly key?: Buffer;
    readonly header?: Readonly<Record<string, unknown>>;
    readonly payload?: unknown;
  }

  beforeEach(async () => {
    stage = await acmeStage({ externalAccounts: { 'kid-1': KEY.toString('base64url') } });
    session = await AcmeSession.open(stage.server);
  });

  async function bind({ kid = 'kid-1', key = KEY, header, payload = session.jwk }: Binding = {}): Promise<Reply> {
    const secret = await crypto.subtle.importKey('raw', new Uint8Array(key), { name: 'HMAC', hash: 'SHA-256' }, false, [
      'sign',
    ]);
    const url = session.url('new-account');
    const externalAccountBinding = await session.jws(payload, { alg: 'HS256', kid, url, ...header }, secret);
    return await session.postByKey('new-account', { ...AGREED, externalAccountBinding });
  }

  test('is asked for', async () => {
    expect((await session.send('directory')).body['meta']).toMatchObject({ externalAccountRequired: true });
    expect(problemIn(await session.postByKey('new-account', AGREED))).toBe('externalAccountRequired');
  });

  test('is shown with the account', async () => {
    const { status, body } = await bind();
    expect(status).toBe(201);
    expect(body['externalAccountBinding']).toMatchObject({ payload: expect.any(String) as unknown });
  });

  test('is bound by its own key to the very key of the account', async () => {
    const { jwk } = await AcmeSession.open(stage.server);
    const replies = [
      await bind({ kid: 'kid-2' }),
      await bind({ kid: 'toString' }),
      await bind({ key: Buffer.alloc(32, 8) }),
      await bind({ payload: jwk }),
      await bind({ header: { url: session.url('new-order') } }),
      await bind({ header: { nonce: 'x' } }),
    ];
    expect(replies.map(problemIn)).toEqual([
      'unauthorized',
      'unauthorized',
      'unauthorized',
      'malformed',
      'malformed',
      'malformed',
    ]);
  });
});

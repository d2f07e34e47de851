import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { exportJWK } from 'jose';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  AcmeSession,
  type AcmeStage,
  acmeStage,
  challengeOf,
  collect,
  csr,
  NOW,
  obtain,
  type PlacedOrder,
  placeOrder,
  problemIn,
  prove,
  readyOrder,
  type Reply,
} from './acme-stage.ts';

const NAMES = ['shop.example'];
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let stage: AcmeStage;
let session: AcmeSession;

beforeEach(async () => {
  stage = await acmeStage();
  session = await AcmeSession.register(stage.server);
});

const statusOf = async (url: string): Promise<unknown> => (await session.post(url)).body['status'];
const finalize = async (order: PlacedOrder, names: readonly string[] = NAMES): Promise<Reply> =>
  await session.post(`${order.url}/finalize`, { csr: await csr({ names }) });

describe('an order', () => {
  test('goes from pending over ready and processing to valid', async () => {
    const order = await placeOrder(session, NAMES);
    expect(order.reply.status).toBe(201);
    expect(order.reply.body).toEqual({
      status: 'pending',
      expires: new Date(NOW + 7 * DAY_MS).toISOString(),
      identifiers: [{ type: 'dns', value: 'shop.example' }],
      authorizations: [expect.stringContaining('/authorization/')],
      finalize: `${order.url}/finalize`,
    });
    expect(problemIn(await finalize(order))).toBe('orderNotReady');
    await prove(stage, session, order.authorizations[0] ?? '');
    expect(await statusOf(order.url)).toBe('ready');
    expect(await finalize(order)).toMatchObject({ status: 200, body: { status: 'processing' } });
    const { body } = await session.post(order.url);
    expect(body).toMatchObject({ status: 'valid', certificate: expect.stringContaining('/certificate/') as unknown });
    expect(problemIn(await finalize(order))).toBe('orderNotReady');
  });

  test.each([
    [-1, ['valid', 'valid']],
    [0, ['processing', 'valid']],
    [2, ['processing', 'processing', 'processing', 'valid', 'valid']],
  ])('with finalizeLooks %d is %j, from finalize on', async (finalizeLooks, expected) => {
    Object.assign(stage.server.settings, { finalizeLooks, preApproved: true });
    const order = await placeOrder(session, NAMES);
    const seen = [(await finalize(order)).body['status']];
    while (seen.length < expected.length) seen.push(await statusOf(order.url));
    expect(seen).toEqual(expected);
  });

  test('becomes invalid with an authorization that fails, is given up or expires', async () => {
    const [failed, left, late] = [
      await placeOrder(session, NAMES),
      await placeOrder(session, NAMES),
      await placeOrder(session, NAMES, { profile: 'shortlived' }),
    ];
    const { url } = await challengeOf(session, failed.authorizations[0] ?? '', 'dns-01');
    await session.post(url, {});
    await session.post(left.authorizations[0] ?? '', { status: 'deactivated' });
    expect([await statusOf(failed.url), await statusOf(left.url), await statusOf(late.url)]).toEqual([
      'invalid',
      'invalid',
      'pending',
    ]);
    stage.clock.pass(HOUR_MS);
    expect(await statusOf(late.url)).toBe('invalid');
    expect(await statusOf(late.authorizations[0] ?? '')).toBe('expired');
    expect(problemIn(await finalize(late))).toBe('orderNotReady');
  });

  test('expires when it is not finalized, be it ready', async () => {
    const order = await readyOrder(stage, session, NAMES);
    stage.clock.pass(7 * DAY_MS - 1);
    expect(await statusOf(order.url)).toBe('ready');
    stage.clock.pass(1);
    expect(await statusOf(order.url)).toBe('invalid');
    expect(await statusOf(order.authorizations[0] ?? '')).toBe('valid');
  });

  test('has each name once, in small letters', async () => {
    const { reply } = await placeOrder(session, ['Shop.example', 'shop.example', '*.shop.example']);
    expect(reply.body['identifiers']).toEqual([
      { type: 'dns', value: '*.shop.example' },
      { type: 'dns', value: 'shop.example' },
    ]);
  });

  test.each([
    ['shop', 'rejectedIdentifier'],
    ['a.*.example', 'rejectedIdentifier'],
    ['shop..example', 'rejectedIdentifier'],
    ['-shop.example', 'rejectedIdentifier'],
    ['shop.example.', 'rejectedIdentifier'],
    ['10.0.0.1', 'rejectedIdentifier'],
    [`${'a.'.repeat(130)}example`, 'rejectedIdentifier'],
  ])('is not to be had for %s', async (name, problem) => {
    const { reply } = await placeOrder(session, ['good.example', name]);
    expect(problemIn(reply)).toBe(problem);
    expect(reply.body['subproblems']).toMatchObject([{ identifier: { type: 'dns', value: name } }]);
  });

  test.each([
    [{ identifiers: [] }, 'malformed'],
    [{ identifiers: Array.from({ length: 101 }, (_, i) => ({ type: 'dns', value: `n${i}.example` })) }, 'malformed'],
    [{ identifiers: [{ type: 'ip', value: '10.0.0.1' }] }, 'unsupportedIdentifier'],
    [{ profile: 'unheard-of' }, 'invalidProfile'],
    [{ profile: 'toString' }, 'invalidProfile'],
    [{ notAfter: '2026-04-01T00:00:00Z' }, 'malformed'],
    [{ notBefore: '2026-03-02T00:00:00Z' }, 'malformed'],
  ])('is not to be had with %o', async (more, problem) => {
    expect(problemIn((await placeOrder(session, NAMES, more)).reply)).toBe(problem);
  });

  test('has a hundred names at the most, and 25 in a short profile', async () => {
    const names = Array.from({ length: 100 }, (_, index) => `n${index}.example`);
    expect((await placeOrder(session, names)).reply.status).toBe(201);
    expect((await placeOrder(session, names, { profile: 'tlsserver' })).reply.status).toBe(400);
    expect((await placeOrder(session, names.slice(75), { profile: 'tlsserver' })).reply.status).toBe(201);
  });

  test('says when to look again, where that is set', async () => {
    Object.assign(stage.server.settings, { retryAfterSeconds: 7, finalizeLooks: 1 });
    const order = await placeOrder(session, NAMES);
    const [authorization = ''] = order.authorizations;
    const seen = [order.reply, await session.post(order.url), await session.post(authorization)];
    await prove(stage, session, authorization);
    seen.push(await session.post(authorization), await session.post(order.url), await finalize(order));
    seen.push(await session.post(order.url), await session.post(order.url));
    expect(seen.map(({ headers }) => headers['retry-after'])).toEqual([
      '7',
      '7',
      '7',
      undefined,
      undefined,
      '7',
      '7',
      undefined,
    ]);
  });
});

describe('the signing request', () => {
  let order: PlacedOrder;

  beforeEach(async () => {
    stage.server.settings.preApproved = true;
    order = await placeOrder(session, NAMES);
  });

  const submit = async (value: string): Promise<string> =>
    problemIn(await session.post(`${order.url}/finalize`, { csr: value }));

  test('has exactly the names of the order', async () => {
    expect(await submit(await csr({ names: [...NAMES, 'more.example'] }))).toBe('badCSR');
    expect(await submit(await csr({ names: ['other.example'] }))).toBe('badCSR');
    expect(await submit(await csr({ names: NAMES, subject: 'CN=other.example' }))).toBe('badCSR');
    expect(await submit(await csr({ names: NAMES, more: [{ type: 'ip', value: '10.0.0.1' }] }))).toBe('badCSR');
    expect(await submit(await csr({ names: NAMES, more: [{ type: 'email', value: 'shop.example' }] }))).toBe('badCSR');
    // What was refused may be asked again.
    expect((await finalize(order)).status).toBe(200);
  });

  test('has a strong key that is not the key of the account', async () => {
    const privateKey = createPrivateKey({ key: await exportJWK(session.key), format: 'jwk' });
    const account = { privateKey, publicKey: createPublicKey(privateKey) };
    expect(await submit(await csr({ names: NAMES, keys: account }))).toBe('badCSR');
    const weak = generateKeyPairSync('rsa', { modulusLength: 1_024 });
    expect(await submit(await csr({ names: NAMES, keys: weak }))).toBe('badCSR');
  });

  test('is signed with its own key', async () => {
    const bytes = Buffer.from(await csr({ names: NAMES }), 'base64url');
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    expect(await submit(bytes.toString('base64url'))).toBe('badCSR');
    expect(await submit('AAAA')).toBe('badCSR');
    expect(await submit('not base64url')).toBe('malformed');
  });
});

describe('re-use', () => {
  test('of orders: the same names and profile get the same order while it is open', async () => {
    const [first, second] = [await placeOrder(session, NAMES), await placeOrder(session, NAMES)];
    expect(first.url).not.toBe(second.url);
    stage.server.settings.reusesOrders = true;
    const third = await placeOrder(session, NAMES);
    expect([third.url, third.reply.status]).toEqual([second.url, 201]);
    expect((await placeOrder(session, NAMES, { profile: 'classic' })).url).not.toBe(second.url);
    expect((await placeOrder(session, ['*.shop.example'])).url).not.toBe(second.url);
    const other = await AcmeSession.register(stage.server);
    expect((await placeOrder(other, NAMES)).url).not.toBe(second.url);
    await prove(stage, session, second.authorizations[0] ?? '');
    expect((await placeOrder(session, NAMES)).reply).toMatchObject({ body: { status: 'ready' } });
    await collect(session, second, { names: NAMES });
    expect((await placeOrder(session, NAMES)).url).not.toBe(second.url);
  });

  test('of authorizations: what is proven needs no proof until it expires', async () => {
    stage.server.settings.reusesAuthorizations = true;
    await obtain(stage, session, NAMES);
    expect((await placeOrder(session, NAMES)).reply.body['status']).toBe('ready');
    expect((await placeOrder(session, ['*.shop.example'])).reply.body['status']).toBe('pending');
    const other = await AcmeSession.register(stage.server);
    expect((await placeOrder(other, NAMES)).reply.body['status']).toBe('pending');
    stage.clock.pass(30 * DAY_MS);
    expect((await placeOrder(session, NAMES)).reply.body['status']).toBe('pending');
  });

  test('is not, unless set', async () => {
    await obtain(stage, session, NAMES);
    expect((await placeOrder(session, NAMES)).reply.body['status']).toBe('pending');
  });
});

test('what is approved beforehand needs no challenge', async () => {
  stage.server.settings.preApproved = true;
  const order = await placeOrder(session, [...NAMES, '*.shop.example']);
  expect(order.reply.body['status']).toBe('ready');
  const { body } = await session.post(order.authorizations[0] ?? '');
  expect(body).toMatchObject({ status: 'valid', challenges: [], wildcard: true });
  await collect(session, order, { names: [...NAMES, '*.shop.example'] });
  expect(stage.server.issued).toHaveLength(1);
});

describe('a replacement', () => {
  let certId: string;

  beforeEach(async () => {
    await obtain(stage, session, NAMES);
    certId = stage.server.issued[0]?.certId ?? '';
  });

  const replace = async (replaces: string, names = NAMES, by = session): Promise<PlacedOrder> =>
    await placeOrder(by, names, { replaces });

  test('is noted in the order and with what it brings', async () => {
    const order = await readyOrder(stage, session, NAMES, { replaces: certId });
    expect(order.reply.body['replaces']).toBe(certId);
    await collect(session, order, { names: NAMES });
    expect(stage.server.issued[1]).toMatchObject({ replaces: certId });
  });

  test('is made once: a pending order counts, an invalid one does not', async () => {
    const first = await replace(certId);
    const { reply } = await replace(certId);
    expect([reply.status, problemIn(reply)]).toEqual([409, 'alreadyReplaced']);
    await session.post(first.authorizations[0] ?? '', { status: 'deactivated' });
    const second = await replace(certId);
    expect(second.reply.status).toBe(201);
    await prove(stage, session, second.authorizations[0] ?? '');
    await collect(session, second, { names: NAMES });
    expect(problemIn((await replace(certId)).reply)).toBe('alreadyReplaced');
  });

  test('is of a certificate of this CA and account, and shares a name with it', async () => {
    const other = await AcmeSession.register(stage.server);
    const [keyIdentifier = '', serial = ''] = certId.split('.');
    const refused = [
      await replace('nonsense'),
      await replace('aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE'),
      await replace(`${keyIdentifier}.AIdlQyE`),
      await replace(`aYhba4dGQEHhs3uEe6CuLN4ByNQ.${serial}`),
      await replace(certId, ['elsewhere.example']),
      await replace(certId, NAMES, other),
    ];
    expect(refused.map(({ reply }) => problemIn(reply))).toEqual([
      ...Array<string>(5).fill('malformed'),
      'unauthorized',
    ]);
    expect((await replace(certId, [...NAMES, 'more.example'])).reply.status).toBe(201);
  });
});

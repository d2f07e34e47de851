import { connect } from 'node:tls';
import { beforeEach, describe, expect, test } from 'vitest';
import { DROPPED } from '../../local/acme/exchange.ts';
import { AcmeSession, type AcmeStage, acmeStage, NOW, problemIn } from './acme-stage.ts';

const ORDER = { identifiers: [{ type: 'dns', value: 'shop.example' }] };

let stage: AcmeStage;
let session: AcmeSession;

beforeEach(async () => {
  stage = await acmeStage();
  session = await AcmeSession.register(stage.server);
});

/** What a signed newOrder is refused with, when its protected header is changed. */
const refusal = async (header: Readonly<Record<string, unknown>>): Promise<string> =>
  problemIn(await session.post('new-order', ORDER, header));

describe('a request', () => {
  test.each(['ES256', 'ES384', 'ES512', 'RS256'])('may be signed with %s', async (alg) => {
    const other = await AcmeSession.register(stage.server, alg);
    expect((await other.post('new-order', ORDER)).status).toBe(201);
  });

  test('may not be signed with another algorithm, and is told which there are', async () => {
    const header = { kid: session.kid, nonce: await session.nonce(), url: session.url('new-order') };
    const good = (await session.jws(ORDER, header)) as Record<string, string>;
    const forged = Buffer.from(JSON.stringify({ ...header, alg: 'none' })).toString('base64url');
    const reply = await session.submit('new-order', { ...good, protected: forged });
    expect(problemIn(reply)).toBe('badSignatureAlgorithm');
    expect(reply.body['algorithms']).toEqual(['ES256', 'ES384', 'ES512', 'RS256']);
  });

  test('may not be signed by another key than that of its account', async () => {
    const other = await AcmeSession.open(stage.server);
    other.kid = session.kid;
    const reply = await other.post('new-order', ORDER);
    expect(reply).toMatchObject({
      status: 400,
      body: { detail: 'the signature of the JWS is not right for its key and algorithm' },
    });
  });

  test('may not be for another URL than it came to', async () => {
    expect(await refusal({ url: session.url('key-change') })).toBe('unauthorized');
    expect(await refusal({ url: 'https://elsewhere.example/new-order' })).toBe('unauthorized');
    expect(await refusal({ url: undefined })).toBe('malformed');
  });

  test('names either a key or an account', async () => {
    expect(await refusal({ jwk: session.jwk })).toBe('malformed');
    expect(await refusal({ kid: undefined })).toBe('malformed');
    expect(await refusal({ kid: undefined, jwk: session.jwk })).toBe('malformed');
    expect(problemIn(await session.post('new-account', {}))).toBe('malformed');
    expect(await refusal({ kid: session.url('account/nobody') })).toBe('accountDoesNotExist');
    expect(await refusal({ kid: session.kid.replace('https', 'http') })).toBe('accountDoesNotExist');
  });

  test('has no unprotected header, one signature, and base64url without padding', async () => {
    const signed = async (change: (jws: Record<string, string>) => unknown) => {
      const header = { kid: session.kid, nonce: await session.nonce(), url: session.url('new-order') };
      return problemIn(
        await session.submit('new-order', change((await session.jws(ORDER, header)) as Record<string, string>)),
      );
    };
    expect(await signed((jws) => jws)).toBe('undefined');
    expect(await signed((jws) => ({ ...jws, header: {} }))).toBe('malformed');
    expect(await signed(({ payload, ...jws }) => ({ payload, signatures: [jws] }))).toBe('malformed');
    expect(await signed((jws) => ({ ...jws, payload: `${jws['payload']}=` }))).toBe('malformed');
    expect(await signed((jws) => [jws])).toBe('malformed');
  });

  test.each([
    [{ 'content-type': 'application/json' }, 415],
    [{ 'content-type': 'application/jose+json', 'user-agent': '' }, 400],
    [{ 'content-type': 'application/jose+json', host: 'a b' }, 400],
  ])('with the headers %o is answered %d', async (headers, status) => {
    const reply = await session.send('new-order', { method: 'POST', headers, body: '{}' });
    expect(reply).toMatchObject({ status, headers: { 'content-type': 'application/problem+json' }, body: { status } });
    expect(problemIn(reply)).toBe('malformed');
  });

  test('that is too large or no JSON is refused', async () => {
    const headers = { 'content-type': 'application/jose+json' };
    expect((await session.send('new-order', { method: 'POST', headers, body: '{' })).status).toBe(400);
    expect((await session.send('new-order', { method: 'POST', headers, body: ' '.repeat(2 ** 18) })).status).toBe(413);
  });

  test('reads by POST-as-GET, which has an empty payload', async () => {
    expect((await session.send(session.kid)).headers.allow).toBe('POST');
    expect((await session.send(session.kid)).status).toBe(405);
    expect((await session.send('directory', { method: 'DELETE' })).status).toBe(405);
    expect((await session.send('nothing')).status).toBe(404);
    const { headers } = await session.post('new-order', ORDER);
    expect((await session.post(String(headers.location))).status).toBe(200);
    expect(problemIn(await session.post(String(headers.location), {}))).toBe('malformed');
    expect((await session.post('directory')).status).toBe(200);
  });

  test('to what belongs to another account is refused', async () => {
    const { headers, body } = await session.post('new-order', ORDER);
    const other = await AcmeSession.register(stage.server);
    const [authorization = ''] = body['authorizations'] as string[];
    for (const url of [
      String(headers.location),
      String(body['finalize']),
      authorization,
      session.kid,
      `${session.kid}/orders`,
    ]) {
      expect([url, problemIn(await other.post(url))]).toEqual([url, 'unauthorized']);
    }
  });
});

describe('nonces', () => {
  test('come with newNonce, by HEAD and GET, and with every answer to a POST', async () => {
    const replies = [
      await session.send('new-nonce', { method: 'HEAD' }),
      await session.send('new-nonce'),
      await session.post('new-order', ORDER),
      await session.send('new-order', { method: 'POST', body: '{}' }),
    ];
    expect(replies.map(({ status }) => status)).toEqual([200, 204, 201, 415]);
    expect(new Set(replies.map(({ headers }) => headers['replay-nonce'])).size).toBe(4);
    expect(replies[0]?.headers['cache-control']).toBe('no-store');
    expect((await session.send('directory')).headers['replay-nonce']).toBeUndefined();
  });

  test('are good once', async () => {
    const nonce = await session.nonce();
    expect(await refusal({ nonce })).toBe('undefined');
    expect(await refusal({ nonce })).toBe('badNonce');
    expect(await refusal({ nonce: 'mine' })).toBe('badNonce');
    expect(await refusal({ nonce: undefined })).toBe('badNonce');
  });

  test('are refused by the share that is set, and the answer brings another', async () => {
    const drawn = [0.4, 0.6];
    Object.assign(stage.server.settings, { rejectsNonces: 0.5, random: () => drawn.shift() ?? 1 });
    const refused = await session.post('new-order', ORDER);
    expect([problemIn(refused), typeof refused.headers['replay-nonce']]).toEqual(['badNonce', 'string']);
    expect((await session.post('new-order', ORDER)).status).toBe(201);
  });
});

describe('the directory', () => {
  test('names everything under the host that it was asked under', async () => {
    const { body } = await session.send('directory', { headers: { host: 'acme-v02.api.example' } });
    const base = 'https://acme-v02.api.example';
    expect(body).toEqual({
      newNonce: `${base}/new-nonce`,
      newAccount: `${base}/new-account`,
      newOrder: `${base}/new-order`,
      revokeCert: `${base}/revoke-cert`,
      keyChange: `${base}/key-change`,
      renewalInfo: `${base}/renewal-info`,
      meta: {
        termsOfService: `${base}/terms`,
        profiles: { classic: '90 days', tlsserver: '45 days', shortlived: '160 hours' },
      },
    });
  });

  test('is linked to by everything else', async () => {
    const { headers } = await session.post('new-order', ORDER);
    expect(headers['link']).toBe(`<${stage.server.directoryUrl}>;rel="index"`);
    expect((await session.send('directory')).headers['link']).toBeUndefined();
  });

  test('is where it is told to be', async () => {
    const { server } = await acmeStage({ directoryPath: '/v2/DV.90/directory', profiles: {} });
    const other = await AcmeSession.register(server);
    expect(server.directoryUrl).toBe(`https://127.0.0.1:${server.port}/v2/DV.90/directory`);
    expect((await other.send(server.directoryUrl)).body['newOrder']).toBe(other.url('/new-order'));
    expect((await other.send('/v2/DVx90/directory')).status).toBe(404);
  });
});

describe('the TLS certificate', () => {
  test.each(['acme-v02.api.example', 'localhost'])('is for %s', async (servername) => {
    const { server } = await acmeStage({ hosts: ['acme-v02.api.example'] });
    const socket = connect({ port: server.port, host: '127.0.0.1', ca: server.tlsRoot, servername });
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
    expect(socket.authorized).toBe(true);
    const { valid_from, valid_to } = socket.getPeerCertificate();
    expect(Date.parse(valid_from)).toBeLessThan(NOW);
    expect(Date.parse(valid_to)).toBeGreaterThan(Date.now() + 365 * 24 * 3_600_000);
    socket.destroy();
  });
});

describe('rate limits', () => {
  test('say in seconds when to come again, and for whom they were', async () => {
    const asked: unknown[] = [];
    stage.server.settings.rateLimit = (...request) => {
      asked.push(request);
      return request[0] === 'newOrder' ? { detail: 'too many orders', retryAfterSeconds: 90 } : undefined;
    };
    const reply = await session.post('new-order', ORDER);
    expect(reply).toMatchObject({ status: 429, headers: { 'retry-after': '90' }, body: { detail: 'too many orders' } });
    expect(problemIn(reply)).toBe('rateLimited');
    expect(asked.at(-1)).toEqual(['newOrder', session.kid.split('/').at(-1), ['shop.example']]);
    expect(stage.server.requests.at(-1)).toMatchObject({ resource: 'newOrder', status: 429, problem: 'rateLimited' });
  });

  test('say as a date when to come again, by the clock of the CA', async () => {
    const limit = { detail: 'later', retryAfterSeconds: 3_600, form: 'http-date' } as const;
    stage.server.settings.rateLimit = () => limit;
    const reply = await session.send('new-nonce', { method: 'HEAD' });
    expect([reply.status, reply.headers['retry-after']]).toEqual([429, 'Sun, 01 Mar 2026 13:34:56 GMT']);
  });

  test('need not say when', async () => {
    stage.server.settings.rateLimit = () => ({ detail: 'no' });
    expect((await session.send('directory')).headers['retry-after']).toBeUndefined();
  });
});

describe('a middleware', () => {
  test('may drop the connection before the CA acts, or after', async () => {
    let acts = false;
    const remove = stage.server.use(async (call, next) => {
      if (call.resource !== 'newOrder') return await next();
      if (acts) await next();
      return DROPPED;
    });
    const before = stage.server.requests.length;
    await expect(session.post('new-order', ORDER)).rejects.toThrow('socket hang up');
    acts = true;
    await expect(session.post('new-order', ORDER)).rejects.toThrow('socket hang up');
    remove();
    const { body } = await session.post(`${session.kid}/orders`);
    expect(body['orders']).toHaveLength(1);
    const dropped = stage.server.requests.slice(before).filter(({ resource }) => resource === 'newOrder');
    expect(dropped.map(({ status }) => status)).toEqual([undefined, undefined]);
  });

  test('may answer anything, under a length of its own', async () => {
    const answers = [
      { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' },
      { status: 302, headers: { location: 'http://169.254.169.254/' }, body: '' },
      { status: 200, headers: { 'content-length': '1000' }, body: Buffer.from('{') },
    ];
    const replies = [...answers];
    stage.server.use(async () => replies.shift() ?? DROPPED);
    expect(await session.send('directory')).toMatchObject({ status: 200, text: '<html>' });
    expect(await session.send('directory')).toMatchObject({
      status: 302,
      headers: { location: 'http://169.254.169.254/' },
    });
    await expect(session.send('directory')).rejects.toThrow('aborted');
  });

  test('may repeat a request, whose nonce is used up then', async () => {
    stage.server.use(async (call, next) => {
      if (call.resource === 'newOrder') await next();
      return await next();
    });
    expect(problemIn(await session.post('new-order', ORDER))).toBe('badNonce');
  });

  test('that fails is answered for', async () => {
    stage.server.use(async () => {
      throw new Error('broken');
    });
    expect(await session.send('directory')).toMatchObject({ status: 500, body: { status: 500 } });
  });
});

test('what passes is shown as text: bodies, what was signed, and answers', async () => {
  const traffic: string[] = [];
  const { server } = await acmeStage({ onTraffic: (where, text) => traffic.push(`${where}: ${text}`) });
  await (await AcmeSession.register(server)).post('new-order', ORDER);
  expect(traffic).toContain(`newOrder: ${JSON.stringify(ORDER)}`);
  expect(traffic.filter((each) => each.startsWith('newOrder: {"signature"'))).toHaveLength(1);
  expect(traffic.filter((each) => each.startsWith('answer to newOrder: {"status":"pending"'))).toHaveLength(1);
});

test('requests are recorded in the order they came', () => {
  expect(stage.server.requests).toEqual([
    { sequence: 0, at: NOW, method: 'HEAD', resource: 'newNonce', path: '/new-nonce', status: 200 },
    { sequence: 1, at: NOW, method: 'POST', resource: 'newAccount', path: '/new-account', status: 201 },
  ]);
});

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { AcmeServer } from '../../local/acme/server.ts';
import {
  AcmeSession,
  type AcmeStage,
  type ChallengeDocument,
  acmeStage,
  challengeOf,
  NOW,
  placeOrder,
  prove,
  TxtServer,
} from './acme-stage.ts';

const DAY_MS = 24 * 3_600_000;

let stage: AcmeStage;
let session: AcmeSession;

beforeEach(async () => {
  stage = await acmeStage();
  session = await AcmeSession.register(stage.server);
});

async function authorize(name = 'shop.example'): Promise<string> {
  const { authorizations } = await placeOrder(session, [name]);
  return authorizations[0] ?? '';
}

async function accept(authorization: string, type: string): Promise<ChallengeDocument> {
  const { url } = await challengeOf(session, authorization, type);
  await session.post(url, {});
  return await challengeOf(session, authorization, type);
}

/** How a challenge ended. */
async function outcome(authorization: string, type: string): Promise<string> {
  const { status, error } = await accept(authorization, type);
  return error === undefined ? status : `${status}: ${error.type.split(':').at(-1)}`;
}

describe('an authorization', () => {
  test('offers http-01 and dns-01, a wildcard dns-01 alone', async () => {
    const { body } = await session.post(await authorize());
    expect(body).toEqual({
      identifier: { type: 'dns', value: 'shop.example' },
      status: 'pending',
      expires: new Date(NOW + 7 * DAY_MS).toISOString(),
      challenges: ['http-01', 'dns-01'].map((type) => ({
        type,
        status: 'pending',
        url: expect.stringContaining('/challenge/') as unknown,
        token: expect.stringMatching(/^[\w-]{43}$/) as unknown,
      })),
    });
    const wildcard = await session.post(await authorize('*.shop.example'));
    expect(wildcard.body).toMatchObject({ identifier: { value: 'shop.example' }, wildcard: true });
    expect(wildcard.body['challenges']).toMatchObject([{ type: 'dns-01' }]);
  });

  test('once proven shows what proved it, and lives for a month', async () => {
    const authorization = await authorize();
    const accepted = await prove(stage, session, authorization);
    expect(accepted.body['status']).toBe('processing');
    expect(accepted.headers['link']).toContain(`<${authorization}>;rel="up"`);
    const { body } = await session.post(authorization);
    expect(body).toMatchObject({ status: 'valid', expires: new Date(NOW + 30 * DAY_MS).toISOString() });
    expect(body['challenges']).toMatchObject([
      { type: 'dns-01', status: 'valid', validated: new Date(NOW).toISOString() },
    ]);
  });

  test('is settled once: nothing of it can be accepted, deactivated or proven again', async () => {
    const authorization = await authorize();
    const [dns, http] = [
      await challengeOf(session, authorization, 'dns-01'),
      await challengeOf(session, authorization, 'http-01'),
    ];
    await session.post(dns.url, {});
    expect((await session.post(authorization)).body['status']).toBe('invalid');
    expect((await session.post(http.url, {})).status).toBe(400);
    expect((await session.post(authorization, { status: 'deactivated' })).status).toBe(400);
    expect((await session.post(authorization, { status: 'valid' })).status).toBe(400);
  });

  test('may be deactivated, be it valid', async () => {
    const authorization = await authorize();
    await prove(stage, session, authorization);
    const { body } = await session.post(authorization, { status: 'deactivated' });
    expect(body['status']).toBe('deactivated');
  });

  test('stays pending while its validation waits, and the challenge is accepted once', async () => {
    stage.server.settings.validationDelayMs = 2 ** 40;
    const authorization = await authorize();
    const first = await prove(stage, session, authorization);
    const second = await session.post(String(first.body['url']), {});
    const other = await session.post((await challengeOf(session, authorization, 'http-01')).url, {});
    const statuses = [first, second, other].map(({ body: { status } }) => status);
    expect(statuses).toEqual(['processing', 'processing', 'pending']);
    const { body } = await session.post(authorization);
    expect(body).toMatchObject({ status: 'pending', challenges: [{ status: 'pending' }, { status: 'processing' }] });
  });
});

describe('dns-01', () => {
  test('takes any of several values, behind a CNAME as well', async () => {
    const name = '_acme-challenge.shop.example';
    stage.dns.put(name, 'of somebody else');
    const plain = await authorize();
    await prove(stage, session, plain);
    expect((await session.post(plain)).body['status']).toBe('valid');
    stage.dns.aliases.set('_acme-challenge.alias.example', name);
    const aliased = await authorize('alias.example');
    await prove(stage, session, aliased);
    expect((await session.post(aliased)).body['status']).toBe('valid');
    expect(stage.dns.records.get(name)).toHaveLength(3);
  });

  test('fails without the name, without records, and with wrong ones', async () => {
    expect(await outcome(await authorize(), 'dns-01')).toBe('invalid: dns');
    stage.dns.records.set('_acme-challenge.shop.example', []);
    expect(await outcome(await authorize(), 'dns-01')).toBe('invalid: unauthorized');
    stage.dns.put('_acme-challenge.shop.example', 'wrong');
    expect(await outcome(await authorize(), 'dns-01')).toBe('invalid: incorrectResponse');
  });

  test('fails when nobody is there to answer', async () => {
    const gone = await TxtServer.start();
    const dnsServer = gone.address;
    await gone.close();
    const { server } = await acmeStage({ dnsServer });
    session = await AcmeSession.register(server);
    expect(await outcome(await authorize(), 'dns-01')).toBe('invalid: dns');
  });
});

describe('http-01', () => {
  let answer: (request: IncomingMessage, response: ServerResponse) => unknown;

  beforeEach(async () => {
    const web = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1');
    await once(web, 'listening');
    onTestFinished(() => void web.close());
    stage.server.settings.httpPort = (web.address() as AddressInfo).port;
  });

  /** Serves what proves the challenge of an authorization, and how. */
  async function serve(authorization: string, serving: (proof: string) => typeof answer): Promise<void> {
    const { token } = await challengeOf(session, authorization, 'http-01');
    answer = serving(await session.keyAuthorization(token));
  }

  test('takes the key authorization from the well-known place, with space behind it', async () => {
    const authorization = await authorize();
    const asked: unknown[] = [];
    await serve(authorization, (proof) => ({ url, headers: { host } }, response) => {
      asked.push([url, host]);
      response.end(`${proof}\n`);
    });
    const { token } = await challengeOf(session, authorization, 'http-01');
    expect(await outcome(authorization, 'http-01')).toBe('valid');
    const { httpPort } = stage.server.settings;
    expect(asked).toEqual([[`/.well-known/acme-challenge/${token}`, `shop.example:${httpPort}`]]);
  });

  test('follows redirects to other hosts, but not for ever', async () => {
    const { httpPort } = stage.server.settings;
    const redirect = (location: string) => (proof: string) => (request: IncomingMessage, response: ServerResponse) => {
      if (request.url === '/there') response.end(proof);
      else response.writeHead(302, { location }).end();
    };
    const found = await authorize();
    await serve(found, redirect(`http://other.example:${httpPort}/there`));
    expect(await outcome(found, 'http-01')).toBe('valid');
    const lost = await authorize();
    let redirects = 0;
    answer = (_request, response) => response.writeHead(302, { location: `/${(redirects += 1)}` }).end();
    expect(await outcome(lost, 'http-01')).toBe('invalid: connection');
    expect(redirects).toBe(11);
    const elsewhere = await authorize();
    await serve(elsewhere, redirect('https://other.example/there'));
    const { error } = await accept(elsewhere, 'http-01');
    expect(error).toMatchObject({
      type: expect.stringContaining(':connection') as unknown,
      detail: 'https://other.example/there: redirects are followed to http: only',
    });
  });

  test('fails with wrong answers', async () => {
    answer = (_request, response) => response.writeHead(404).end();
    expect(await outcome(await authorize(), 'http-01')).toBe('invalid: unauthorized');
    answer = (_request, response) => response.end('wrong');
    expect(await outcome(await authorize(), 'http-01')).toBe('invalid: incorrectResponse');
    answer = (_request, response) => response.destroy();
    expect(await outcome(await authorize(), 'http-01')).toBe('invalid: connection');
  });

  test('fails without an address, and with one beyond this machine', async () => {
    expect(await outcome(await authorize('nowhere.example'), 'http-01')).toBe('invalid: dns');
    const { error } = await accept(await authorize('far.example'), 'http-01');
    expect(error?.type).toContain(':connection');
    expect(error?.detail).toContain('192.0.2.1 is not on this machine');
  });

  test('reads only so much', async () => {
    answer = (_request, response) => void response.write('.'.repeat(70_000));
    expect(await outcome(await authorize(), 'http-01')).toBe('invalid: incorrectResponse');
  });

  test('proves nothing for an authorization that was deactivated meanwhile', async () => {
    const authorization = await authorize();
    await serve(authorization, (proof) => async (_request, response) => {
      await session.post(authorization, { status: 'deactivated' });
      response.end(proof);
    });
    expect(await outcome(authorization, 'http-01')).toBe('valid');
    expect((await session.post(authorization)).body['status']).toBe('deactivated');
  });
});

test('without a DNS server nothing can be proven', async () => {
  const server = await AcmeServer.start({ clock: { now: () => NOW } });
  onTestFinished(() => server.close());
  session = await AcmeSession.register(server);
  expect(await outcome(await authorize(), 'dns-01')).toBe('invalid: dns');
});

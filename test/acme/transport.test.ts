import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { allowedUrls } from '../../functions/issuers/acme/hosts.ts';
import { httpsTransport } from '../../functions/issuers/acme/transport.ts';
import { tlsServer, type TlsServer } from './tls-server.ts';

type Answer = Parameters<typeof tlsServer>[0];

async function serve(answer: Answer, names?: readonly string[]): Promise<TlsServer> {
  const server = await tlsServer(answer, names);
  onTestFinished(() => server.close());
  return server;
}

const get = (server: TlsServer, path = '/', host = 'localhost') =>
  httpsTransport(server.ca)({ method: 'GET', url: new URL(`https://${host}:${server.port}${path}`), headers: {} });

/** Names lead where a test says, as they do where somebody else answers for them. */
const realLookup = dns.lookup;
function lead(name: string, ...addresses: readonly string[]): void {
  const answer = (host: string, ...rest: readonly unknown[]): void => {
    const callback = rest.at(-1) as (
      error: Error | null,
      found: readonly { address: string; family: number }[],
    ) => void;
    const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    if (host === name) callback(null, found);
    else Reflect.apply(realLookup, dns, [host, ...rest]);
  };
  Object.assign(dns, { lookup: answer });
  syncBuiltinESMExports();
}
afterEach(() => {
  Object.assign(dns, { lookup: realLookup });
  syncBuiltinESMExports();
});

describe('the way to a CA', () => {
  it('sends what it is given, and answers whatever comes', async () => {
    const server = await serve((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        response.writeHead(418, { 'x-seen': `${request.method} ${request.url} ${request.headers['user-agent']}` });
        response.end(`<${body}>`);
      });
    });
    const answer = await httpsTransport(server.ca)({
      method: 'POST',
      url: new URL(`https://localhost:${server.port}/a?b`),
      headers: { 'user-agent': 'test' },
      body: 'körper',
    });
    expect(answer).toMatchObject({ status: 418, headers: { 'x-seen': 'POST /a?b test' }, body: '<körper>' });
  });

  it('does not follow redirects', async () => {
    let requests = 0;
    const server = await serve((_request, response) => {
      requests += 1;
      response.writeHead(302, { location: 'https://169.254.169.254/latest/meta-data/' }).end();
    });
    expect(await get(server)).toMatchObject({ status: 302 });
    expect(requests).toBe(1);
  });

  it('keeps its connections', async () => {
    let connections = 0;
    const server = await serve((_request, response) => void response.end('x'));
    server.server.on('secureConnection', () => (connections += 1));
    const transport = httpsTransport(server.ca);
    for (let turn = 0; turn < 3; turn++) {
      await transport({ method: 'GET', url: new URL(`https://localhost:${server.port}/`), headers: {} });
    }
    expect(connections).toBe(1);
  });

  it('does not use a connection again that was idle while a function may have been frozen', async () => {
    let connections = 0;
    const server = await serve((_request, response) => void response.end('x'));
    server.server.on('secureConnection', () => (connections += 1));
    const transport = httpsTransport(server.ca);
    const ask = () => transport({ method: 'GET', url: new URL(`https://localhost:${server.port}/`), headers: {} });
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    await ask();
    vi.setSystemTime(Date.now() + 11_000);
    await Promise.all([ask(), ask()]);
    expect(connections).toBe(3);
  });

  it('is left at once when an answer has no end', async () => {
    let sent = 0;
    const server = await serve((_request, response) => {
      const pour = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536))) sent += 65_536;
        if (!response.destroyed) response.once('drain', pour);
      };
      pour();
    });
    await expect(get(server)).rejects.toMatchObject({
      class: 'transient',
      code: 'CaAnswerTooLarge',
      mayHaveActed: true,
    });
    // What the sockets buffer, and no gigabyte.
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });

  it.each<[string, Answer]>([
    ['cut off in its head', (_request, response) => void response.destroy()],
    [
      'cut off in its body',
      (_request, response) => {
        response.writeHead(200, { 'content-length': 100 });
        response.write('only this', () => response.destroy());
      },
    ],
    [
      'none at all, but another protocol',
      ({ socket }) => void socket.end('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
    ],
  ])('says of an answer that is %s that the CA may have acted', async (_what, answer) => {
    const server = await serve(answer);
    await expect(get(server)).rejects.toMatchObject({ class: 'transient', code: 'CaUnreachable', mayHaveActed: true });
  });

  it('says of a CA that does not listen that nothing was sent', async () => {
    const server = await tlsServer((_request, response) => void response.end());
    await server.close();
    await expect(get(server)).rejects.toMatchObject({ code: 'CaUnreachable', mayHaveActed: false });
  });

  it('trusts nobody but the given roots, nor another name', async () => {
    const [server, other] = [await serve((_, r) => void r.end('x')), await serve((_, r) => void r.end('x'))];
    const url = new URL(`https://localhost:${server.port}/`);
    for (const ca of [other.ca, undefined]) {
      await expect(httpsTransport(ca)({ method: 'GET', url, headers: {} })).rejects.toMatchObject({
        class: 'transient',
        code: 'CaTlsUntrusted',
        message: expect.stringContaining('caBundle') as unknown,
      });
    }
    lead('elsewhere.example', '127.0.0.1');
    const misnamed = await serve((_, r) => void r.end('x'), ['elsewhere.example']);
    await expect(get(misnamed, '/', 'localhost')).rejects.toMatchObject({ code: 'CaTlsUntrusted' });
  });
});

describe('no way leads from a CA', () => {
  it.each([
    ['cloud metadata', '169.254.169.254'],
    ['cloud metadata by IPv6', '[fd00:ec2::254]'],
    ['what stands beside it', '[fd00:ec2::1]'],
    ['cloud metadata by IPv4 mapped into IPv6', '[::ffff:169.254.169.254]'],
    ['a link-local address', '[fe80::1]'],
    ['metadata, written as IPv4 in IPv6', '[::ffff:169.254.169.254]'],
    ['"this host"', '0.0.0.0'],
    ['"this host" by IPv6', '[::]'],
  ])('to %s (%s)', async (_what, host) => {
    const transport = httpsTransport(undefined);
    const asked = async () => transport({ method: 'GET', url: new URL(`https://${host}/`), headers: {} });
    await expect(asked()).rejects.toMatchObject({ class: 'permanent', code: 'CaAddressForbidden' });
  });

  it.each([
    ['metadata', ['169.254.169.254']],
    ['loopback, where the function itself listens', ['127.0.0.1']],
    ['loopback by IPv6', ['::1']],
    ['loopback, written as IPv4 in IPv6', ['::ffff:127.0.0.1']],
  ])('by a name that leads to %s', async (_what, addresses) => {
    let connections = 0;
    const trap: Server = createServer(() => (connections += 1));
    await once(trap.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void trap.close());
    lead('ca.example', ...addresses);
    const url = new URL(`https://ca.example:${(trap.address() as AddressInfo).port}/`);
    await expect(httpsTransport(undefined)({ method: 'GET', url, headers: {} })).rejects.toMatchObject({
      class: 'permanent',
      code: 'CaAddressForbidden',
    });
    expect(connections).toBe(0);
  });

  it.each([
    ['of another host', 'https://evil.example/order/1'],
    ['of another port of its host', 'https://ca.example:8443/order/1'],
    ['without TLS', 'http://ca.example/order/1'],
    ['with credentials in it', 'https://user:pass@ca.example/order/1'],
    ['of another scheme', 'file:///etc/passwd'],
    ['of metadata', 'https://169.254.169.254/latest/meta-data'],
    ['that is none', 'not a URL'],
    ['that is empty', ''],
  ])('by a URL %s', (_what, url) => {
    const allow = allowedUrls({ server: 'https://ca.example/directory', hosts: ['cdn.example', 'cdn.example:444'] });
    expect(() => allow(url)).toThrow(expect.objectContaining({ class: 'permanent', code: 'CaUrlForbidden' }));
    expect(allow('https://ca.example/order/1').href).toBe('https://ca.example/order/1');
    expect(allow('https://cdn.example/1').host).toBe('cdn.example');
    expect(allow('https://cdn.example:444/1').host).toBe('cdn.example:444');
  });
});

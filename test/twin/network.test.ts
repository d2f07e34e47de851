import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createSecureServer } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import * as x509 from '@peculiar/x509';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { DnsServer } from '../../local/dns/server.ts';
import { Network } from '../../local/network.ts';
import { Twin } from '../../local/twin.ts';
import { functionOf, startTwin, synthesize } from './stage.ts';

x509.cryptoProvider.set(webcrypto);

const HOST = 'acme.example.org';
const HOUR_MS = 3_600_000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function portOf(server: Server): Promise<number> {
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

/** In PEM: a certificate that vouches for itself, for HOST. */
let certificate: string;
let key: string;

beforeAll(async () => {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${HOST}`,
    keys,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(Date.now() - HOUR_MS),
    notAfter: new Date(Date.now() + HOUR_MS),
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: HOST }])],
  });
  certificate = made.toString('pem');
  key = x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
});

/** Says under which name it was asked for. */
const startTls = async (): Promise<number> =>
  portOf(
    createSecureServer({ cert: certificate, key, allowHTTP1: true }, (request, response) => {
      response.end(`tls ${request.headers.host}`);
    }),
  );

/** A function whose body is `lines`. */
async function start(lines: string): Promise<Twin> {
  const source = `
    import dns, { lookup } from 'node:dns';
    import { lookup as lookupAsync, resolveCname, resolveTxt } from 'node:dns/promises';
    import { once } from 'node:events';
    import http2 from 'node:http2';
    import https from 'node:https';
    import net from 'node:net';
    import tls from 'node:tls';
    import { promisify } from 'node:util';
    const textOf = async (stream) => { let text = ''; for await (const chunk of stream) text += chunk; return text; };
    const get = (url, options = {}) => new Promise((resolve, reject) =>
      https.get(url, options, (response) => resolve(textOf(response))).on('error', reject));
    const codeOf = (promise) => promise.then(() => 'none', (error) => (error.cause ?? error).code);
    export const handler = async (event) => { ${lines} };`;
  return await startTwin((stack) => void functionOf(stack, 'F', source));
}

describe('a function', () => {
  test('reaches a stand-in under its name, by TLS that it verifies, however it connects', async () => {
    const twin = await start(`
      const address = (await lookupAsync('${HOST}')).address;
      const own = (host, options, callback) => callback(null, [{ address, family: 4 }]);
      const session = http2.connect('https://${HOST}');
      const socket = tls.connect({ host: '${HOST}', port: 443, servername: '${HOST}' });
      await Promise.all([once(socket, 'secureConnect'), once(session, 'connect')]);
      const authorized = [socket.authorized, session.socket.authorized];
      socket.destroy();
      session.destroy();
      return [
        await get('https://${HOST}/directory'),
        await get('https://${HOST}:14000/directory', { agent: new https.Agent({ keepAlive: false }) }),
        await get('https://${HOST}/', { lookup: own }),
        await get('https://' + address + '/', { servername: '${HOST}' }),
        await (await fetch('https://${HOST}/')).text(),
        authorized,
      ];`);
    twin.network.standIn('ACME.example.org', await startTls());
    twin.network.trust(certificate);
    await expect(twin.invoke('F', {})).resolves.toEqual([
      `tls ${HOST}`,
      `tls ${HOST}:14000`,
      `tls ${HOST}`,
      expect.stringMatching(/^tls 192\.0\.2\.1$/),
      `tls ${HOST}`,
      [true, true],
    ]);
  });

  test('trusts Node.js’s roots and ours unless it names its own', async () => {
    const twin = await start(`
      const roots = tls.getCACertificates('default').length - tls.getCACertificates('bundled').length;
      return [roots, await codeOf(get('https://${HOST}/', event)), await codeOf(get('https://${HOST}/'))];`);
    twin.network.standIn(HOST, await startTls());
    const other = await x509.X509CertificateGenerator.createSelfSigned({
      name: 'CN=other',
      keys: await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']),
      signingAlgorithm: ALGORITHM,
    });
    twin.network.trust(certificate);
    const ca = other.toString('pem');
    await expect(twin.invoke('F', { ca })).resolves.toEqual([1, 'DEPTH_ZERO_SELF_SIGNED_CERT', 'none']);
  });

  test('does not trust a stand-in that nobody vouched for', async () => {
    const twin = await start(`return codeOf(get('https://${HOST}/'));`);
    twin.network.standIn(HOST, await startTls());
    await expect(twin.invoke('F', {})).resolves.toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
  });

  test('reaches each stand-in at an address of its own, in every form of connect', async () => {
    const twin = await start(`
      const { address } = await lookupAsync('two.example.org');
      const talk = async (...args) => textOf(net.connect(...args));
      const socket = new net.Socket();
      return [
        await talk(25, 'one.example.org'),
        await talk({ host: 'two.example.org', port: 25 }),
        await talk({ host: 'two.example.org', port: 25, autoSelectFamily: false, family: 4 }),
        await talk({ host: address, port: 80 }),
        await talk({ host: 'x', port: 80, lookup: (host, options, callback) => callback(null, address, 4), family: 4 }),
        await textOf(socket.connect(443, address)),
      ];`);
    for (const name of ['one', 'two']) {
      twin.network.standIn(`${name}.example.org`, await portOf(createTcpServer((socket) => socket.end(name))));
    }
    await expect(twin.invoke('F', {})).resolves.toEqual(['one', 'two', 'two', 'two', 'two', 'two']);
  });

  test('sees an address as any other when it looks one up', async () => {
    const twin = await start(`
      const ask = (...args) => new Promise((resolve) => lookup(...args, (error, ...answer) => resolve(error ?? answer)));
      return [
        await ask('${HOST}'),
        await ask('${HOST}', { all: true }),
        await ask('ACME.example.org', 4),
        await ask('192.0.2.9'),
        await lookupAsync('${HOST}', { all: true }),
        await promisify(dns.lookup)('${HOST}'),
        (await dns.promises.lookup('localhost', { family: 4 })).address,
      ];`);
    twin.network.standIn(HOST, 1);
    const answer = { address: '192.0.2.1', family: 4 };
    await expect(twin.invoke('F', {})).resolves.toEqual([
      ['192.0.2.1', 4],
      [[answer]],
      ['192.0.2.1', 4],
      ['192.0.2.9', 4],
      [answer],
      answer,
      '127.0.0.1',
    ]);
  });

  test('reaches nothing else, by name or by address', async () => {
    const twin = await start(`
      const refusal = async (socket) => (await once(socket, 'error').then(([error]) => error, (error) => error)).message;
      const own = (host, options, callback) => callback(null, [{ address: '198.51.100.7', family: 4 }, { address: '2001:db8::7', family: 6 }]);
      return [
        await codeOf(lookupAsync('www.example.com')),
        await codeOf(promisify(lookup)('www.example.com')),
        await codeOf(get('https://www.example.com/')),
        await codeOf(fetch('https://www.example.com/')),
        await refusal(net.connect(80, '198.51.100.7')),
        await refusal(net.connect({ host: '2001:db8::7', port: 80 })),
        await refusal(tls.connect({ host: '192.0.2.200', port: 443 })),
        await codeOf(get('https://www.example.com/', { lookup: own })),
        await codeOf(fetch('https://198.51.100.7/')),
      ];`);
    await expect(twin.invoke('F', {})).resolves.toEqual([
      'ENOTFOUND',
      'ENOTFOUND',
      'ENOTFOUND',
      'ENOTFOUND',
      'connect ENETUNREACH 198.51.100.7:80',
      'connect ENETUNREACH 2001:db8::7:80',
      'connect ENETUNREACH 192.0.2.200:443',
      'ENETUNREACH',
      'ENETUNREACH',
    ]);
  });

  test('reaches loopback as ever', async () => {
    const port = await portOf(createHttpServer((request, response) => response.end(request.headers.host)));
    const twin = await start(`return (await fetch('http://' + event.host)).text();`);
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`]) {
      await expect(twin.invoke('F', { host })).resolves.toBe(host);
    }
  });

  test('resolves by the DNS server of the twin, with what it imports by name', async () => {
    const twin = await start(`
      const alias = '_acme-challenge.example.com';
      return [
        await resolveCname(alias),
        await promisify(dns.resolveCname)(alias),
        await codeOf(resolveTxt(alias)),
        await codeOf(resolveCname('none.example.com')),
      ];`);
    twin.route53.addZone('example.com');
    twin.route53.addCname('_acme-challenge.example.com', 'a.example.com');
    const target = ['a.example.com'];
    await expect(twin.invoke('F', {})).resolves.toEqual([target, target, 'ENOTFOUND', 'ENOTFOUND']);
    expect(twin.dns.queries.map(({ name, type }) => `${name} ${type}`)).toEqual([
      '_acme-challenge.example.com CNAME',
      '_acme-challenge.example.com CNAME',
      '_acme-challenge.example.com TXT',
      'none.example.com CNAME',
    ]);
  });
});

test('a worker keeps the network that it was spawned with', async () => {
  const twin = await start(`return codeOf(lookupAsync(event.host));`);
  twin.network.standIn('one.example.org', 1);
  await expect(twin.invoke('F', { host: 'one.example.org' })).resolves.toBe('none');
  twin.network.standIn('two.example.org', 1);
  await expect(twin.invoke('F', { host: 'two.example.org' })).resolves.toBe('ENOTFOUND');
});

test('a stand-in may move, and there are as many as addresses', () => {
  const network = new Network(() => '127.0.0.1:53');
  for (let n = 1; n <= 254; n += 1) network.standIn(`host-${n}.example`, n);
  network.standIn('HOST-254.example', 7);
  expect(network.settings.standIns.get('host-254.example')).toEqual({ address: '192.0.2.254', port: 7 });
  expect(() => network.standIn('one-more.example', 1)).toThrow('254 hosts');
});

test('the DNS server listens where it is told, as long as its twin lives', async () => {
  const other = new DnsServer(
    () => undefined,
    () => 0,
  );
  await other.listen();
  const { port } = other;
  await other.close();
  const assemblyDir = synthesize((stack) => void new Queue(stack, 'Queue'));
  const twin = await Twin.start({ assemblyDir, dnsPort: port });
  expect(twin.dns.address).toBe(`127.0.0.1:${port}`);
  await twin.close();
  await other.listen(port);
  await other.close();
});

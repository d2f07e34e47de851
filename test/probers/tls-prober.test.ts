import 'reflect-metadata';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import {
  createSecureContext,
  createServer,
  getCACertificates,
  setDefaultCACertificates,
  type TlsOptions,
  type TLSSocket,
} from 'node:tls';
import { afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Endpoint, Expectation, ProbeResult, StartTls } from '../../functions/core/rollout/ports.ts';
import { DAY_MS } from '../../functions/core/time.ts';
import { tlsProber } from '../../functions/probers/tls/prober.ts';
import { splitCertificates } from '../../functions/core/x509/pem.ts';
import { bundleMaker, type Made } from '../support/releases.ts';
import { Listeners } from '../support/tls-listeners.ts';
import { mysqlGreeting, startTlsServer } from './start-tls-servers.ts';

const NAME = 'web.internal.example';
const NOW = Date.now();

let made: Made;
let another: Made;
let stranger: Made;
let make: () => Promise<Made>;
beforeAll(async () => {
  ({ make } = await bundleMaker(NAME, NOW));
  [made, another] = await Promise.all([make(), make()]);
  stranger = await (await bundleMaker('other.internal.example', NOW)).make();
});

const listeners = new Listeners();
afterEach(() => listeners.close());

const servingOptions = ({ bundle }: Made): TlsOptions => ({ cert: bundle['tls.crt'], key: bundle['tls.key'] });
const serving = (options: TlsOptions, seen?: (socket: TLSSocket) => void) =>
  createServer(options, (socket) => {
    socket.on('error', () => undefined);
    seen?.(socket);
  });
const expecting = ({ sha256Fingerprint, bundle }: Made): Expectation => ({
  sha256Fingerprint,
  trustAnchors: [bundle['ca.crt']],
  now: NOW,
});
const at = (port: number, extra: Partial<Endpoint> = {}): Endpoint => ({
  host: NAME,
  port,
  allowLoopback: true,
  ...extra,
});
const loopback = async (): Promise<readonly string[]> => ['127.0.0.1'];

async function probe(
  endpoint: Endpoint,
  expectation = expecting(made),
  limit?: () => AbortSignal,
): Promise<ProbeResult> {
  const [first, ...others] = await tlsProber(loopback, limit).probe(endpoint, expectation);
  if (first === undefined || others.length > 0) throw new Error(`${others.length} results too many`);
  return first;
}

/** Ends a connection that the peer leaves hanging, once it hangs. */
async function probeUntil(hangs: Promise<unknown>, endpoint: Endpoint): Promise<ProbeResult> {
  const controller = new AbortController();
  void hangs.then(() => controller.abort());
  return probe(endpoint, expecting(made), () => controller.signal);
}

describe('what an address serves', () => {
  it('is told of each address, IPv6 as well', async () => {
    const port = await listeners.serve(serving(servingOptions(made)));
    await listeners.serve(serving(servingOptions(another)), '::1', port);
    const prober = tlsProber(async () => ['127.0.0.1', '::1', '127.0.0.1']);
    expect(await prober.probe(at(port), expecting(made))).toMatchObject([
      { address: '127.0.0.1', verdict: 'served', sha256Fingerprint: made.sha256Fingerprint },
      {
        address: '::1',
        verdict: 'otherLeaf',
        sha256Fingerprint: another.sha256Fingerprint,
        detail: expect.stringMatching(/^it serves another leaf: web\.internal\.example, serial number/) as unknown,
      },
    ]);
  });

  it('is asked for by SNI and ALPN, without a byte of data, and never with a session of before', async () => {
    let data = 0;
    const options: TlsOptions = {
      ...servingOptions(stranger),
      ALPNProtocols: ['h2', 'http/1.1'],
      SNICallback: (name, answer) =>
        answer(
          null,
          name === NAME ? createSecureContext(servingOptions(made)) : createSecureContext(servingOptions(stranger)),
        ),
    };
    const server = serving(options, (socket) => socket.on('data', () => (data += 1)));
    const endpoint = at(await listeners.serve(server), { alpn: ['h2'] });
    for (let round = 0; round < 2; round++) {
      const accepted = once(server, 'secureConnection');
      expect(await probe(endpoint)).toMatchObject({ verdict: 'served', servedBy: 'TLSv1.3, h2' });
      const [socket] = (await accepted) as [TLSSocket];
      expect([socket.servername, socket.alpnProtocol, socket.isSessionReused()]).toEqual([NAME, 'h2', false]);
    }
    expect(data).toBe(0);
    // An address and port of one instance, under the endpoint's name.
    const instance = at(endpoint.port, { host: '127.0.0.1', serverName: NAME });
    expect(await probe(instance)).toMatchObject({ verdict: 'served' });
    expect(await probe(at(endpoint.port, { serverName: 'other.internal.example' }))).toMatchObject({
      verdict: 'otherLeaf',
    });
  });

  it.each<[string, () => Partial<Expectation>, RegExp]>([
    ['an expired leaf', () => ({ now: NOW + 91 * DAY_MS }), /^the leaf expired at \d{4}-/],
    ['a leaf of the future', () => ({ now: NOW - 2 * DAY_MS }), /^the leaf is not valid before \d{4}-/],
    [
      'a leaf for another name',
      () => ({ serverNames: [NAME, 'shop.internal.example'] }),
      /^the leaf is not for shop\.internal\.example, but for web\.internal\.example$/,
    ],
    [
      'a root that no client has',
      () => ({ trustAnchors: [stranger.bundle['ca.crt']] }),
      /an intermediate is missing|no trust anchor/,
    ],
    [
      'a root that is not public',
      () => ({ trustAnchors: [] }),
      /nothing in the chain or among the trust anchors signed/,
    ],
  ])('is no good with %s, although it is the leaf that was expected', async (_what, differently, detail) => {
    const port = await listeners.serve(serving(servingOptions(made)));
    const judged = await probe(at(port), { ...expecting(made), ...differently() });
    expect(judged).toMatchObject({ verdict: 'badChain', sha256Fingerprint: made.sha256Fingerprint });
    expect(judged.detail).toMatch(detail);
  });

  describe('for clients whose trust anchors nobody has told', () => {
    const unanchored = (): Expectation => ({ ...expecting(made), trustAnchors: [] });
    const links = (): readonly string[] => splitCertificates(made.bundle['tls.crt']).slice(1);

    it('is good where the chain ends at one of the public roots', async () => {
      const before = getCACertificates('default');
      onTestFinished(() => setDefaultCACertificates(before));
      setDefaultCACertificates([...before, made.bundle['ca.crt']]);
      const port = await listeners.serve(serving(servingOptions(made)));
      expect(before.length).toBeGreaterThan(100);
      expect(await probe(at(port), unanchored())).toMatchObject({ verdict: 'served' });
    });

    it('is good where the chain is shown as far as it is known', async () => {
      const port = await listeners.serve(serving(servingOptions(made)));
      expect(await probe(at(port), { ...unanchored(), topOfChain: links().at(-1) })).toMatchObject({
        verdict: 'served',
      });
    });

    it('is no good where it is shown less far', async () => {
      const [leaf = ''] = splitCertificates(made.bundle['tls.crt']);
      const port = await listeners.serve(serving({ ...servingOptions(made), cert: leaf }));
      expect(await probe(at(port), { ...unanchored(), topOfChain: links().at(-1) })).toMatchObject({
        verdict: 'badChain',
        detail: expect.stringContaining('an intermediate is missing') as unknown,
      });
    });
  });

  it('is no good without the intermediate, even where the client could know it', async () => {
    const [leaf = ''] = splitCertificates(made.bundle['tls.crt']);
    const port = await listeners.serve(serving({ ...servingOptions(made), cert: leaf }));
    const judged = await probe(at(port));
    expect(judged.verdict).toBe('badChain');
    expect(judged.detail).toMatch(
      /^an intermediate is missing: it shows 1 certificates, and not "CN=Release intermediate"/,
    );
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'is told of a server that wants to know the client (%s)',
    async (version) => {
      const mutual = { ...servingOptions(made), requestCert: true, rejectUnauthorized: true, maxVersion: version };
      expect(await probe(at(await listeners.serve(serving(mutual))))).toMatchObject({ verdict: 'served' });
    },
  );
});

describe('addresses', () => {
  it.each([
    '169.254.169.254',
    '::ffff:169.254.169.254',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b:1::a9fe:a9fe',
    '2002:a9fe:a9fe::1',
    'fe80::1',
    'fe80::1%lo',
    'fd00:ec2::254',
    '224.0.0.1',
    'ff02::1',
    '0.0.0.0',
    '::',
    '255.255.255.255',
  ])('of the kind of %s are never asked, whatever the endpoint says', async (address) => {
    const [refused] = await tlsProber(async () => [address]).probe(at(443), expecting(made));
    expect(refused).toMatchObject({
      address,
      verdict: 'refused',
      detail: expect.stringContaining('metadata') as unknown,
    });
    expect(await tlsProber(async () => []).probe(at(443, { host: address }), expecting(made))).toMatchObject([
      { verdict: 'refused' },
    ]);
  });

  it.each(['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1'])(
    'of the kind of %s are asked by option only',
    async (address) => {
      const closed = { host: NAME, port: 1 };
      const prober = tlsProber(async () => [address]);
      expect(await prober.probe(closed, expecting(made))).toMatchObject([
        { verdict: 'refused', detail: expect.stringContaining('allowLoopback: true') as unknown },
      ]);
      expect(await prober.probe({ ...closed, allowLoopback: true }, expecting(made))).toMatchObject([
        { verdict: 'unreachable' },
      ]);
    },
  );

  it('are looked up once, and connected to as they were judged', async () => {
    const port = await listeners.serve(serving(servingOptions(made)));
    const answers = [['127.0.0.1'], ['169.254.169.254']];
    const prober = tlsProber(async () => answers.shift() ?? []);
    expect(await prober.probe(at(port), expecting(made))).toMatchObject([{ address: '127.0.0.1', verdict: 'served' }]);
    expect(answers).toHaveLength(1);
  });

  it('that are not there, or too many, are one result', async () => {
    const failing = tlsProber(async () => Promise.reject(new Error('getaddrinfo ENOTFOUND')));
    expect(await failing.probe(at(1), expecting(made))).toMatchObject([
      { address: NAME, verdict: 'unreachable', detail: expect.stringContaining('ENOTFOUND') as unknown },
    ]);
    expect(await tlsProber(async () => []).probe(at(1), expecting(made))).toMatchObject([{ verdict: 'unreachable' }]);
    const controller = new AbortController();
    const silent = tlsProber(
      () => new Promise(() => controller.abort()),
      () => controller.signal,
    );
    expect(await silent.probe(at(1), expecting(made))).toMatchObject([
      { verdict: 'unreachable', detail: expect.stringContaining('no answer in time') as unknown },
    ]);
    const crowd = tlsProber(async () => Array.from({ length: 65 }, (_, index) => `10.0.0.${index}`));
    expect(await crowd.probe(at(1), expecting(made))).toMatchObject([
      { verdict: 'unreachable', detail: expect.stringContaining('65 addresses') as unknown },
    ]);
  });

  it('that this machine has no way to are left out, and said to be, where others were asked', () => {
    // On the twin a function has no way to anywhere but loopback. It takes a process of its own to be so.
    const script = `
      const { keepOnLoopback } = await import('./local/lambda/loopback.ts');
      const { tlsProber } = await import('./functions/probers/tls/prober.ts');
      keepOnLoopback({ dnsServer: '127.0.0.1:1', standIns: new Map(), roots: [] });
      const endpoint = { host: 'web', port: 1, allowLoopback: true };
      const expectation = { sha256Fingerprint: '', trustAnchors: [], now: 0 };
      for (const there of [['127.0.0.1', '2001:db8::1'], ['2001:db8::1']]) {
        const told = await tlsProber(async () => there).probe(endpoint, expectation);
        console.log(JSON.stringify(told.map(({ address, verdict, detail }) => [address, verdict, detail])));
      }`;
    const root = join(import.meta.dirname, '..', '..');
    const printed = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(
      printed
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      [
        [
          '127.0.0.1',
          'unreachable',
          expect.stringMatching(/ECONNREFUSED.*not asked, for want of a route: 2001:db8::1/),
        ],
      ],
      [['2001:db8::1', 'unreachable', expect.stringContaining('ENETUNREACH')]],
    ]);
  });
});

describe('a peer', () => {
  it.each<[string, (socket: Socket) => void, RegExp]>([
    ['resets', (socket) => socket.resetAndDestroy(), /ECONNRESET|closed the connection/],
    ['closes', (socket) => socket.end(), /./],
    [
      'speaks plain HTTP',
      (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
      /TLS failed: (?:wrong version number|packet length too long)/,
    ],
    ['sends garbage', (socket) => socket.end(Buffer.alloc(4_096, 0xff)), /TLS failed/],
  ])('that %s is unreachable, and that is all', async (_what, misbehave, detail) => {
    const port = await listeners.listen(misbehave);
    const told = await probe(at(port));
    expect(told.verdict).toBe('unreachable');
    expect(told.detail).toMatch(detail);
  });

  it('that is not there is unreachable', async () => {
    const port = await listeners.listen(() => undefined);
    await listeners.close();
    expect(await probe(at(port))).toMatchObject({
      verdict: 'unreachable',
      detail: expect.stringContaining('ECONNREFUSED') as unknown,
    });
  });

  it.each<StartTls | undefined>([undefined, 'smtp', 'postgres'])(
    'that never says anything is left alone in time (%s)',
    async (startTls) => {
      const { promise: hangs, resolve } = Promise.withResolvers<void>();
      const port = await listeners.listen(() => resolve());
      expect(await probeUntil(hangs, at(port, { startTls }))).toMatchObject({
        verdict: 'unreachable',
        detail: 'no complete handshake in time',
      });
    },
  );

  it('that shows more certificates than anybody has is not listened to', async () => {
    const endless = Array.from({ length: 400 }, () => made.bundle['tls.crt']).join('\n');
    const port = await listeners.serve(serving({ ...servingOptions(made), cert: endless }));
    expect(await probe(at(port))).toMatchObject({
      verdict: 'unreachable',
      detail: 'TLS failed: excessive message size',
    });
  });

  it('that greets without an end is cut off', async () => {
    const closed = Promise.withResolvers<number>();
    const port = await listeners.listen((socket) => {
      let sent = 0;
      const chunk = Buffer.alloc(64 * 1024, 0x32);
      const pour = (): void => {
        while (!socket.destroyed && socket.write(chunk)) sent += chunk.length;
      };
      socket.on('drain', pour).on('close', () => closed.resolve(sent));
      pour();
    });
    expect(await probe(at(port, { startTls: 'smtp' }))).toMatchObject({ verdict: 'unreachable' });
    expect(await closed.promise).toBeLessThan(64 * 1024 * 1024);
  });
});

describe('STARTTLS', () => {
  it.each<StartTls>(['smtp', 'imap', 'postgres', 'mysql'])('gets to TLS by %s', async (startTls) => {
    const port = await listeners.listen(startTlsServer(startTls, servingOptions(made)));
    expect(await probe(at(port, { startTls }))).toMatchObject({ verdict: 'served' });
    expect(await probe(at(port, { startTls }), expecting(another))).toMatchObject({ verdict: 'otherLeaf' });
  });

  it.each<[string, StartTls, string | Uint8Array, string]>([
    ['an SMTP server that is busy', 'smtp', '554 no\r\n', 'it greets with "554 no", not with "220"'],
    ['an IMAP server that says goodbye', 'imap', '* BYE\r\n', 'it greets with "* BYE", not with "* OK"'],
    ['a PostgreSQL without TLS', 'postgres', 'N', 'its PostgreSQL answers "N" to SSLRequest, which is no yes'],
    [
      'a MySQL that has locked the client out',
      'mysql',
      Buffer.concat([Buffer.from([29, 0, 0, 0, 0xff, 0x69, 0x04]), Buffer.from('Host is blocked by errors.')]),
      'its MySQL refuses this client: error 1129 Host is blocked by errors.',
    ],
    ['a MySQL without TLS', 'mysql', mysqlGreeting(0xf7ff), 'its MySQL offers no TLS'],
    [
      'a MySQL that speaks another language',
      'mysql',
      'HTTP/1.1 400 Bad Request\r\n',
      'it closed the connection before TLS',
    ],
    ['a PostgreSQL behind somebody who adds to it', 'postgres', 'Sextra', 'it goes on in clear after it agreed to TLS'],
  ])('says what is wrong with %s', async (_what, startTls, says, detail) => {
    const port = await listeners.listen((socket) => socket.end(says));
    expect(await probe(at(port, { startTls }))).toMatchObject({ verdict: 'unreachable', detail });
  });

  it('says so when SMTP offers none', async () => {
    const port = await listeners.listen((socket) => {
      socket.write('220 ready\r\n');
      void once(socket, 'data').then(() => socket.write('250-mail\r\n250 HELP\r\n'));
    });
    expect(await probe(at(port, { startTls: 'smtp' }))).toMatchObject({ detail: 'its SMTP offers no STARTTLS' });
  });
});

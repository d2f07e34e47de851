import { createSocket } from 'node:dgram';
import { promises as dns } from 'node:dns';
import { once } from 'node:events';
import { connect } from 'node:net';
import {
  type Answer,
  type DecodedPacket,
  decode,
  encode,
  type Packet,
  type Question,
  RECURSION_DESIRED,
  streamEncode,
} from 'dns-packet';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DnsServer } from '../../local/dns/server.ts';
import { Route53 } from '../../local/services/route53/route53.ts';

const NOW = Date.UTC(2026, 0, 1);

let route53: Route53;
let server: DnsServer;
let resolver: dns.Resolver;

beforeEach(async () => {
  route53 = new Route53({ now: () => NOW });
  route53.propagationLooks = 0;
  server = new DnsServer(
    (name, type) => route53.answers(name, type),
    () => NOW,
  );
  await server.listen();
  resolver = new dns.Resolver({ tries: 1 });
  resolver.setServers([server.address]);
  route53.addZone('example.com', { id: 'ZCOM' });
});

afterEach(() => server.close());

function put(name: string, type: string, values: readonly string[], setIdentifier?: string, zone = 'ZCOM'): void {
  const ResourceRecords = { ResourceRecord: values.map((Value) => ({ Value })) };
  const routing = setIdentifier === undefined ? {} : { SetIdentifier: setIdentifier, MultiValueAnswer: 'true' };
  const set = { Name: name, Type: type, TTL: '60', ...routing, ResourceRecords };
  const Changes = { Change: [{ Action: 'CREATE', ResourceRecordSet: set }] };
  route53.handle({
    operation: 'ChangeResourceRecordSets',
    input: { HostedZoneId: zone, ChangeBatch: { Changes } },
    now: NOW,
    accountId: '111122223333',
    region: 'us-east-1',
    authorize: () => undefined,
  });
}

/** `rcode` is there, and not in the types. */
type Response = DecodedPacket & { readonly rcode: string };

async function overUdp(message: Buffer): Promise<Response> {
  const socket = createSocket('udp4');
  try {
    socket.send(message, server.port, '127.0.0.1');
    const [answer] = (await once(socket, 'message')) as [Buffer];
    return decode(answer) as Response;
  } finally {
    socket.close();
  }
}

async function overTcp(...chunks: Buffer[]): Promise<Response[]> {
  const connection = connect(server.port, '127.0.0.1');
  for (const chunk of chunks) connection.write(chunk);
  connection.end();
  const received: Buffer[] = [];
  for await (const chunk of connection as AsyncIterable<Buffer>) received.push(chunk);
  const responses: Response[] = [];
  for (let rest = Buffer.concat(received); rest.length > 0; rest = rest.subarray(2 + rest.readUInt16BE(0))) {
    responses.push(decode(rest.subarray(2, 2 + rest.readUInt16BE(0))) as Response);
  }
  return responses;
}

function query(name: string, type: string, more: Packet = {}): Packet {
  return { type: 'query', id: 7, flags: RECURSION_DESIRED, questions: [{ name, type } as Question], ...more };
}

const ask = async (name: string, type: string, more: Packet = {}): Promise<Response> =>
  overUdp(encode(query(name, type, more)));

const edns = (udpPayloadSize: number): Packet => {
  const opt = { type: 'OPT', name: '.', udpPayloadSize, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false };
  return { additionals: [{ ...opt, options: [] } as Answer] };
};

describe('answers', () => {
  test('of every type that a zone may hold', async () => {
    put('www.example.com', 'A', ['192.0.2.7']);
    put('www.example.com', 'AAAA', ['2001:db8::7']);
    put('www.example.com', 'TXT', [String.raw`"one" "\"two\" \\ \052"`, '"three"', String.raw`"\303\244"`]);
    put('alias.example.com', 'CNAME', ['WWW.example.com.']);
    put('other.example.com', 'CNAME', ['www.example.com']);
    put('example.com', 'CAA', ['0 issue "ca.example"', '128 iodef "mailto:a@example.com"']);
    await expect(resolver.resolve4('www.example.com', { ttl: true })).resolves.toEqual([
      { address: '192.0.2.7', ttl: 60 },
    ]);
    await expect(resolver.resolve6('www.example.com')).resolves.toEqual(['2001:db8::7']);
    const txt = await resolver.resolveTxt('WWW.Example.com');
    // Node.js reads each byte as a letter.
    expect(txt).toEqual([['one', '"two" \\ *'], ['three'], ['\u00C3\u00A4']]);
    await expect(resolver.resolveCname('alias.example.com')).resolves.toEqual(['www.example.com']);
    await expect(resolver.resolveCname('other.example.com')).resolves.toEqual(['www.example.com']);
    await expect(resolver.resolveNs('example.com')).resolves.toEqual(['ns-1.twin.invalid', 'ns-2.twin.invalid']);
    await expect(resolver.resolveSoa('example.com')).resolves.toMatchObject({
      nsname: 'ns-1.twin.invalid',
      minttl: 86_400,
    });
    await expect(resolver.resolveCaa('example.com')).resolves.toEqual([
      { critical: 0, issue: 'ca.example' },
      { critical: 128, iodef: 'mailto:a@example.com' },
    ]);
  });

  test('are authoritative and never recursive', async () => {
    await expect(ask('example.com', 'NS')).resolves.toMatchObject({
      id: 7,
      rcode: 'NOERROR',
      flag_qr: true,
      flag_aa: true,
      flag_rd: true,
      flag_ra: false,
      questions: [{ name: 'example.com', type: 'NS' }],
    });
  });

  test('say whether there is no such name, or only no such record', async () => {
    put('deep.below.example.com', 'A', ['192.0.2.7']);
    const soa = [{ type: 'SOA', name: 'example.com', ttl: 900 }];
    await expect(ask('none.example.com', 'TXT')).resolves.toMatchObject({
      rcode: 'NXDOMAIN',
      answers: [],
      authorities: soa,
    });
    await expect(ask('deep.below.example.com', 'TXT')).resolves.toMatchObject({
      rcode: 'NOERROR',
      answers: [],
      authorities: soa,
    });
    await expect(ask('below.example.com', 'TXT')).resolves.toMatchObject({ rcode: 'NOERROR', answers: [] });
    await expect(ask('deep.below.example.com', 'A')).resolves.toMatchObject({ authorities: [] });
    await expect(resolver.resolveTxt('none.example.com')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    await expect(resolver.resolveTxt('below.example.com')).rejects.toMatchObject({ code: 'ENODATA' });
  });

  test('are kept by no cache on the way', async () => {
    await expect(resolver.resolveTxt('new.example.com')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    put('new.example.com', 'TXT', ['"here"']);
    await expect(resolver.resolveTxt('new.example.com')).resolves.toEqual([['here']]);
  });

  test('come from the zone that is nearest, and from public zones only', async () => {
    route53.addZone('sub.example.com', { id: 'ZSUB' });
    put('sub.example.com', 'TXT', ['"parent"']);
    put('sub.example.com', 'TXT', ['"child"'], undefined, 'ZSUB');
    route53.addZone('private.sub.example.com', { isPrivate: true });
    await expect(resolver.resolveTxt('sub.example.com')).resolves.toEqual([['child']]);
    await expect(ask('private.sub.example.com', 'SOA')).resolves.toMatchObject({ rcode: 'NXDOMAIN' });
  });

  test('are refused for names of others', async () => {
    await expect(ask('example.net', 'A')).resolves.toMatchObject({ rcode: 'REFUSED', flag_aa: false });
    await expect(ask('anexample.com', 'A')).resolves.toMatchObject({ rcode: 'REFUSED' });
    await expect(
      ask('example.com', 'TXT', { questions: [{ name: 'example.com', type: 'TXT', class: 'CH' }] }),
    ).resolves.toMatchObject({
      rcode: 'REFUSED',
    });
  });

  test('hold at most eight of many values, others each time', async () => {
    for (let n = 0; n < 20; n += 1) put('many.example.com', 'TXT', [`"${n}"`], `id-${n}`);
    const seen = new Set<string>();
    // That 60 answers of 8 leave one of 20 out is less likely than one in 10^11.
    for (let n = 0; n < 60; n += 1) {
      const records = await resolver.resolveTxt('many.example.com');
      expect(new Set(records.flat()).size).toBe(8);
      for (const [text] of records) seen.add(text ?? '');
    }
    expect(seen.size).toBe(20);
  });
});

describe('a CNAME', () => {
  beforeEach(() => {
    route53.addZone('example.net', { id: 'ZNET' });
  });

  test('is followed over the zones, and all of the way is told', async () => {
    route53.addCname('_acme-challenge.example.com', 'a.example.net');
    route53.addCname('a.example.net', 'b.example.com');
    put('b.example.com', 'TXT', ['"value"']);
    const { answers } = await ask('_acme-challenge.example.com', 'TXT');
    expect(answers?.map(({ name, type }) => `${name} ${type}`)).toEqual([
      '_acme-challenge.example.com CNAME',
      'a.example.net CNAME',
      'b.example.com TXT',
    ]);
    await expect(resolver.resolveTxt('_acme-challenge.example.com')).resolves.toEqual([['value']]);
    await expect(resolver.resolveCname('_acme-challenge.example.com')).resolves.toEqual(['a.example.net']);
  });

  test('that leads nowhere takes the answer of where it ends', async () => {
    route53.addCname('www.example.com', 'none.example.net');
    await expect(ask('www.example.com', 'A')).resolves.toMatchObject({
      rcode: 'NXDOMAIN',
      answers: [{ type: 'CNAME' }],
      authorities: [{ name: 'example.net' }],
    });
  });

  test('that leads out of all zones is the whole answer', async () => {
    route53.addCname('www.example.com', 'www.example.org');
    await expect(ask('www.example.com', 'A')).resolves.toMatchObject({
      rcode: 'NOERROR',
      answers: [{ type: 'CNAME', data: 'www.example.org' }],
      authorities: [],
    });
  });

  test('that leads back is cut', async () => {
    route53.addCname('a.example.com', 'b.example.com');
    route53.addCname('b.example.com', 'a.example.com');
    const { rcode, answers } = await ask('a.example.com', 'TXT');
    expect(rcode).toBe('NOERROR');
    expect(answers).toHaveLength(2);
  });
});

test('a wildcard stands for names that are not there, and for no others', async () => {
  put('*.example.com', 'TXT', ['"wild"']);
  put('www.example.com', 'A', ['192.0.2.7']);
  await expect(resolver.resolveTxt('_acme-challenge.any.example.com')).resolves.toEqual([['wild']]);
  await expect(resolver.resolveTxt('www.example.com')).rejects.toMatchObject({ code: 'ENODATA' });
  await expect(resolver.resolveTxt('below.www.example.com')).rejects.toMatchObject({ code: 'ENOTFOUND' });
  await expect(resolver.resolveTxt('*.example.com')).resolves.toEqual([['wild']]);
});

describe('a long answer', () => {
  beforeEach(() => {
    for (let n = 0; n < 8; n += 1) put('long.example.com', 'TXT', [`"${n}${'x'.repeat(199)}"`], `id-${n}`);
  });

  test('is cut off over UDP, and whole over TCP', async () => {
    for (const more of [{}, edns(1_232), edns(100)]) {
      await expect(ask('long.example.com', 'TXT', more)).resolves.toMatchObject({ flag_tc: true, answers: [] });
    }
    const [whole] = await overTcp(streamEncode(query('long.example.com', 'TXT')));
    expect(whole).toMatchObject({ flag_tc: false, rcode: 'NOERROR' });
    expect(whole?.answers).toHaveLength(8);
    await expect(resolver.resolveTxt('long.example.com')).resolves.toHaveLength(8);
  });

  test('is one of more than 512 bytes at least', async () => {
    await expect(ask('none.example.com', 'TXT', edns(20))).resolves.toMatchObject({
      flag_tc: false,
      rcode: 'NXDOMAIN',
    });
  });

  test('is whole over UDP for who takes as much', async () => {
    const answer = await ask('long.example.com', 'TXT', edns(4_096));
    expect(answer).toMatchObject({ flag_tc: false, additionals: [{ type: 'OPT', udpPayloadSize: 1_232 }] });
    expect(answer.answers).toHaveLength(8);
  });
});

test('a TCP connection takes many queries, in pieces', async () => {
  const queries = Buffer.concat([
    streamEncode(query('example.com', 'NS')),
    streamEncode(query('none.example.com', 'A')),
  ]);
  const lengthOfFirst = 2 + queries.readUInt16BE(0);
  const connection = connect(server.port, '127.0.0.1');
  connection.write(queries.subarray(0, lengthOfFirst + 1));
  const answers: Response[] = [];
  for (const rest of [queries.subarray(lengthOfFirst + 1), Buffer.alloc(0)]) {
    // The answer to what is whole shows that the piece behind it has arrived.
    const [answer] = (await once(connection, 'data')) as [Buffer];
    answers.push(decode(answer.subarray(2)) as Response);
    connection.write(rest);
  }
  connection.destroy();
  expect(answers.map(({ rcode }) => rcode)).toEqual(['NOERROR', 'NXDOMAIN']);
});

test('garbage, answers and empty messages are passed over', async () => {
  const socket = createSocket('udp4');
  const answer = encode({ ...query('example.com', 'NS'), type: 'response' });
  for (const garbage of [Buffer.from('garbage'), Buffer.alloc(12), Buffer.alloc(0), answer]) {
    socket.send(garbage, server.port, '127.0.0.1');
  }
  socket.send(encode(query('example.com', 'NS', { id: 8 })), server.port, '127.0.0.1');
  const [first] = (await once(socket, 'message')) as [Buffer];
  socket.close();
  expect(decode(first).id).toBe(8);
  await expect(overTcp(Buffer.from([0, 3, 1, 2, 3]), streamEncode(query('example.com', 'NS')))).resolves.toHaveLength(
    1,
  );
});

test('a type that nobody knows has no records, and another opcode is not implemented', async () => {
  for (const type of ['HTTPS', 'UNKNOWN_999']) {
    await expect(ask('example.com', type)).resolves.toMatchObject({ rcode: 'NOERROR', answers: [] });
  }
  const status = 2 << 11;
  await expect(ask('example.com', 'NS', { flags: status })).resolves.toMatchObject({ rcode: 'NOTIMP' });
});

test('a name fails when told so', async () => {
  server.failing = (name) => name === 'www.example.com';
  await expect(resolver.resolve4('WWW.example.com')).rejects.toMatchObject({ code: 'ESERVFAIL' });
  await expect(resolver.resolveNs('example.com')).resolves.toHaveLength(2);
});

test('queries are on record', async () => {
  await ask('Example.COM', 'NS');
  await ask('example.net', 'A');
  expect(server.queries).toEqual([
    { name: 'example.com', type: 'NS', at: NOW },
    { name: 'example.net', type: 'A', at: NOW },
  ]);
});

test('a port that is asked for is used, and free again afterwards', async () => {
  const { port } = server;
  const other = new DnsServer(
    () => undefined,
    () => NOW,
  );
  await expect(other.listen(port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  const connection = connect(port, '127.0.0.1');
  await once(connection, 'connect');
  await Promise.all([server.close(), once(connection, 'close')]);
  await other.listen(port);
  expect(other.address).toBe(`127.0.0.1:${port}`);
  await other.close();
  await server.listen();
});

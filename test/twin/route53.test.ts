import {
  type Change,
  ChangeResourceRecordSetsCommand,
  CreateHostedZoneCommand,
  DeleteHostedZoneCommand,
  GetChangeCommand,
  GetHostedZoneCommand,
  ListHostedZonesByNameCommand,
  ListHostedZonesCommand,
  ListResourceRecordSetsCommand,
  type ListResourceRecordSetsCommandInput,
  paginateListHostedZones,
  type ResourceRecordSet,
  Route53Client,
  waitUntilResourceRecordSetsChanged,
} from '@aws-sdk/client-route-53';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Twin } from '../../local/twin.ts';
import { operatorOf, startTwin } from './stage.ts';

let twin: Twin;
let client: Route53Client;
let zoneId: string;

beforeEach(async () => {
  twin = await startTwin((stack) => void new Queue(stack, 'Queue'));
  client = new Route53Client(operatorOf(twin));
  zoneId = twin.route53.addZone('example.com');
});

const NAME = '_acme-challenge.example.com';

function txt(values: readonly string[], more: Partial<ResourceRecordSet> = {}): ResourceRecordSet {
  return { Name: NAME, Type: 'TXT', TTL: 60, ResourceRecords: values.map((Value) => ({ Value })), ...more };
}

const one = (setIdentifier: string, value = `"${setIdentifier}"`): ResourceRecordSet =>
  txt([value], { SetIdentifier: setIdentifier, MultiValueAnswer: true });

const cname = (name: string, target = 'elsewhere.example.net'): ResourceRecordSet =>
  txt([target], { Name: name, Type: 'CNAME' });

const create = (set: ResourceRecordSet): Change => ({ Action: 'CREATE', ResourceRecordSet: set });
const upsert = (set: ResourceRecordSet): Change => ({ Action: 'UPSERT', ResourceRecordSet: set });
const remove = (set: ResourceRecordSet): Change => ({ Action: 'DELETE', ResourceRecordSet: set });

async function change(...Changes: Change[]): Promise<string> {
  const command = new ChangeResourceRecordSetsCommand({ HostedZoneId: zoneId, ChangeBatch: { Changes } });
  return (await client.send(command)).ChangeInfo?.Id ?? '';
}

async function look(Id: string): Promise<string | undefined> {
  return (await client.send(new GetChangeCommand({ Id }))).ChangeInfo?.Status;
}

const valuesOf = (name: string, type = 'TXT'): string[] | undefined =>
  twin.route53
    .answers(name, type)
    ?.records.map(({ value }) => value)
    .toSorted();

/** What the twin has of the test's own. */
const setsOf = (zone = zoneId) => twin.route53.records(zone).filter(({ type }) => type !== 'NS' && type !== 'SOA');

describe('a batch', () => {
  test('creates, replaces and deletes sets', async () => {
    await change(create(txt(['"one"'])), create(cname('www.example.com')));
    await change(upsert(txt(['"two"', '"three"'], { TTL: 30 })), remove(cname('www.example.com')));
    expect(setsOf()).toEqual([
      { name: `${NAME}.`, type: 'TXT', ttl: 30, values: ['"two"', '"three"'], setIdentifier: undefined },
    ]);
  });

  test('is done as a whole or not at all, and says all that is wrong', async () => {
    await change(create(txt(['"one"'])));
    const wrong = change(create(one('a')), create(cname(NAME)), create(cname('www.example.com')));
    await expect(wrong).rejects.toMatchObject({
      name: 'InvalidChangeBatch',
      $metadata: { httpStatusCode: 400 },
      message: `[RRSet with DNS name ${NAME}., type TXT, SetIdentifier a cannot be created because a non multivalue answer rrset exists with the same name and type., RRSet of type CNAME with DNS name ${NAME}. is not permitted as it conflicts with other records with the same DNS name in zone example.com.]`,
    });
    expect(setsOf()).toHaveLength(1);
  });

  test('may delete a set and create it anew, and otherwise touches each once', async () => {
    await change(create(txt(['"one"'])));
    await change(remove(txt(['"one"'])), create(txt(['"two"'])));
    await expect(change(upsert(txt(['"three"'])), upsert(txt(['"four"'])))).rejects.toThrow(
      `The request contains an invalid set of changes for a resource record set 'TXT ${NAME}.'`,
    );
    expect(setsOf()).toMatchObject([{ values: ['"two"'] }]);
  });

  test.each([
    ['1,000 records', create, 1_000, 1],
    ['500 records of an UPSERT', upsert, 500, 1],
    ['32,000 characters', create, 160, 200],
    ['16,000 characters of an UPSERT', upsert, 80, 200],
  ])('holds %s and no more', async (_what, act, count, length) => {
    const sets = (total: number): Change[] =>
      Array.from({ length: total }, (_, index) =>
        act(txt([`"${'x'.repeat(Math.max(0, length - 2))}"`], { Name: `n${index}.example.com` })),
      );
    await change(...sets(count));
    zoneId = twin.route53.addZone('example.com');
    await expect(change(...sets(count + 1))).rejects.toThrow(
      /(Number of records|RDATA character) limit of \d+ exceeded/,
    );
  });
});

describe('a set', () => {
  test.each<[string, Change, string]>([
    [
      'created twice',
      create(txt(['"one"'])),
      `Tried to create resource record set [name='${NAME}.', type='TXT'] but it already exists`,
    ],
    [
      'deleted with another value',
      remove(txt(['"two"'])),
      `Tried to delete resource record set [name='${NAME}.', type='TXT'] but the values provided do not match the current values`,
    ],
    ['deleted with another TTL', remove(txt(['"one"'], { TTL: 61 })), 'do not match the current values'],
    ['deleted without one of its values', remove(txt(['"one"', '"two"'])), 'do not match the current values'],
    [
      'deleted that is not there',
      remove(txt(['"one"'], { Name: 'www.example.com' })),
      `Tried to delete resource record set [name='www.example.com.', type='TXT'] but it was not found`,
    ],
    [
      'deleted under an identifier it has not',
      remove(one('a', '"one"')),
      `[name='${NAME}.', type='TXT', set-identifier='a'] but it was not found`,
    ],
    [
      'outside of its zone',
      create(txt(['"one"'], { Name: 'example.net' })),
      'RRSet with DNS name example.net. is not permitted in zone example.com.',
    ],
    ['that only ends like its zone', create(txt(['"one"'], { Name: 'anexample.com' })), 'is not permitted in zone'],
    ['with a label too long', create(txt(['"one"'], { Name: `${'x'.repeat(64)}.example.com` })), 'DomainLabelTooLong'],
    [
      'without quotes',
      create(txt(['one'], { Name: 'www.example.com' })),
      `Invalid Resource Record: FATAL problem: InvalidCharacterString (Value should be enclosed in quotation marks) encountered with 'one'`,
    ],
    ['with half its quotes', upsert(txt(['"one" two'])), 'InvalidCharacterString'],
    ['with a string too long', upsert(txt([`"${'x'.repeat(256)}"`])), 'CharacterStringTooLong (Value is too long)'],
    ['with a value twice', upsert(txt(['"one"', '"one"'])), `Duplicate Resource Record: '"one"'`],
    [
      'that is a CNAME beside another type',
      create(cname(NAME)),
      `RRSet of type CNAME with DNS name ${NAME}. is not permitted as it conflicts with other records`,
    ],
    [
      'beside a CNAME',
      create(txt(['"one"'], { Name: 'alias.example.com' })),
      'RRSet of type TXT with DNS name alias.example.com. is not permitted because a conflicting RRSet of type CNAME with the same DNS name already exists in zone example.com.',
    ],
    [
      'that is a CNAME at the apex',
      create(cname('example.com')),
      'RRSet of type CNAME with DNS name example.com. is not permitted at apex in zone example.com.',
    ],
    [
      'that is a CNAME of many values',
      create({ ...one('a'), Name: 'x.example.com', Type: 'CNAME' }),
      'cannot be a multivalue answer',
    ],
    [
      'of many values beside a simple one',
      create(one('a')),
      `SetIdentifier a cannot be created because a non multivalue answer rrset exists with the same name and type.`,
    ],
    [
      'of one value beside many',
      create(txt(['"one"'], { Name: 'many.example.com' })),
      'RRSet with DNS name many.example.com., type TXT cannot be created as other RRSets exist with the same name and type.',
    ],
    [
      'of one value over many',
      upsert(txt(['"one"'], { Name: 'many.example.com' })),
      'cannot be created as other RRSets exist',
    ],
    [
      'with an identifier that is taken',
      create({ ...one('a'), Name: 'many.example.com' }),
      `[name='many.example.com.', type='TXT', set-identifier='a'] but it already exists`,
    ],
  ])('%s is refused', async (_what, wrong, message) => {
    await change(
      create(txt(['"one"'])),
      create(cname('alias.example.com')),
      create({ ...one('a'), Name: 'many.example.com' }),
    );
    await expect(change(wrong)).rejects.toMatchObject({
      name: 'InvalidChangeBatch',
      message: expect.stringContaining(message) as string,
    });
    expect(setsOf()).toHaveLength(3);
  });

  test.each<[string, Change]>([
    ['an identifier but no routing policy', create(txt(['"one"'], { SetIdentifier: 'a' }))],
    ['a multivalue answer without an identifier', create(txt(['"one"'], { MultiValueAnswer: true }))],
    ['an identifier of more than 128 characters', create(one('x'.repeat(129)))],
    ['no TTL', create(txt(['"one"'], { TTL: undefined }))],
    ['no records', create(txt([], { ResourceRecords: undefined }))],
    ['an action that is none', { ...create(txt(['"one"'])), Action: 'REPLACE' as 'CREATE' }],
  ])('with %s is no input', async (_what, wrong) => {
    await expect(change(wrong)).rejects.toMatchObject({ name: 'InvalidInput', $metadata: { httpStatusCode: 400 } });
  });

  test('of many values has up to 100 siblings, each changed by itself', async () => {
    await change(...Array.from({ length: 100 }, (_, index) => create(one(`id-${index}`))));
    await expect(change(create(one('id-100')))).rejects.toThrow('Cannot have more than 100');
    await change(remove(one('id-7')), create(one('id-100')));
    expect(setsOf()).toHaveLength(100);
  });

  test('is stored under a normalized name', async () => {
    await change(create(txt(['"one"'], { Name: '*.Sub.EXAMPLE.com.' })));
    expect(setsOf()[0]?.name).toBe(String.raw`\052.sub.example.com.`);
    await change(remove(txt(['"one"'], { Name: String.raw`\052.sub.example.com` })));
    expect(setsOf()).toEqual([]);
  });

  test('keeps what XML has signs for', async () => {
    const value = String.raw`"a & b < c" "\"quoted\" \\ "`;
    await change(create(txt([value])));
    const { ResourceRecordSets } = await client.send(new ListResourceRecordSetsCommand({ HostedZoneId: zoneId }));
    expect(ResourceRecordSets?.at(-1)).toEqual(txt([value], { Name: `${NAME}.` }));
  });
});

describe('a change', () => {
  test('is pending at the first look, and nobody can resolve it until it is in sync', async () => {
    const id = await change(create(txt(['"one"'])));
    expect(setsOf()).toHaveLength(1);
    await expect(look(id)).resolves.toBe('PENDING');
    expect(valuesOf(NAME)).toEqual([]);
    await expect(look(id)).resolves.toBe('INSYNC');
    expect(valuesOf(NAME)).toEqual(['"one"']);
    const deletion = await change(remove(txt(['"one"'])));
    await look(deletion);
    expect(valuesOf(NAME)).toEqual(['"one"']);
    await look(deletion);
    expect(valuesOf(NAME)).toEqual([]);
  });

  test.each([0, 3])('needs %i looks when told so', async (looks) => {
    twin.route53.propagationLooks = looks;
    const id = await change(create(txt(['"one"'])));
    expect(valuesOf(NAME)).toEqual(looks === 0 ? ['"one"'] : []);
    const statuses = [];
    for (let n = 0; n <= looks; n += 1) statuses.push(await look(id));
    expect(statuses).toEqual([...Array.from({ length: looks }, () => 'PENDING'), 'INSYNC']);
  });

  test('is in sync after a minute, looked at or not', async () => {
    const id = await change(create(one('a')));
    await change(create(one('b')));
    twin.clock.advance(50_000);
    await change(create(one('c')));
    expect(valuesOf(NAME)).toEqual([]);
    twin.clock.advance(10_000);
    expect(valuesOf(NAME)).toEqual(['"a"', '"b"']);
    await expect(look(id)).resolves.toBe('INSYNC');
  });

  test('takes those before it along, and leaves those after it', async () => {
    const first = await change(create(one('a')));
    const second = await change(create(one('b')));
    await change(create(one('c')));
    await look(second);
    await look(second);
    expect(valuesOf(NAME)).toEqual(['"a"', '"b"']);
    await expect(look(first)).resolves.toBe('INSYNC');
  });

  test('is what the waiter of the SDK waits for', async () => {
    const Id = await change(create(txt(['"one"'])));
    const settings = { client, maxWaitTime: 5, minDelay: 0.001, maxDelay: 0.002 };
    await expect(waitUntilResourceRecordSetsChanged(settings, { Id })).resolves.toMatchObject({ state: 'SUCCESS' });
  });

  test('that nobody made is unknown', async () => {
    await expect(look('C0')).rejects.toMatchObject({ name: 'NoSuchChange', $metadata: { httpStatusCode: 404 } });
  });

  test('is refused while an earlier one is being accepted', async () => {
    twin.route53.priorRequests = (id) => id === zoneId;
    await expect(change(create(txt(['"one"'])))).rejects.toMatchObject({
      name: 'PriorRequestNotComplete',
      $metadata: { httpStatusCode: 400 },
    });
    twin.route53.priorRequests = undefined;
    await change(create(txt(['"one"'])));
  });
});

test('a throttled call says so', async () => {
  twin.route53.throttle = (operation) => operation === 'GetHostedZone';
  await expect(client.send(new GetHostedZoneCommand({ Id: zoneId }))).rejects.toMatchObject({
    name: 'Throttling',
    message: 'Rate exceeded',
    $metadata: { httpStatusCode: 400 },
  });
});

test('a stranger is turned away in the words of Route 53', async () => {
  const credentials = { accessKeyId: 'AKIANOBODY', secretAccessKey: 'none' };
  const stranger = new Route53Client({ ...operatorOf(twin), credentials });
  await expect(stranger.send(new GetHostedZoneCommand({ Id: zoneId }))).rejects.toMatchObject({
    name: 'InvalidClientTokenId',
    $metadata: { httpStatusCode: 403 },
  });
});

test('a key in a record is found', async () => {
  await change(create(txt(['"-----BEGIN PRIVATE KEY-----"'])));
  expect(twin.keyWatch.findings).toContainEqual({ channel: 'route53', where: 'operator ChangeResourceRecordSets' });
});

describe('zones', () => {
  test('are made, described and removed', async () => {
    const request = { Name: 'Example.org', CallerReference: 'first' };
    const made = await client.send(new CreateHostedZoneCommand(request));
    expect(made.HostedZone).toMatchObject({
      Name: 'example.org.',
      Config: { PrivateZone: false },
      ResourceRecordSetCount: 2,
    });
    expect(made.ChangeInfo?.Status).toBe('PENDING');
    expect(made.DelegationSet?.NameServers).toHaveLength(2);
    await expect(client.send(new CreateHostedZoneCommand(request))).rejects.toMatchObject({
      name: 'HostedZoneAlreadyExists',
    });
    const Id = made.HostedZone?.Id ?? '';
    expect(Id).toMatch(/^\/hostedzone\/Z/);
    expect(twin.route53.answers('example.org', 'SOA')).toBeUndefined();
    await look(made.ChangeInfo?.Id ?? '');
    await look(made.ChangeInfo?.Id ?? '');
    expect(valuesOf('example.org', 'NS')).toHaveLength(2);
    expect((await client.send(new GetHostedZoneCommand({ Id }))).HostedZone).toEqual(made.HostedZone);
    zoneId = Id;
    await change(create(txt(['"one"'], { Name: 'example.org' })));
    await expect(client.send(new DeleteHostedZoneCommand({ Id }))).rejects.toMatchObject({
      name: 'HostedZoneNotEmpty',
    });
    await change(remove(txt(['"one"'], { Name: 'example.org' })));
    await client.send(new DeleteHostedZoneCommand({ Id }));
    await expect(client.send(new GetHostedZoneCommand({ Id }))).rejects.toMatchObject({
      name: 'NoSuchHostedZone',
      $metadata: { httpStatusCode: 404 },
    });
  });

  test('are listed by pages, private ones too', async () => {
    for (const name of ['b.example', 'a.example', 'c.example']) twin.route53.addZone(name);
    const VPC = { VPCId: 'vpc-1', VPCRegion: 'us-east-1' as const };
    await client.send(new CreateHostedZoneCommand({ Name: 'd.example', CallerReference: 'd', VPC }));
    const pages = [];
    for await (const page of paginateListHostedZones({ client, pageSize: 2 }, {})) pages.push(page.HostedZones ?? []);
    expect(pages.map((page) => page.map(({ Name }) => Name))).toEqual([
      ['example.com.', 'b.example.'],
      ['a.example.', 'c.example.'],
      ['d.example.'],
    ]);
    expect(pages.flat().filter(({ Config }) => Config?.PrivateZone)).toMatchObject([{ Name: 'd.example.' }]);
    await expect(client.send(new ListHostedZonesCommand({ Marker: 'Z0' }))).rejects.toMatchObject({
      name: 'InvalidInput',
    });
  });

  test('are listed by name, from the right', async () => {
    for (const name of ['z.com', 'b.a.com', 'a.com', 'a.net']) twin.route53.addZone(name);
    const first = await client.send(new ListHostedZonesByNameCommand({ DNSName: 'b.com', MaxItems: 2 }));
    expect(first.HostedZones?.map(({ Name }) => Name)).toEqual(['example.com.', 'z.com.']);
    expect(first).toMatchObject({ IsTruncated: true, NextDNSName: 'a.net.' });
    const { NextDNSName: DNSName, NextHostedZoneId: HostedZoneId } = first;
    const last = await client.send(new ListHostedZonesByNameCommand({ DNSName, HostedZoneId }));
    expect(last).toMatchObject({ HostedZones: [{ Name: 'a.net.' }], IsTruncated: false });
  });

  test('list their records by pages, in the order of names', async () => {
    await change(
      create(one('c')),
      create(one('b')),
      create(one('a')),
      create(txt(['"x"'], { Name: 'a.b.example.com' })),
      create(txt(['192.0.2.1'], { Name: 'b.example.com', Type: 'A' })),
    );
    const list = async (start: Partial<ListResourceRecordSetsCommandInput>) =>
      client.send(new ListResourceRecordSetsCommand({ HostedZoneId: zoneId, MaxItems: 4, ...start }));
    const first = await list({});
    const { NextRecordName, NextRecordType, NextRecordIdentifier } = first;
    expect({ NextRecordName, NextRecordType, NextRecordIdentifier }).toEqual({
      NextRecordName: `${NAME}.`,
      NextRecordType: 'TXT',
      NextRecordIdentifier: 'c',
    });
    const last = await list({
      StartRecordName: NextRecordName,
      StartRecordType: NextRecordType,
      StartRecordIdentifier: NextRecordIdentifier,
    });
    expect(last.IsTruncated).toBe(false);
    const pages = [first, last].map(({ ResourceRecordSets }) =>
      ResourceRecordSets?.map((set) => `${set.Name} ${set.Type} ${set.SetIdentifier ?? ''}`.trim()),
    );
    expect(pages).toEqual([
      ['example.com. NS', 'example.com. SOA', `${NAME}. TXT a`, `${NAME}. TXT b`],
      [`${NAME}. TXT c`, 'b.example.com. A', 'a.b.example.com. TXT'],
    ]);
  });
});

test('an operation that the twin does not know is named', async () => {
  await expect(client.send(new ListHostedZonesCommand({ HostedZoneType: 'PrivateHostedZone' }))).rejects.toThrow(
    'does not know hostedzonetype',
  );
});

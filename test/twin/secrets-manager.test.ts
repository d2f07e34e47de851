import { randomUUID } from 'node:crypto';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetRandomPasswordCommand,
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  paginateListSecretVersionIds,
  paginateListSecrets,
  PutSecretValueCommand,
  RestoreSecretCommand,
  SecretsManagerClient,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SecretsManager } from '../../local/services/secrets-manager.ts';
import { ACCOUNT_ID, JsonEndpoint, REGION } from './json-endpoint.ts';

const NOW = Date.parse('2026-03-01T12:34:56Z');
const DAY_MS = 86_400_000;
const KEY_ARN = `arn:aws:kms:${REGION}:${ACCOUNT_ID}:key/1111-2222`;

let service: SecretsManager;
let endpoint: JsonEndpoint;
let client: SecretsManagerClient;

beforeEach(async () => {
  service = new SecretsManager();
  endpoint = await JsonEndpoint.start(service, NOW);
  client = new SecretsManagerClient(endpoint.settings);
});
afterEach(async () => {
  client.destroy();
  await endpoint.stop();
});

const create = (Name: string, more: Partial<CreateSecretCommand['input']> = {}) =>
  client.send(new CreateSecretCommand({ Name, ...more }));

/** Writes a version and answers its id. */
async function put(
  SecretId: string,
  SecretString: string,
  VersionStages?: string[],
  token: string = randomUUID(),
): Promise<string> {
  const labels = VersionStages === undefined ? {} : { VersionStages };
  await client.send(new PutSecretValueCommand({ SecretId, SecretString, ClientRequestToken: token, ...labels }));
  return token;
}

const move = (SecretId: string, VersionStage: string, RemoveFromVersionId?: string, MoveToVersionId?: string) =>
  client.send(new UpdateSecretVersionStageCommand({ SecretId, VersionStage, RemoveFromVersionId, MoveToVersionId }));

const read = (SecretId: string, version: { VersionId?: string; VersionStage?: string } = {}) =>
  client.send(new GetSecretValueCommand({ SecretId, ...version }));

const describeSecret = (SecretId: string) => client.send(new DescribeSecretCommand({ SecretId }));

/** Where each label is. */
async function labels(SecretId: string): Promise<Record<string, string>> {
  const { VersionIdsToStages = {} } = await describeSecret(SecretId);
  return Object.fromEntries(
    Object.entries(VersionIdsToStages).flatMap(([version, stages]) => stages.map((stage) => [stage, version])),
  );
}

describe('creating', () => {
  test('a secret without a value has an ARN with six characters of its own, tags, and no version', async () => {
    const { ARN, VersionId } = await create('web/orders', {
      Description: 'Orders',
      Tags: [{ Key: 'team', Value: 'web' }],
    });
    expect(ARN).toMatch(
      new RegExp(`^arn:aws:secretsmanager:${REGION}:${ACCOUNT_ID}:secret:web/orders-[A-Za-z0-9]{6}$`),
    );
    expect(VersionId).toBeUndefined();
    const { $metadata: _, ...found } = await describeSecret('web/orders');
    expect(found).toEqual({
      ARN,
      Name: 'web/orders',
      Description: 'Orders',
      CreatedDate: new Date(NOW),
      LastChangedDate: new Date(NOW),
      Tags: [{ Key: 'team', Value: 'web' }],
    });
    await expect(read('web/orders')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  test('a value that comes with it is current, and its version is named by the token', async () => {
    const token = randomUUID();
    await create('a', { SecretString: 'one', ClientRequestToken: token });
    await expect(read('a')).resolves.toMatchObject({
      SecretString: 'one',
      VersionId: token,
      VersionStages: ['AWSCURRENT'],
      CreatedDate: new Date(NOW),
    });
  });

  test('a name that is taken is refused, a repetition of the very call is not', async () => {
    const first = { SecretString: 'one', ClientRequestToken: randomUUID() };
    const { ARN } = await create('a', first);
    await expect(create('a', first)).resolves.toMatchObject({ ARN, VersionId: first.ClientRequestToken });
    for (const other of [{}, { SecretString: 'one' }, { ...first, SecretString: 'two' }]) {
      await expect(create('a', other)).rejects.toMatchObject({ name: 'ResourceExistsException' });
    }
    expect(service.versions('a')).toHaveLength(1);
  });
});

describe('staging labels', () => {
  test('the first version of a secret becomes AWSCURRENT whatever label it was given', async () => {
    await create('a');
    const first = await put('a', 'staged key', ['AWSPENDING']);
    expect(await labels('a')).toEqual({ AWSPENDING: first, AWSCURRENT: first });
    const second = await put('a', 'bundle', ['AWSPENDING']);
    expect(await labels('a')).toEqual({ AWSPENDING: second, AWSCURRENT: first });
  });

  test('without labels a new version becomes current and the one before it AWSPREVIOUS', async () => {
    await create('a');
    const [first, second, third] = [await put('a', '1'), await put('a', '2'), await put('a', '3')];
    expect(await labels('a')).toEqual({ AWSCURRENT: third, AWSPREVIOUS: second });
    await expect(read('a', { VersionId: first })).resolves.toMatchObject({ SecretString: '1' });
  });

  test('after a roll-back AWSPREVIOUS is the bad version', async () => {
    await create('a');
    const good = await put('a', 'good');
    const bad = await put('a', 'bad');
    await move('a', 'AWSCURRENT', bad, good);
    expect(await labels('a')).toEqual({ AWSCURRENT: good, AWSPREVIOUS: bad });
  });

  test('a label that is on no version needs no predecessor, and may be taken off again', async () => {
    await create('a');
    const only = await put('a', '1');
    await move('a', 'blue', undefined, only);
    expect(await labels('a')).toEqual({ AWSCURRENT: only, blue: only });
    await move('a', 'blue', undefined, only);
    await move('a', 'blue', only);
    expect(await labels('a')).toEqual({ AWSCURRENT: only });
  });

  test('who moves a label without knowing where it is, is refused and changes nothing', async () => {
    await create('a');
    const first = await put('a', '1');
    const second = await put('a', '2', ['AWSPENDING']);
    const before = await labels('a');
    const refused = { name: 'InvalidParameterException' };
    await expect(move('a', 'AWSCURRENT', undefined, second)).rejects.toMatchObject({
      ...refused,
      message:
        `The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently attached to version ${first}, ` +
        'so you must explicitly reference that version in RemoveFromVersionId.',
    });
    await expect(move('a', 'AWSCURRENT', second, second)).rejects.toMatchObject(refused);
    await expect(move('a', 'AWSPENDING', first)).rejects.toMatchObject(refused);
    await expect(move('a', 'blue', first, second)).rejects.toMatchObject(refused);
    await expect(move('a', 'AWSCURRENT')).rejects.toMatchObject(refused);
    await expect(move('a', 'AWSCURRENT', first, randomUUID())).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
    expect(await labels('a')).toEqual(before);
  });

  test('of two that swap at the same time one wins', async () => {
    await create('a');
    const current = await put('a', '1');
    const rivals = [await put('a', '2', ['blue']), await put('a', '3', ['green'])];
    const swaps = await Promise.allSettled(rivals.map((rival) => move('a', 'AWSCURRENT', current, rival)));
    expect(swaps.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect((await labels('a'))['AWSPREVIOUS']).toBe(current);
  });

  test('AWSCURRENT moves, it never goes', async () => {
    await create('a');
    const first = await put('a', '1');
    await expect(move('a', 'AWSCURRENT', first)).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: expect.stringContaining("It can't be completely removed"),
    });
  });

  test('any sequence of writes and moves leaves the labels where AWS documents them', async () => {
    const step = fc.record({
      writes: fc.boolean(),
      labels: fc.option(fc.uniqueArray(fc.constantFrom('AWSCURRENT', 'AWSPENDING', 'blue'), { minLength: 1 }), {
        nil: undefined,
      }),
      label: fc.constantFrom('AWSCURRENT', 'AWSPENDING', 'blue'),
      target: fc.nat(),
    });
    let secrets = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 10 }), async (steps) => {
        const name = `secret-${(secrets += 1)}`;
        await create(name);
        const versions: string[] = [];
        const expected: Record<string, string> = {};
        const expectMove = (label: string, to: string): void => {
          const from = expected[label];
          expected[label] = to;
          if (label === 'AWSCURRENT' && from !== undefined && from !== to) expected['AWSPREVIOUS'] = from;
        };
        for (const { writes, labels: wanted, label, target } of steps) {
          const to = versions[target % versions.length];
          if (writes || to === undefined) {
            const written = await put(name, `value ${versions.length}`, wanted);
            const attached = versions.length === 0 ? [...(wanted ?? []), 'AWSCURRENT'] : (wanted ?? ['AWSCURRENT']);
            versions.push(written);
            for (const each of attached) expectMove(each, written);
          } else {
            await move(name, label, expected[label], to);
            expectMove(label, to);
          }
        }
        expect(await labels(name)).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });
});

describe('tokens', () => {
  test('a repeated write does nothing, not even to the labels', async () => {
    await create('a');
    const token = await put('a', '1');
    const second = await put('a', '2');
    await put('a', '1', undefined, token);
    expect(await labels('a')).toEqual({ AWSCURRENT: second, AWSPREVIOUS: token });
    expect(service.versions('a')).toHaveLength(2);
  });

  test('a token with other data is refused and the version stays as it is', async () => {
    await create('a');
    const token = await put('a', '1');
    await expect(put('a', 'another key', undefined, token)).rejects.toMatchObject({ name: 'ResourceExistsException' });
    await expect(read('a', { VersionId: token })).resolves.toMatchObject({ SecretString: '1' });
  });

  test('the same token belongs to each secret by itself', async () => {
    await create('a');
    await create('b');
    const token = await put('a', '1');
    await put('b', '2', undefined, token);
    await expect(read('b', { VersionId: token })).resolves.toMatchObject({ SecretString: '2' });
  });
});

describe('reading', () => {
  test('an id and a label have to agree', async () => {
    await create('a');
    const first = await put('a', '1');
    const second = await put('a', '2');
    await expect(read('a', { VersionId: first, VersionStage: 'AWSPREVIOUS' })).resolves.toMatchObject({
      SecretString: '1',
    });
    await expect(read('a', { VersionId: second, VersionStage: 'AWSPREVIOUS' })).rejects.toMatchObject({
      name: 'InvalidRequestException',
    });
    for (const nothing of [{ VersionId: randomUUID() }, { VersionStage: 'blue' }]) {
      await expect(read('a', nothing)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    }
  });

  test('versions without a label are found by id, listed on request, and absent from the description', async () => {
    await create('a');
    const ids = [await put('a', '1'), await put('a', '2'), await put('a', '3')];
    expect(Object.keys((await describeSecret('a')).VersionIdsToStages ?? {})).toEqual(ids.slice(1));
    const { Versions = [] } = await client.send(new ListSecretVersionIdsCommand({ SecretId: 'a' }));
    expect(Versions.map(({ VersionId }) => VersionId)).toEqual(ids.slice(1));
    const all: unknown[] = [];
    for await (const page of paginateListSecretVersionIds(
      { client, pageSize: 2 },
      { SecretId: 'a', IncludeDeprecated: true },
    )) {
      expect(page.Versions?.length).toBeLessThanOrEqual(2);
      all.push(...(page.Versions ?? []));
    }
    expect(all).toEqual([
      { VersionId: ids[0], CreatedDate: new Date(NOW) },
      { VersionId: ids[1], CreatedDate: new Date(NOW), VersionStages: ['AWSPREVIOUS'] },
      { VersionId: ids[2], CreatedDate: new Date(NOW), VersionStages: ['AWSCURRENT'] },
    ]);
  });

  test('a name, an ARN and an ARN without its suffix find the same secret', async () => {
    const { ARN = '' } = await create('web/orders', { SecretString: 'x' });
    for (const id of ['web/orders', ARN, ARN.slice(0, -7)]) {
      await expect(read(id)).resolves.toMatchObject({ ARN, Name: 'web/orders' });
    }
    for (const id of ['web', 'web/orders2', `${ARN.slice(0, -6)}aaaaaa`, ARN.slice(0, -1)]) {
      await expect(read(id)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    }
  });

  test('the partial ARN of a name that ends in a hyphen and six characters finds nothing', async () => {
    const { ARN = '' } = await create('orders-abc123', { SecretString: 'x' });
    await expect(read(ARN)).resolves.toMatchObject({ SecretString: 'x' });
    await expect(read(ARN.slice(0, -7))).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});

describe('limits', () => {
  test('a value has 65,536 bytes at most, however many characters', async () => {
    await create('a');
    await put('a', 'x'.repeat(65_536));
    await expect(put('a', 'é'.repeat(32_769))).rejects.toMatchObject({ name: 'ValidationException' });
  });

  test('names and tokens outside of their alphabet or length are refused', async () => {
    for (const name of ['with space', 'ünder', 'a*', 'x'.repeat(513)]) {
      await expect(create(name)).rejects.toMatchObject({ name: 'ValidationException' });
    }
    await create('Valid/_+=.@!-Name');
    for (const token of ['x'.repeat(31), 'x'.repeat(65)]) {
      await expect(put('Valid/_+=.@!-Name', '1', undefined, token)).rejects.toMatchObject({
        name: 'ValidationException',
      });
    }
  });

  test('a secret has twenty labels at most', async () => {
    await create('a');
    await put(
      'a',
      '1',
      Array.from({ length: 19 }, (_, index) => `label-${index}`),
    );
    await expect(put('a', '2', ['one-too-many'])).rejects.toMatchObject({ name: 'LimitExceededException' });
    expect(service.versions('a')).toHaveLength(1);
  });

  test('versions beyond a hundred go when they are a day old and have no label', async () => {
    await create('a');
    const first = await put('a', 'first', ['blue']);
    const second = await put('a', 'second');
    for (let count = 2; count < 105; count += 1) await put('a', String(count));
    expect(service.versions('a')).toHaveLength(105);
    endpoint.now += DAY_MS;
    await put('a', 'last');
    expect(service.versions('a')).toHaveLength(100);
    await expect(read('a', { VersionId: second })).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(read('a', { VersionId: first })).resolves.toMatchObject({ SecretString: 'first' });
  });

  test('what the twin does not know is said, never ignored', async () => {
    await expect(client.send(new GetRandomPasswordCommand({}))).rejects.toMatchObject({
      message: expect.stringContaining('GetRandomPassword'),
    });
    await expect(
      create('a', { ForceOverwriteReplicaSecret: true, AddReplicaRegions: [{ Region: 'eu-west-1' }] }),
    ).rejects.toMatchObject({
      message: expect.stringContaining('ForceOverwriteReplicaSecret'),
    });
  });

  test('an error never quotes a value', async () => {
    await create('a');
    const refusal = await put('a', `secret${'x'.repeat(65_536)}`).catch((error: unknown) => String(error));
    expect(refusal).toContain('SecretString');
    expect(refusal).not.toContain('secretx');
  });
});

describe('tags and lists', () => {
  test('tags are added, replaced and removed', async () => {
    await create('a', { Tags: [{ Key: 'owner', Value: 'x' }] });
    const Tags = [
      { Key: 'owner', Value: 'y' },
      { Key: 'stage', Value: 'test' },
    ];
    await client.send(new TagResourceCommand({ SecretId: 'a', Tags }));
    expect((await describeSecret('a')).Tags).toEqual(Tags);
    await client.send(new UntagResourceCommand({ SecretId: 'a', TagKeys: ['owner'] }));
    expect((await describeSecret('a')).Tags).toEqual(Tags.slice(1));
  });

  test('a list narrows by every filter and comes in pages', async () => {
    for (let index = 0; index < 5; index += 1) {
      await create(`prod/${index}`, { Tags: [{ Key: 'deployment', Value: index === 3 ? 'test' : 'prod' }] });
    }
    await create('other', { SecretString: 'x' });
    const Filters = [
      { Key: 'tag-key' as const, Values: ['deployment'] },
      { Key: 'tag-value' as const, Values: ['prod', 'nothing'] },
    ];
    const names: unknown[] = [];
    for await (const { SecretList = [] } of paginateListSecrets({ client, pageSize: 3 }, { Filters })) {
      names.push(...SecretList.map(({ Name }) => Name));
    }
    expect(names).toEqual(['prod/0', 'prod/1', 'prod/2', 'prod/4']);
  });
});

describe('deleting', () => {
  test('a deleted secret can be described and restored until its time is over, and nothing else', async () => {
    await create('a', { SecretString: 'x' });
    const { DeletionDate } = await client.send(new DeleteSecretCommand({ SecretId: 'a', RecoveryWindowInDays: 7 }));
    expect(DeletionDate).toEqual(new Date(NOW + 7 * DAY_MS));
    expect((await describeSecret('a')).DeletedDate).toEqual(new Date(NOW));
    const refused = { name: 'InvalidRequestException' };
    await expect(read('a')).rejects.toMatchObject(refused);
    await expect(put('a', 'y')).rejects.toMatchObject(refused);
    await expect(create('a')).rejects.toMatchObject(refused);
    await client.send(new RestoreSecretCommand({ SecretId: 'a' }));
    await expect(read('a')).resolves.toMatchObject({ SecretString: 'x' });
    await client.send(new DeleteSecretCommand({ SecretId: 'a', RecoveryWindowInDays: 7 }));
    endpoint.now += 7 * DAY_MS;
    await expect(describeSecret('a')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await create('a');
  });
});

describe('permissions', () => {
  test('creating with tags needs TagResource, and both see the tags of the request', async () => {
    const { ARN } = await create('a', { Tags: [{ Key: 'everleaf:deployment', Value: 'prod' }] });
    const context = {
      'secretsmanager:Name': 'a',
      'aws:RequestTag/everleaf:deployment': 'prod',
      'aws:TagKeys': ['everleaf:deployment'],
    };
    expect(endpoint.asked).toEqual([
      { action: 'secretsmanager:CreateSecret', resource: ARN, context },
      { action: 'secretsmanager:TagResource', resource: ARN, context },
    ]);
  });

  test('other calls are judged by the tags of the secret and what they name', async () => {
    const { ARN } = await create('a', { SecretString: 'x', Tags: [{ Key: 'team', Value: 'web' }] });
    endpoint.asked.splice(0);
    await read('a', { VersionStage: 'AWSCURRENT' });
    expect(endpoint.asked).toEqual([
      {
        action: 'secretsmanager:GetSecretValue',
        resource: ARN,
        context: {
          'secretsmanager:SecretId': 'a',
          'secretsmanager:VersionStage': 'AWSCURRENT',
          'aws:ResourceTag/team': 'web',
          'secretsmanager:ResourceTag/team': 'web',
        },
      },
    ]);
  });

  test('a secret that does not exist is judged by the ARN it would have', async () => {
    await describeSecret('nothing').catch(() => undefined);
    expect(endpoint.asked[0]?.resource).toMatch(/:secret:nothing-[A-Za-z0-9]{6}$/);
  });

  test("a key of the customer's own is used in the caller's name: to write it encrypts and decrypts, to read it decrypts", async () => {
    const { ARN } = await create('a', { KmsKeyId: KEY_ARN });
    const version = await put('a', 'x');
    await read('a');
    const uses = endpoint.asked.filter(({ resource }) => resource === KEY_ARN);
    expect(uses.map(({ action }) => action)).toEqual([
      'kms:GenerateDataKey',
      'kms:Decrypt',
      'kms:GenerateDataKey',
      'kms:Decrypt',
      'kms:Decrypt',
    ]);
    expect(uses.at(-1)?.context).toEqual({
      'kms:ViaService': `secretsmanager.${REGION}.amazonaws.com`,
      'kms:CallerAccount': ACCOUNT_ID,
      'kms:EncryptionContext:SecretARN': ARN,
      'kms:EncryptionContext:SecretVersionId': version,
    });
  });

  test('whoever may not use the key changes nothing', async () => {
    await create('a', { KmsKeyId: KEY_ARN });
    endpoint.denied = (action) => action === 'kms:Decrypt';
    await expect(put('a', 'x')).rejects.toMatchObject({ name: 'AccessDeniedException' });
    await expect(create('b', { KmsKeyId: KEY_ARN, SecretString: 'x' })).rejects.toMatchObject({
      name: 'AccessDeniedException',
    });
    expect(service.versions('a')).toEqual([]);
    endpoint.denied = () => false;
    await expect(describeSecret('b')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});

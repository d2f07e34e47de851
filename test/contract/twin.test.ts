import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
} from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventBridgeBus } from '../../functions/buses/eventbridge.ts';
import { versionId } from '../../functions/core/certificate.ts';
import { sqsHintQueue } from '../../functions/queues/sqs.ts';
import type { SecretSlot, SecretStore } from '../../functions/core/ports.ts';
import type { Release } from '../../functions/core/rollout/ports.ts';
import { bundleReader } from '../../functions/stores/bundle-reader.ts';
import { secretNameOf } from '../../functions/stores/secret-name.ts';
import { secretsManagerStore } from '../../functions/stores/secrets-manager.ts';
import { versionSwitch } from '../../functions/stores/version-switch.ts';
import { CERTIFICATE_TAG, DEPLOYMENT_TAG } from '../../functions/stores/tags.ts';
import { AwsError } from '../../local/wire/service.ts';
import { id } from '../support/builders.ts';
import { type Deployment, deployOnTwin, manifestOf } from '../support/deployment.ts';
import { aRelease } from '../rollout/simulation.ts';
import { inventoryContract } from './inventory.contract.ts';
import {
  makeKey,
  newAttempt,
  newSlot,
  prepare,
  provenance,
  secretStoreContract,
  signedFor,
} from './secret-store.contract.ts';

let deployment: Deployment;
beforeAll(async () => {
  deployment = await deployOnTwin({ manifest: manifestOf() });
});
afterAll(() => deployment.close());

const connection = () => {
  const { endpoint, account, operatorCredentials } = deployment.twin;
  return { endpoint, region: account.region, credentials: operatorCredentials };
};

inventoryContract('DynamoDB, on the twin', async () => deployment.operator.inventory);

const newStore = (): SecretStore =>
  secretsManagerStore(
    { deployment: 'contract', kmsKeyArn: deployment.twin.physicalId('EverleafStoreKey') },
    deployment.secrets,
  );
const STRANGERS = '{"tls.crt":"mine"}';
const overwriteByStranger = async (slot: SecretSlot): Promise<void> => {
  const SecretId = secretNameOf('contract', slot);
  await deployment.secrets.send(new PutSecretValueCommand({ SecretId, SecretString: STRANGERS }));
};

secretStoreContract('Secrets Manager, on the twin', async () => ({
  store: newStore(),
  versions: versionSwitch('contract', deployment.secrets),
  overwriteByStranger,
}));

describe('secret store: labels and owners in Secrets Manager', () => {
  const described = async (slot: SecretSlot) => {
    const command = new DescribeSecretCommand({ SecretId: secretNameOf('contract', slot) });
    const { $metadata: _request, ...facts } = await deployment.secrets.send(command);
    return facts;
  };
  const labels = async (slot: SecretSlot): Promise<readonly string[]> =>
    Object.values((await described(slot)).VersionIdsToStages ?? {}).flat();
  /** All that is ever done to a secret whose state is not known. */
  const everything = (store: SecretStore, slot: SecretSlot): readonly (() => Promise<unknown>)[] => [
    () => store.stageKey(slot, newAttempt(), makeKey),
    () => store.promote(slot, versionId.parse('x'.repeat(32)), undefined),
    () => store.current(slot),
    () => store.discard(slot),
  ];

  it('makes a secret with the replicas and tags that the deployment wants', async () => {
    const kmsKeyArn = 'arn:aws:kms:eu-west-1:111122223333:key/11111111-1111-4111-8111-111111111111';
    const store = secretsManagerStore(
      {
        deployment: 'contract',
        kmsKeyArn: deployment.twin.physicalId('EverleafStoreKey'),
        replicas: [{ region: 'eu-west-1', kmsKeyArn }],
        tags: { team: 'platform' },
      },
      deployment.secrets,
    );
    const slot = newSlot();
    await store.stageKey(slot, newAttempt(), makeKey);
    expect(await described(slot)).toMatchObject({
      ReplicationStatus: [{ Region: 'eu-west-1', KmsKeyId: kmsKeyArn }],
      Tags: [
        { Key: 'team', Value: 'platform' },
        { Key: DEPLOYMENT_TAG, Value: 'contract' },
        { Key: CERTIFICATE_TAG, Value: slot.certificate },
      ],
    });
  });

  it('has two labelled versions after thirty renewals: far from 20 labels a version, and 100 versions a secret', async () => {
    const [store, slot] = [newStore(), newSlot()];
    let current;
    for (let generation = 1; generation <= 30; generation++) {
      const { version } = await prepare(store, slot, generation);
      await store.promote(slot, version, current);
      current = version;
    }
    expect([...(await labels(slot))].sort()).toEqual(['AWSCURRENT', 'AWSPREVIOUS']);
  });

  it.each<[string, (slot: SecretSlot) => Readonly<Record<string, string>>]>([
    ['nobody', () => ({})],
    ['another deployment', ({ certificate }) => ({ [DEPLOYMENT_TAG]: 'other', [CERTIFICATE_TAG]: certificate })],
    ['another certificate', () => ({ [DEPLOYMENT_TAG]: 'contract', [CERTIFICATE_TAG]: 'contract/other' })],
  ])('leaves a secret alone that is tagged as the one of %s', async (_whose, tags) => {
    const slot = newSlot();
    const Tags = Object.entries(tags(slot)).map(([Key, Value]) => ({ Key, Value }));
    const command = new CreateSecretCommand({ Name: secretNameOf('contract', slot), SecretString: STRANGERS, Tags });
    await deployment.secrets.send(command);
    const before = await described(slot);
    for (const work of everything(newStore(), slot))
      await expect(work()).rejects.toMatchObject({ class: 'permanent', code: 'SecretNotOurs' });
    expect(await described(slot)).toEqual(before);
  });

  it('says of a secret that is scheduled for deletion how to have it back', async () => {
    const [store, slot] = [newStore(), newSlot()];
    await prepare(store, slot);
    await deployment.secrets.send(new DeleteSecretCommand({ SecretId: secretNameOf('contract', slot) }));
    for (const work of everything(store, slot))
      await expect(work()).rejects.toMatchObject({
        class: 'permanent',
        code: 'SecretDeleted',
        message: expect.stringContaining('restore-secret') as unknown,
      });
  });

  it('leaves nothing pending behind a discarded key, a discarded version, or a promotion', async () => {
    const [store, slot] = [newStore(), newSlot()];
    await store.stageKey(slot, newAttempt(), makeKey);
    expect(await labels(slot)).toContain('AWSPENDING');
    await store.discard(slot);
    expect(await labels(slot)).not.toContain('AWSPENDING');
    await prepare(store, slot);
    expect(await labels(slot)).toContain('AWSPENDING');
    await store.discard(slot);
    expect(await labels(slot)).not.toContain('AWSPENDING');
    const { version } = await prepare(store, slot);
    await store.promote(slot, version, undefined);
    expect(await labels(slot)).toEqual(expect.arrayContaining(['AWSCURRENT']));
    expect(await labels(slot)).not.toContain('AWSPENDING');
  });

  /** Each call named is answered once as if what it asks for were not there. */
  function notVisibleAtOnce(operations: readonly string[]): {
    readonly left: Set<string>;
    readonly remove: () => void;
  } {
    const left = new Set(operations);
    const remove = deployment.twin.use(async ({ operation }, next) => {
      if (left.delete(operation)) throw new AwsError('ResourceNotFoundException', 'not found', 400);
      return next();
    });
    return { left, remove };
  }

  it('takes nothing for lost that cannot be seen at once', async () => {
    const [store, slot] = [newStore(), newSlot()];
    const { left, remove } = notVisibleAtOnce(['PutSecretValue', 'GetSecretValue', 'UpdateSecretVersionStage']);
    try {
      const { version } = await prepare(store, slot);
      await store.promote(slot, version, undefined);
      expect(await store.current(slot)).toMatchObject({ version });
    } finally {
      remove();
    }
    expect([...left]).toEqual([]);
  });

  it('tells a replica that is behind from one that is there, and from none', async () => {
    const [store, slot] = [newStore(), newSlot()];
    await prepare(store, slot);
    const versions = versionSwitch('contract', deployment.secrets);
    await versions.requireReplica(slot, 'eu-west-1');
    let status = 'InProgress';
    const remove = deployment.twin.use(async ({ operation }, next) => {
      const answer = await next();
      if (operation !== 'DescribeSecret') return answer;
      const described = JSON.parse(String(answer.body)) as object;
      const ReplicationStatus = [{ Region: 'eu-west-1', Status: status, StatusMessage: 'soon' }];
      return { ...answer, body: JSON.stringify({ ...described, ReplicationStatus }) };
    });
    await expect(versions.requireReplica(slot, 'eu-west-1')).rejects.toMatchObject({
      class: 'transient',
      code: 'NotReplicated',
      message: expect.stringContaining('its replica in eu-west-1 is InProgress: soon') as unknown,
    });
    await versions.requireReplica(slot, 'eu-west-2');
    status = 'InSync';
    await versions.requireReplica(slot, 'eu-west-1');
    remove();
  });

  it('takes no bundle for lost that cannot be seen at once, and one that stays away for lost', async () => {
    const [store, slot] = [newStore(), newSlot()];
    const { version } = await prepare(store, slot);
    await store.promote(slot, version, undefined);
    const { ref } = await store.publicParts(slot, version);
    const read = bundleReader(deployment.secrets);
    const release: Release = { ...aRelease(1), certificate: slot.certificate, ref, version };
    const { left, remove } = notVisibleAtOnce(['GetSecretValue']);
    expect(await read(release)).toHaveProperty('tls.key');
    remove();
    expect([...left]).toEqual([]);
    await expect(read({ ...release, version: versionId.parse('x'.repeat(32)) })).rejects.toMatchObject({
      class: 'permanent',
      code: 'StoredVersionLost',
    });
  });

  it('lets an attempt go whose key is lost, and begins another at once', async () => {
    const [store, slot] = [newStore(), newSlot()];
    const attempt = newAttempt();
    const chain = await signedFor(store, slot, attempt);
    const remove = deployment.twin.use(async ({ operation }, next) => {
      if (operation === 'GetSecretValue') throw new AwsError('ResourceNotFoundException', 'not found', 400);
      return next();
    });
    const commit = store.commit(slot, chain, provenance(slot, attempt, chain.leaf, 1));
    await expect(commit).rejects.toMatchObject({ class: 'transient', code: 'StagedKeyLost', endsAttempt: true });
    remove();
  });

  it('does not write over what a stranger made current after the last look', async () => {
    const [store, slot] = [newStore(), newSlot()];
    const first = await prepare(store, slot, 1);
    await store.promote(slot, first.version, undefined);
    const second = await prepare(store, slot, 2);
    let moved = false;
    const remove = deployment.twin.use(async ({ operation }, next) => {
      const answer = await next();
      if (operation === 'DescribeSecret' && !moved) {
        moved = true;
        await overwriteByStranger(slot);
      }
      return answer;
    });
    const promotion = store.promote(slot, second.version, first.version);
    await expect(promotion).rejects.toMatchObject({ class: 'transient', code: 'LabelMoved' });
    remove();
    const SecretId = secretNameOf('contract', slot);
    expect(await deployment.secrets.send(new GetSecretValueCommand({ SecretId }))).toMatchObject({
      SecretString: STRANGERS,
    });
    await expect(store.promote(slot, second.version, first.version)).rejects.toMatchObject({
      code: 'SecretChangedElsewhere',
    });
  });
});

describe('bus: EventBridge, on the twin', () => {
  it('sends again what the bus refused, and only that', async () => {
    const bus = eventBridgeBus(deployment.twin.physicalId('EverleafBus'), new EventBridgeClient(connection()));
    let calls = 0;
    const sizes: number[] = [];
    const remove = deployment.twin.use(async (call, next) => {
      if (call.operation !== 'PutEvents') return next();
      calls += 1;
      const entries = call.input['Entries'] as readonly unknown[];
      sizes.push(entries.length);
      if (calls > 1) return next();
      const answer = entries.map((_entry, index) =>
        index === 0 ? { ErrorCode: 'ThrottlingException', ErrorMessage: 'slow' } : { EventId: `${index}` },
      );
      return {
        status: 200,
        headers: { 'content-type': 'application/x-amz-json-1.1' },
        body: JSON.stringify({ FailedEntryCount: 1, Entries: answer }),
      };
    });
    const hint = {
      type: 'Certificate Renewal Due',
      detail: { schemaVersion: '1', certificate: id('contract/a') },
    } as const;
    await bus.publish([hint, hint, hint]);
    remove();
    expect(sizes).toEqual([3, 1]);
  });

  it('says so when the bus goes on refusing', async () => {
    const bus = eventBridgeBus('no-such-bus', new EventBridgeClient(connection()));
    const hint = {
      type: 'Certificate Renewal Due',
      detail: { schemaVersion: '1', certificate: id('contract/a') },
    } as const;
    await expect(bus.publish([hint])).rejects.toMatchObject({
      class: expect.stringMatching(/transient|permanent/) as unknown,
    });
  });
});

describe('hint queue: SQS, on the twin', () => {
  it('delivers after the delay and not before', async () => {
    const queue = deployment.twin.queue('EverleafIssuanceDeadLetters');
    const hints = sqsHintQueue(deployment.twin.physicalId('EverleafIssuanceDeadLetters'), new SQSClient(connection()));
    await hints.later({ schemaVersion: '1', certificate: id('contract/a') }, 60);
    expect(queue.receive(1)).toEqual([]);
    await deployment.twin.advance(61_000);
    expect(queue.receive(1)).toHaveLength(1);
  });
});

import { PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventBridgeBus } from '../../functions/buses/eventbridge.ts';
import { sqsHintQueue } from '../../functions/queues/sqs.ts';
import { secretNameOf, secretsManagerStore } from '../../functions/stores/secrets-manager.ts';
import { id } from '../support/builders.ts';
import { type Deployment, deployOnTwin, manifestOf } from '../support/deployment.ts';
import { inventoryContract } from './inventory.contract.ts';
import { secretStoreContract } from './secret-store.contract.ts';

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

secretStoreContract('Secrets Manager, on the twin', async () => ({
  store: secretsManagerStore(
    { deployment: 'contract', kmsKeyArn: deployment.twin.physicalId('EverleafStoreKey') },
    deployment.secrets,
  ),
  overwriteByStranger: async (slot) => {
    await deployment.secrets.send(
      new PutSecretValueCommand({ SecretId: secretNameOf('contract', slot), SecretString: '{"tls.crt":"mine"}' }),
    );
  },
}));

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

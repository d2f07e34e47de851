import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SQSClient } from '@aws-sdk/client-sqs';
import { Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { afterAll, beforeAll } from 'vitest';
import { eventBridgeBus } from '../../functions/buses/eventbridge.ts';
import { sqsHintQueue } from '../../functions/queues/sqs.ts';
import { EverleafStack } from '../../lib/everleaf-stack.ts';
import { type Deployment, deployOnTwin, manifestOf } from '../support/deployment.ts';
import { eventBusContract } from './event-bus.contract.ts';
import { hintQueueContract } from './hint-queue.contract.ts';

let deployment: Deployment;
beforeAll(async () => {
  deployment = await deployOnTwin({
    manifest: manifestOf(),
    adapt: (stack) => {
      if (!(stack instanceof EverleafStack)) throw new Error(`${stack.stackName} is no Everleaf`);
      new Rule(stack, 'Everything', {
        eventBus: stack.everleaf.bus,
        eventPattern: { source: ['everleaf'] },
        targets: [new SqsQueue(new Queue(stack, 'Subscriber'))],
      });
    },
  });
});
afterAll(() => deployment.close());

const connection = () => {
  const { endpoint, account, operatorCredentials } = deployment.twin;
  return { endpoint, region: account.region, credentials: operatorCredentials };
};

eventBusContract('EventBridge, on the twin', async () => ({
  bus: eventBridgeBus(deployment.twin.physicalId('EverleafBus'), new EventBridgeClient(connection())),
  told: async (count) => {
    await deployment.twin.settled();
    const messages = deployment.twin.queue('Subscriber').receive(count);
    return messages.map(({ body }) => (JSON.parse(body) as { detail: { certificate: string } }).detail.certificate);
  },
}));

hintQueueContract('SQS, on the twin', async () => {
  const { twin } = deployment;
  return {
    hints: sqsHintQueue(twin.physicalId('EverleafIssuanceDeadLetters'), new SQSClient(connection())),
    delivered: async () => {
      const queue = twin.queue('EverleafIssuanceDeadLetters');
      for (;;) {
        const [message] = queue.receive(1);
        if (message !== undefined) {
          return { body: message.body, delayedMs: (message.firstReceivedAt ?? 0) - message.sentAt };
        }
        await twin.advance(500);
      }
    },
  };
});

import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { Duration, type Stack } from 'aws-cdk-lib';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { expect, test } from 'vitest';
import { functionOf, operatorOf, startTwin } from './stage.ts';

const VISIBILITY_MS = 30_000;

/** Bodies that start with `bad` fail; `boom` takes the whole batch with it. */
const CONSUME = `
  export const handler = async ({ Records }) => {
    for (const { body, attributes } of Records) console.log(body + ' ' + attributes.ApproximateReceiveCount);
    if (Records.some(({ body }) => body === 'boom')) throw new TypeError('boom');
    const failed = Records.filter(({ body }) => body.startsWith('bad'));
    return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };`;

function consumer(stack: Stack): void {
  const deadLetters = new Queue(stack, 'Dead');
  const queue = new Queue(stack, 'Work', {
    visibilityTimeout: Duration.millis(VISIBILITY_MS),
    deadLetterQueue: { queue: deadLetters, maxReceiveCount: 2 },
  });
  functionOf(stack, 'Consume', CONSUME).addEventSource(new SqsEventSource(queue, { reportBatchItemFailures: true }));
}

test('a batch that fails in part keeps only what failed, until that is a dead letter', async () => {
  const twin = await startTwin(consumer);
  const client = new SQSClient(operatorOf(twin));
  const QueueUrl = twin.physicalId('Work');
  const Entries = ['good', 'bad', 'fine'].map((MessageBody, index) => ({ Id: `${index}`, MessageBody }));
  await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  await twin.settled();
  expect(twin.queue('Work').counts()).toEqual({ visible: 0, inFlight: 1, delayed: 0 });
  await twin.advance(VISIBILITY_MS);
  await twin.settled();
  await twin.advance(VISIBILITY_MS);
  await twin.settled();
  const bad = twin.logs.map(({ line }) => line).filter((line) => line.startsWith('bad'));
  expect(bad).toEqual(['bad 1', 'bad 2']);
  expect(twin.queue('Work').messages()).toEqual([]);
  expect(twin.queue('Dead').messages()).toMatchObject([{ body: 'bad' }]);
});

test('a message that makes its function throw ends as a dead letter, and can be brought back', async () => {
  const twin = await startTwin(consumer);
  const client = new SQSClient(operatorOf(twin));
  await client.send(new SendMessageCommand({ QueueUrl: twin.physicalId('Work'), MessageBody: 'boom' }));
  for (let round = 0; round < 2; round += 1) {
    await twin.settled();
    await twin.advance(VISIBILITY_MS);
  }
  await twin.settled();
  expect(twin.problems.map(({ message }) => message)).toEqual(['TypeError: boom', 'TypeError: boom']);
  expect(twin.queue('Dead').counts().visible).toBe(1);
  await client.send(new StartMessageMoveTaskCommand({ SourceArn: twin.queue('Dead').arn }));
  await twin.settled();
  expect(twin.logs.at(-1)?.line).toBe('boom 1');
  expect(twin.queue('Dead').messages()).toEqual([]);
});

test('a delayed message waits for the virtual clock, and settled does not wait for it', async () => {
  const twin = await startTwin(consumer);
  const client = new SQSClient(operatorOf(twin));
  const QueueUrl = twin.physicalId('Work');
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'later', DelaySeconds: 600 }));
  await twin.settled();
  expect(twin.logs).toEqual([]);
  expect(twin.queue('Work').counts().delayed).toBe(1);
  await twin.advance(600_000);
  await twin.settled();
  expect(twin.logs.map(({ line }) => line)).toEqual(['later 1']);
});

test('the queue operations hold what the SDK expects of them', async () => {
  const twin = await startTwin((stack) => void new Queue(stack, 'Plain'));
  const client = new SQSClient(operatorOf(twin));
  const { name, arn } = twin.queue('Plain');
  const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName: name }));
  const waiting = client.send(
    new ReceiveMessageCommand({
      QueueUrl,
      WaitTimeSeconds: 20,
      MessageSystemAttributeNames: ['ApproximateReceiveCount'],
      MessageAttributeNames: ['All'],
    }),
  );
  const MessageAttributes = { kind: { DataType: 'String', StringValue: 'test' } };
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'ünïcode', MessageAttributes }));
  const { Messages } = await waiting;
  expect(Messages).toMatchObject([
    { Body: 'ünïcode', Attributes: { ApproximateReceiveCount: '1' }, MessageAttributes },
  ]);
  const { ReceiptHandle } = Messages?.[0] ?? {};
  const { Attributes } = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
  expect(Attributes).toMatchObject({ QueueArn: arn, ApproximateNumberOfMessagesNotVisible: '1' });
  await client.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }));
  const again = await client.send(new ReceiveMessageCommand({ QueueUrl }));
  expect(again.Messages).toHaveLength(1);
  // The first receive's handle is stale by now.
  await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
  expect(twin.queue('Plain').counts().inFlight).toBe(1);
  await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: again.Messages?.[0]?.ReceiptHandle }));
  expect(twin.queue('Plain').messages()).toEqual([]);
  const unknown = client.send(new SendMessageCommand({ QueueUrl: `${QueueUrl}x`, MessageBody: 'x' }));
  await expect(unknown).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
});

test('a visibility timeout shorter than the timeout of the function is refused, as by Lambda', async () => {
  const start = startTwin((stack) => {
    const queue = new Queue(stack, 'Short', { visibilityTimeout: Duration.seconds(5) });
    functionOf(stack, 'Consume', CONSUME).addEventSource(new SqsEventSource(queue));
  });
  await expect(start).rejects.toThrow('Queue visibility timeout: 5 seconds is less than Function timeout: 20 seconds');
});

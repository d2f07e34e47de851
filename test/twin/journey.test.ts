import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { AttributeType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { CfnOutput, Duration, type Stack } from 'aws-cdk-lib';
import { EventBus, Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget, SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bundled, operatorOf, startTwin, temporaryDirectory } from './stage.ts';

const DETECT = `
  import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
  import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
  const events = new EventBridgeClient({});
  const s3 = new S3Client({});
  export const handler = async (event) => {
    const asset = await s3.send(new GetObjectCommand({ Bucket: process.env.BUCKET, Key: process.env.KEY }));
    const { names } = JSON.parse(await asset.Body.transformToString());
    const Entries = names.map((name) => ({ EventBusName: process.env.BUS, Source: 'demo', DetailType: 'Due',
      Detail: JSON.stringify({ name, schedule: event['detail-type'] }) }));
    const answer = await events.send(new PutEventsCommand({ Entries }));
    if (answer.FailedEntryCount > 0) throw new Error(JSON.stringify(answer));
  };`;

const ISSUE = `
  import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
  const table = new DynamoDBClient({});
  export const handler = async ({ Records }) => {
    for (const { body } of Records) {
      const { detail } = JSON.parse(body);
      console.log('issuing ' + detail.name);
      await table.send(new PutItemCommand({ TableName: process.env.TABLE, ConditionExpression: 'attribute_not_exists(pk)',
        Item: { pk: { S: detail.name }, via: { S: detail.schedule } } }));
    }
  };`;

function journey(stack: Stack): void {
  const bus = new EventBus(stack, 'Bus');
  const queue = new Queue(stack, 'Work', {
    encryption: QueueEncryption.KMS,
    enforceSSL: true,
    visibilityTimeout: Duration.minutes(1),
  });
  const table = new Table(stack, 'Table', { partitionKey: { name: 'pk', type: AttributeType.STRING } });
  const file = join(temporaryDirectory(), 'names.json');
  writeFileSync(file, JSON.stringify({ names: ['a', 'b', 'c'] }));
  const asset = new Asset(stack, 'Names', { path: file });
  const detect = bundled(stack, 'Detect', DETECT, {
    environment: { BUS: bus.eventBusName, BUCKET: asset.s3BucketName, KEY: asset.s3ObjectKey },
  });
  const issue = bundled(stack, 'Issue', ISSUE, { environment: { TABLE: table.tableName } });
  bus.grantPutEventsTo(detect);
  asset.grantRead(detect);
  table.grantWriteData(issue);
  issue.addEventSource(new SqsEventSource(queue));
  new Rule(stack, 'Tick', { schedule: Schedule.rate(Duration.minutes(5)), targets: [new LambdaTarget(detect)] });
  new Rule(stack, 'Due', {
    eventBus: bus,
    eventPattern: { source: ['demo'], detailType: ['Due'] },
    targets: [new SqsQueue(queue)],
  });
  new CfnOutput(stack, 'BusName', { value: bus.eventBusName });
}

test('a tick travels from the schedule over the bus and a queue to a table', async () => {
  const twin = await startTwin(journey);
  await twin.tick();
  await twin.settled();
  expect(twin.problems).toEqual([]);
  expect(twin.logs.map(({ line }) => line).toSorted()).toEqual(['issuing a', 'issuing b', 'issuing c']);
  const puts = twin.calls.filter(({ operation }) => operation === 'PutItem');
  expect(puts.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200]);
  expect(puts[0]?.resources).toEqual([`arn:aws:dynamodb:us-east-1:111122223333:table/${twin.physicalId('Table')}`]);
  expect(puts[0]?.principal).toMatch(/^Issue/);
});

test('an operator reaches the same bus through the SDK, and entries that are wrong fail one by one', async () => {
  const twin = await startTwin(journey);
  const client = new EventBridgeClient(operatorOf(twin));
  const good = {
    EventBusName: twin.outputs['BusName'],
    Source: 'demo',
    DetailType: 'Due',
    Detail: '{"name":"x","schedule":"none"}',
  };
  const answer = await client.send(
    new PutEventsCommand({
      Entries: [good, { ...good, Detail: '{' }, { ...good, Source: undefined }, { ...good, EventBusName: 'nowhere' }],
    }),
  );
  expect(answer.FailedEntryCount).toBe(3);
  expect(answer.Entries?.map(({ ErrorCode }) => ErrorCode)).toEqual([
    undefined,
    'MalformedDetail',
    'InvalidArgument',
    'ResourceNotFoundException',
  ]);
  await twin.settled();
  expect(twin.logs.map(({ line }) => line)).toEqual(['issuing x']);
});

import { Duration, type Stack } from 'aws-cdk-lib';
import { AttributeType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { CfnRule, CfnEventBus } from 'aws-cdk-lib/aws-events';
import { Effect, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnEventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { expect, test } from 'vitest';
import { bundled, functionOf, operatorOf, startTwin } from './stage.ts';

const READ = `
  import { DynamoDBClient, GetItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
  const client = new DynamoDBClient({ maxAttempts: 1 });
  const TableName = process.env.TABLE;
  export const handler = async ({ index }) => {
    if (index === undefined) await client.send(new GetItemCommand({ TableName, Key: { pk: { S: 'a' } } }));
    else await client.send(new QueryCommand({ TableName, IndexName: index, KeyConditionExpression: 'd = :d',
      ExpressionAttributeValues: { ':d': { S: 'x' } } }));
    return 'read';
  };`;

function reader(grant: (table: Table) => PolicyStatement | undefined): (stack: Stack) => void {
  return (stack) => {
    const partitionKey = { name: 'pk', type: AttributeType.STRING };
    const table = new Table(stack, 'Table', { partitionKey });
    table.addGlobalSecondaryIndex({ indexName: 'due', partitionKey: { name: 'd', type: AttributeType.STRING } });
    const read = bundled(stack, 'Read', READ, { environment: { TABLE: table.tableName } });
    const statement = grant(table);
    if (statement !== undefined) read.addToRolePolicy(statement);
  };
}

test('a call without a grant is denied in the words of AWS', async () => {
  const twin = await startTwin(reader(() => undefined));
  const { name, roleArn } = twin.function('Read');
  const role = roleArn.split('/').at(-1);
  await expect(twin.invoke('Read', {})).rejects.toMatchObject({
    errorType: 'AccessDeniedException',
    message: `User: arn:aws:sts::111122223333:assumed-role/${role}/${name} is not authorized to perform: dynamodb:GetItem on resource: arn:aws:dynamodb:us-east-1:111122223333:table/${twin.physicalId('Table')} because no identity-based policy allows the dynamodb:GetItem action`,
  });
  expect(twin.calls.map(({ errorCode }) => errorCode)).toEqual(['AccessDeniedException']);
});

test('an explicit deny says so', async () => {
  const twin = await startTwin((stack) => {
    reader(() => new PolicyStatement({ effect: Effect.DENY, actions: ['dynamodb:*'], resources: ['*'] }))(stack);
  });
  await expect(twin.invoke('Read', {})).rejects.toThrow('with an explicit deny in an identity-based policy');
});

test('a grant on a table does not reach its indexes, and what no call needed is reported', async () => {
  const twin = await startTwin(
    reader(
      (table) => new PolicyStatement({ actions: ['dynamodb:GetItem', 'dynamodb:Query'], resources: [table.tableArn] }),
    ),
  );
  await expect(twin.invoke('Read', {})).resolves.toBe('read');
  await expect(twin.invoke('Read', { index: 'due' })).rejects.toThrow('/index/due because no identity-based policy');
  expect(twin.unusedGrants()).toMatchObject([{ action: 'dynamodb:Query' }]);
});

test('a role that does not trust Lambda cannot be a function', async () => {
  const start = startTwin((stack) => {
    const role = new Role(stack, 'Role', { assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com') });
    functionOf(stack, 'F', 'export const handler = async () => 1;', { role });
  });
  await expect(start).rejects.toThrow('cannot be assumed by lambda.amazonaws.com');
});

test('a mapping whose role may not read the queue is refused', async () => {
  const start = startTwin((stack) => {
    const queue = new Queue(stack, 'Q');
    const target = functionOf(stack, 'F', 'export const handler = async () => 1;');
    const mapping = { functionName: target.functionName, eventSourceArn: queue.queueArn };
    new CfnEventSourceMapping(stack, 'Mapping', mapping);
  });
  await expect(start).rejects.toThrow(/Mapping .*sqs:ReceiveMessage/);
});

test('inline policies beyond the quota of a role are refused', async () => {
  const resources = Array.from({ length: 120 }, (_, index) => `arn:aws:s3:::${'x'.repeat(80)}${index}`);
  const document = new PolicyDocument({ statements: [new PolicyStatement({ actions: ['s3:GetObject'], resources })] });
  const start = startTwin((stack) => {
    const assumedBy = new ServicePrincipal('lambda.amazonaws.com');
    new Role(stack, 'Role', { assumedBy, inlinePolicies: { document } });
  });
  await expect(start).rejects.toThrow('IAM allows 10240');
});

test('a rule reaches a queue and a function only as far as their own policies let it', async () => {
  const twin = await startTwin((stack) => {
    const bus = new CfnEventBus(stack, 'Bus', { name: 'bus' });
    const queue = new Queue(stack, 'Q', { visibilityTimeout: Duration.minutes(1) });
    const target = functionOf(stack, 'F', 'export const handler = async () => 1;');
    const targets = [queue.queueArn, target.functionArn].map((arn, index) => ({ arn, id: `${index}` }));
    new CfnRule(stack, 'Rule', { eventBusName: bus.ref, eventPattern: { source: ['demo'] }, targets });
  });
  const client = new EventBridgeClient(operatorOf(twin));
  const entry = { EventBusName: 'bus', Source: 'demo', DetailType: 'X', Detail: '{}' };
  await client.send(new PutEventsCommand({ Entries: [entry] }));
  await twin.settled();
  expect(twin.problems.map(({ message }) => message)).toEqual([
    expect.stringContaining(
      'does not let events.amazonaws.com send for arn:aws:events:us-east-1:111122223333:rule/bus/',
    ),
    expect.stringContaining('no AWS::Lambda::Permission lets events.amazonaws.com invoke'),
  ]);
  expect(twin.queue('Q').messages()).toEqual([]);
});

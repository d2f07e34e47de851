import { type Stack } from 'aws-cdk-lib';
import { AttributeType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { expect, test } from 'vitest';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { type CallRecord, DROPPED, type Middleware } from '../../local/wire/call.ts';
import { AwsError } from '../../local/wire/service.ts';
import type { Twin } from '../../local/twin.ts';
import { bundled, operatorOf, startTwin } from './stage.ts';

const COUNT = `
  import { DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
  const client = new DynamoDBClient({ maxAttempts: 1 });
  export const handler = async () => {
    const answer = await client.send(new UpdateItemCommand({ TableName: process.env.TABLE, Key: { pk: { S: 'n' } },
      UpdateExpression: 'ADD hits :one', ExpressionAttributeValues: { ':one': { N: '1' } }, ReturnValues: 'ALL_NEW' }));
    return Number(answer.Attributes.hits.N);
  };`;

function counter(stack: Stack): void {
  const table = new Table(stack, 'Table', { partitionKey: { name: 'pk', type: AttributeType.STRING } });
  const count = bundled(stack, 'Count', COUNT, { environment: { TABLE: table.tableName } });
  table.grantReadWriteData(count);
}

async function hits(twin: Twin): Promise<number> {
  const client = new DynamoDBClient(operatorOf(twin));
  const key = { TableName: twin.physicalId('Table'), Key: { pk: { S: 'n' } } };
  const { Item } = await client.send(new GetItemCommand(key));
  return Number(Item?.['hits']?.N ?? 0);
}

const update =
  (middleware: Middleware): Middleware =>
  (call, next) =>
    call.operation === 'UpdateItem' ? middleware(call, next) : next();

test.each<[string, Middleware, number, string]>([
  [
    'killed before the server acts',
    async (call) => {
      await call.killCaller();
      return DROPPED;
    },
    0,
    'Runtime.ExitError',
  ],
  [
    'killed after the server acted',
    async (call, next) => {
      await next();
      await call.killCaller();
      return DROPPED;
    },
    1,
    'Runtime.ExitError',
  ],
  [
    'whose answer is lost',
    async (_call, next) => {
      await next();
      return DROPPED;
    },
    1,
    'TimeoutError',
  ],
  ['that is refused', () => Promise.reject(new AwsError('ThrottlingException', 'slow down')), 0, 'ThrottlingException'],
])(
  'a call %s leaves what it left, and the function goes on with the next invocation',
  async (_how, fault, left, type) => {
    const twin = await startTwin(counter);
    const remove = twin.use(update(fault));
    await expect(twin.invoke('Count', {})).rejects.toMatchObject({ errorType: type });
    expect(await hits(twin)).toBe(left);
    remove();
    await expect(twin.invoke('Count', {})).resolves.toBe(left + 1);
  },
);

test('a call can be repeated', async () => {
  const twin = await startTwin(counter);
  twin.use(
    update(async (_call, next) => {
      await next();
      return await next();
    }),
  );
  await expect(twin.invoke('Count', {})).resolves.toBe(2);
});

test('a call can be held, and settled waits for it', async () => {
  const twin = await startTwin(counter);
  const held = Promise.withResolvers<CallRecord>();
  const release = Promise.withResolvers<void>();
  twin.use(
    update(async (call, next) => {
      held.resolve(call);
      await release.promise;
      return await next();
    }),
  );
  const answer = twin.invoke('Count', {});
  const { principal, invocationId } = await held.promise;
  expect(principal).toBe(twin.function('Count').logicalId);
  expect(invocationId).toMatch(/^[0-9a-f-]{36}$/);
  expect(twin.calls.at(-1)).not.toHaveProperty('statusCode');
  expect(await hits(twin)).toBe(0);
  release.resolve();
  await twin.settled();
  expect(await hits(twin)).toBe(1);
  await expect(answer).resolves.toBe(1);
});

test('an access key that the twin did not give out is refused', async () => {
  const twin = await startTwin(counter);
  const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'x' };
  const client = new DynamoDBClient({ ...operatorOf(twin), credentials });
  const call = client.send(new GetItemCommand({ TableName: 'any', Key: { pk: { S: 'n' } } }));
  await expect(call).rejects.toMatchObject({ name: 'UnrecognizedClientException' });
});

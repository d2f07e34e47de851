import { generateKeyPairSync } from 'node:crypto';
import { AttributeType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { expect, test } from 'vitest';
import { type JsonService } from '../../local/wire/service.ts';
import { KeyWatch } from '../../local/wire/key-watch.ts';
import { bundled, startTwin } from './stage.ts';

/** The store that keys belong in, as far as this test goes. */
const secretsManager: JsonService = {
  signingName: 'secretsmanager',
  handle: ({ input }) => ({ ARN: 'arn', SecretString: input['SecretString'] }),
};

const LEAK = `
  import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
  import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
  import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
  import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
  import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
  export const handler = async ({ channel, form }) => {
    const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
    const key = createPrivateKey(pem);
    const SecretString = JSON.stringify({ 'tls.key': pem });
    await new SecretsManagerClient({}).send(new PutSecretValueCommand({ SecretId: 'x', SecretString }));
    const leak = {
      pem: () => pem,
      base64: () => Buffer.from('some words before ' + pem).toString('base64'),
      body: () => pem.split('\\n').slice(1, -2).join('\\n'),
      sec1: () => key.export({ type: 'sec1', format: 'der' }).toString('base64'),
      jwk: () => JSON.stringify(key.export({ format: 'jwk' })),
      public: () => JSON.stringify({ ...key.export({ format: 'jwk' }), d: undefined }),
    }[form]();
    if (channel === 'log') console.log(leak);
    if (channel === 'events') await new EventBridgeClient({}).send(new PutEventsCommand({ Entries: [
      { EventBusName: process.env.BUS, Source: 'x', DetailType: 'y', Detail: JSON.stringify({ leak }) }] }));
    if (channel === 'sqs') await new SQSClient({}).send(new SendMessageCommand({ QueueUrl: process.env.QUEUE, MessageBody: leak }));
    if (channel === 'dynamodb') await new DynamoDBClient({}).send(new PutItemCommand({ TableName: process.env.TABLE,
      Item: { pk: { S: leak } } }));
    if (channel === 'result') return { leak };
    if (channel === 'error') throw new Error(leak);
  };`;

test('a key is found on every channel and in every form, and nowhere else', async () => {
  const twin = await startTwin(
    (stack) => {
      const bus = new EventBus(stack, 'Bus');
      const queue = new Queue(stack, 'Queue');
      const table = new Table(stack, 'Table', { partitionKey: { name: 'pk', type: AttributeType.STRING } });
      const environment = { BUS: bus.eventBusName, QUEUE: queue.queueUrl, TABLE: table.tableName };
      const leak = bundled(stack, 'Leak', LEAK, { environment, memorySize: 256 });
      bus.grantPutEventsTo(leak);
      queue.grantSendMessages(leak);
      table.grantWriteData(leak);
    },
    { services: () => [secretsManager] },
  );
  for (const channel of ['log', 'events', 'sqs', 'dynamodb', 'result', 'error']) {
    await twin.invoke('Leak', { channel, form: 'public' }).catch(() => undefined);
    expect(twin.keyWatch.findings, `a public key on ${channel}`).toEqual([]);
    for (const form of ['pem', 'base64', 'body', 'sec1', 'jwk']) {
      await twin.invoke('Leak', { channel, form }).catch(() => undefined);
      const findings = twin.keyWatch.findings.splice(0);
      expect(findings, `${form} on ${channel}`).toContainEqual(expect.objectContaining({ channel }));
      expect(JSON.stringify(findings)).not.toContain('PRIVATE KEY');
    }
  }
});

test.each(['rsa', 'ed25519', 'ec'])('a key of type %s is known again without its label', (type) => {
  const { privateKey } =
    type === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : type === 'ec'
        ? generateKeyPairSync('ec', { namedCurve: 'P-384' })
        : generateKeyPairSync('ed25519');
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const watch = new KeyWatch();
  watch.search('secretsmanager', 'put', JSON.stringify({ SecretString: JSON.stringify({ key: pem }) }));
  expect(watch.findings).toEqual([]);
  watch.search('log', 'der', `x ${privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64')}`);
  watch.search('log', 'hex', privateKey.export({ type: 'pkcs8', format: 'der' }).toString('hex'));
  expect(watch.findings.map(({ where }) => where)).toEqual(['der', 'hex']);
});

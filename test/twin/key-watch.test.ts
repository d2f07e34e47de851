import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AttributeType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { expect, test } from 'vitest';
import { type JsonService } from '../../local/wire/service.ts';
import { type Finding, KeyWatch } from '../../local/wire/key-watch.ts';
import { bundled, startTwin, temporaryDirectory } from './stage.ts';

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
  import { writeFileSync } from 'node:fs';
  import { tmpdir } from 'node:os';
  import { join } from 'node:path';
  export const handler = async ({ channel, form, isStored }) => {
    const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
    const key = createPrivateKey(pem);
    const SecretString = JSON.stringify({ 'tls.key': pem });
    if (isStored) await new SecretsManagerClient({}).send(new PutSecretValueCommand({ SecretId: 'x', SecretString }));
    const der = key.export({ type: 'pkcs8', format: 'der' });
    const { d } = key.export({ format: 'jwk' });
    const scalar = Buffer.from(d, 'base64url');
    const leak = {
      pem: () => pem,
      base64: () => Buffer.from('some words before ' + pem).toString('base64'),
      body: () => pem.split('\\n').slice(1, -2).join('\\n'),
      sec1: () => key.export({ type: 'sec1', format: 'der' }).toString('base64'),
      pkcs8url: () => der.toString('base64url'),
      hex: () => der.toString('hex'),
      HEX: () => der.toString('hex').toUpperCase(),
      scalar: () => scalar.toString('base64'),
      d: () => d,
      jwk: () => JSON.stringify(key.export({ format: 'jwk' })),
      public: () => JSON.stringify({ ...key.export({ format: 'jwk' }), d: undefined }),
    }[form]();
    if (channel === 'log') console.log(leak);
    if (channel === 'stderr') process.stderr.write(leak + '\\n');
    if (channel === 'file') writeFileSync(join(tmpdir(), 'left-behind'), leak);
    if (channel === 'events') await new EventBridgeClient({}).send(new PutEventsCommand({ Entries: [
      { EventBusName: process.env.BUS, Source: 'x', DetailType: 'y', Detail: JSON.stringify({ leak }) }] }));
    if (channel === 'sqs') await new SQSClient({}).send(new SendMessageCommand({ QueueUrl: process.env.QUEUE, MessageBody: leak }));
    if (channel === 'dynamodb') await new DynamoDBClient({}).send(new PutItemCommand({ TableName: process.env.TABLE,
      Item: { pk: { S: leak } } }));
    if (channel === 'binary') await new DynamoDBClient({}).send(new PutItemCommand({ TableName: process.env.TABLE,
      Item: { pk: { S: 'x' }, value: { B: Buffer.from(form === 'public' ? leak : scalar) } } }));
    if (channel === 'result') return { leak };
    if (channel === 'error') throw new Error(leak);
  };`;

const CHANNELS: Readonly<Record<string, string>> = {
  log: 'log',
  stderr: 'log',
  file: 'file',
  events: 'events',
  sqs: 'sqs',
  dynamodb: 'dynamodb',
  binary: 'dynamodb',
  result: 'result',
  error: 'error',
};
const FORMS = ['pem', 'base64', 'body', 'sec1', 'pkcs8url', 'hex', 'HEX', 'scalar', 'd', 'jwk'];

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
  const { keyWatch, temporaryFolder } = twin;
  for (const [channel, named] of Object.entries(CHANNELS)) {
    const leak = async (form: string, isStored: boolean): Promise<readonly Finding[]> => {
      await twin.invoke('Leak', { channel, form, isStored }).catch(() => undefined);
      keyWatch.searchFolder(temporaryFolder);
      return keyWatch.findings.splice(0);
    };
    expect(await leak('public', true), `a public key on ${channel}`).toEqual([]);
    for (const [index, form] of FORMS.entries()) {
      // It is a key from its making on, whether it was stored or not.
      const findings = await leak(form, index % 2 === 0);
      expect(findings, `${form} on ${channel}`).toContainEqual(expect.objectContaining({ channel: named }));
      expect(JSON.stringify(findings)).not.toContain('PRIVATE KEY');
    }
    rmSync(temporaryFolder, { recursive: true });
    mkdirSync(temporaryFolder);
  }
});

test('a key is found in a file as bare bytes', () => {
  const folder = temporaryDirectory();
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const { p = '' } = privateKey.export({ format: 'jwk' });
  const watch = new KeyWatch();
  writeFileSync(join(folder, 'der'), privateKey.export({ type: 'pkcs1', format: 'der' }));
  writeFileSync(join(folder, 'prime'), Buffer.from(p, 'base64url'));
  writeFileSync(join(folder, 'public'), createPublicKey(privateKey).export({ type: 'spki', format: 'der' }));
  watch.searchFolder(folder);
  expect(watch.findings).toEqual([]);
  watch.learnKey(privateKey);
  watch.searchFolder(folder);
  expect(watch.findings.map(({ where }) => where).toSorted()).toEqual([join(folder, 'der'), join(folder, 'prime')]);
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

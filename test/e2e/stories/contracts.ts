import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DynamoDBClient,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { CreateHostedZoneCommand, Route53Client } from '@aws-sdk/client-route-53';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  CreateEventBusCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { eventBridgeBus } from '../../../functions/buses/eventbridge.ts';
import { sqsHintQueue } from '../../../functions/queues/sqs.ts';
import { accountStoreContract } from '../../contract/account-store.contract.ts';
import { dnsWriterContract, type WriterUnderTest } from '../../contract/dns-writer.contract.ts';
import { type BusUnderTest, eventBusContract } from '../../contract/event-bus.contract.ts';
import { hintQueueContract, type QueueUnderTest } from '../../contract/hint-queue.contract.ts';
import { eventually } from '../support/eventually.ts';
import type { Inventory } from '../../../functions/core/ports.ts';
import { dynamoDbInventory } from '../../../functions/inventories/dynamodb.ts';
import { secretNameOf } from '../../../functions/stores/secret-name.ts';
import { secretsManagerStore } from '../../../functions/stores/secrets-manager.ts';
import { versionSwitch } from '../../../functions/stores/version-switch.ts';
import { inventoryContract } from '../../contract/inventory.contract.ts';
import { secretStoreContract } from '../../contract/secret-store.contract.ts';
import { accountsUnderTest, writerUnderTest } from '../../contract/through-the-sdk.ts';
import { resourceAt, type Template } from '../adaptations.ts';
import { REGION } from '../host/environment.ts';
import { STACK, type World } from '../support/world.ts';

/** An account of its own, so that what the contracts leave behind is nobody's certificate. */
const CREDENTIALS = { accessKeyId: '444455556666', secretAccessKey: 'made-for-this-run' };
const DEPLOYMENT = 'contract';

/** The duties that the twin and the in-memory doubles are held to, asked of an AWS that we did not write. */
export function contracts(world: () => World): void {
  const connection = (): Connection => ({
    endpoint: world().settings.endpoint,
    region: REGION,
    credentials: CREDENTIALS,
  });

  let inventory: Promise<Inventory> | undefined;
  inventoryContract('DynamoDB, on MiniStack', () => {
    inventory ??= newInventory(new DynamoDBClient(connection()), world());
    return inventory;
  });

  secretStoreContract('Secrets Manager, on MiniStack', async () => {
    const client = new SecretsManagerClient(connection());
    return {
      store: secretsManagerStore({ deployment: DEPLOYMENT, kmsKeyArn: undefined }, client),
      versions: versionSwitch(DEPLOYMENT, client),
      overwriteByStranger: async (slot) => {
        const SecretId = secretNameOf(DEPLOYMENT, slot);
        await client.send(new PutSecretValueCommand({ SecretId, SecretString: '{"tls.crt":"mine"}' }));
      },
    };
  });

  accountStoreContract('Secrets Manager, on MiniStack', async () =>
    accountsUnderTest(new SecretsManagerClient(connection())),
  );

  let writer: Promise<WriterUnderTest> | undefined;
  dnsWriterContract('Route 53, on MiniStack', () => {
    writer ??= newWriter(connection());
    return writer;
  });

  let bus: Promise<BusUnderTest> | undefined;
  eventBusContract('EventBridge, on MiniStack', () => {
    bus ??= newBus(connection());
    return bus;
  });

  hintQueueContract('SQS, on MiniStack', () => newQueue(connection()));
}

type Connection = { readonly endpoint: string; readonly region: string; readonly credentials: typeof CREDENTIALS };

/** Two zones, one inside of the other. */
async function newWriter(connection: Connection): Promise<WriterUnderTest> {
  const route53 = new Route53Client(connection);
  const [apex, inner] = ['contract.example', 'inner.contract.example'];
  for (const Name of [apex, inner]) {
    await route53.send(new CreateHostedZoneCommand({ Name, CallerReference: Name }));
  }
  return writerUnderTest(route53, apex, inner);
}

/** A bus with one subscriber, which reads everything. */
async function newBus(connection: Connection): Promise<BusUnderTest> {
  const [events, sqs] = [new EventBridgeClient(connection), new SQSClient(connection)];
  const [EventBusName, Rule] = ['contract', 'everything'];
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'subscriber' }));
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
  const Arn = Attributes?.QueueArn ?? '';
  const mayBeSentTo = {
    Effect: 'Allow',
    Principal: { Service: 'events.amazonaws.com' },
    Action: 'sqs:SendMessage',
    Resource: Arn,
  };
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [mayBeSentTo] });
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }));
  await events.send(new CreateEventBusCommand({ Name: EventBusName }));
  const EventPattern = JSON.stringify({ source: ['everleaf'] });
  await events.send(new PutRuleCommand({ Name: Rule, EventBusName, EventPattern }));
  await events.send(new PutTargetsCommand({ Rule, EventBusName, Targets: [{ Id: 'queue', Arn }] }));
  const certificates = new Set<string>();
  return {
    bus: eventBridgeBus(EventBusName, events),
    told: (count) =>
      eventually(`${count} events have come`, async () => {
        for (const { Body = '' } of await receive(sqs, QueueUrl)) {
          certificates.add((JSON.parse(Body) as { detail: { certificate: string } }).detail.certificate);
        }
        return certificates.size >= count ? [...certificates] : undefined;
      }),
  };
}

async function newQueue(connection: Connection): Promise<QueueUnderTest> {
  const sqs = new SQSClient(connection);
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: 'hints' }));
  return {
    hints: sqsHintQueue(QueueUrl, sqs),
    delivered: () =>
      eventually('the hint has come', async () => {
        const [message] = await receive(sqs, QueueUrl);
        const { SentTimestamp, ApproximateFirstReceiveTimestamp } = message?.Attributes ?? {};
        const delayedMs = Number(ApproximateFirstReceiveTimestamp) - Number(SentTimestamp);
        return message === undefined ? undefined : { body: message.Body ?? '', delayedMs };
      }),
  };
}

async function receive(sqs: SQSClient, QueueUrl: string | undefined): Promise<readonly Message[]> {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ['All'] }),
  );
  return Messages;
}

/** A table as the app's template describes it. */
async function newInventory(client: DynamoDBClient, world: World): Promise<Inventory> {
  const file = join(await world.assemble(), `${STACK}.template.json`);
  const { Properties } = resourceAt(JSON.parse(readFileSync(file, 'utf8')) as Template, 'EverleafInventoryTable');
  const { AttributeDefinitions, KeySchema, GlobalSecondaryIndexes, BillingMode } =
    Properties as unknown as CreateTableCommandInput;
  const TableName = 'inventory';
  await client.send(
    new CreateTableCommand({ TableName, AttributeDefinitions, KeySchema, GlobalSecondaryIndexes, BillingMode }),
  );
  await waitUntilTableExists({ client, maxWaitTime: 30 }, { TableName });
  return dynamoDbInventory(TableName, client);
}

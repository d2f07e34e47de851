import { randomUUID } from 'node:crypto';
import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateHostedZoneCommand, ListResourceRecordSetsCommand, Route53Client } from '@aws-sdk/client-route-53';
import {
  DescribeSecretCommand,
  type DescribeSecretResponse,
  GetSecretValueCommand,
  type GetSecretValueCommandInput,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { DeleteMessageCommand, type Message, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { CREDENTIALS, REGION } from '../host/environment.ts';
import type { Bundle } from './openssl.ts';
import { jsonCall, signedCall } from './signed-call.ts';

/** One value at a name, which ends with a dot. */
export interface TxtRecord {
  readonly name: string;
  readonly value: string;
}

/** The emulated account, as a person with its root credentials sees it. */
export class Account {
  readonly connection;
  readonly secrets: SecretsManagerClient;
  readonly dynamodb: DynamoDBClient;
  readonly sqs: SQSClient;
  readonly route53: Route53Client;
  readonly #endpoint: string;

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
    this.connection = { endpoint, region: REGION, credentials: CREDENTIALS };
    this.secrets = new SecretsManagerClient(this.connection);
    this.dynamodb = new DynamoDBClient(this.connection);
    this.sqs = new SQSClient(this.connection);
    this.route53 = new Route53Client(this.connection);
  }

  close(): void {
    for (const client of [this.secrets, this.dynamodb, this.sqs, this.route53]) client.destroy();
  }

  /** Physical ids of a stack's resources, by logical id. */
  async resources(stack: string): Promise<ReadonlyMap<string, string>> {
    const body = new URLSearchParams({ Action: 'DescribeStackResources', Version: '2010-05-15', StackName: stack });
    const { status, text } = await signedCall(this.#endpoint, {
      service: 'cloudformation',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: body.toString(),
    });
    if (status !== 200) throw new Error(`DescribeStackResources answered ${status}: ${text}`);
    const members = text.match(/<member>[\s\S]*?<\/member>/g) ?? [];
    return new Map(
      members.map((member) => [element(member, 'LogicalResourceId'), element(member, 'PhysicalResourceId')]),
    );
  }

  /** Calls a function and answers what it returned; throws what it threw. */
  async invoke(functionName: string, event: object): Promise<unknown> {
    const { status, headers, text } = await signedCall(this.#endpoint, {
      service: 'lambda',
      path: `/2015-03-31/functions/${functionName}/invocations`,
      body: JSON.stringify(event),
    });
    if (status !== 200 || headers.has('x-amz-function-error')) throw new Error(`${functionName} failed: ${text}`);
    return JSON.parse(text) as unknown;
  }

  /** Every line that a function logged, as it wrote it. */
  async logLines(logGroup: string): Promise<readonly string[]> {
    const answer = await jsonCall(this.#endpoint, 'logs', 'Logs_20140328.FilterLogEvents', { logGroupName: logGroup });
    return (answer as { readonly events: readonly { readonly message: string }[] }).events.map(
      ({ message }) => message,
    );
  }

  async keyState(keyId: string): Promise<string> {
    const answer = await jsonCall(this.#endpoint, 'kms', 'TrentService.DescribeKey', { KeyId: keyId });
    return (answer as { readonly KeyMetadata: { readonly KeyState: string } }).KeyMetadata.KeyState;
  }

  /** Answers the zone's id. */
  async createZone(name: string): Promise<string> {
    const { HostedZone } = await this.route53.send(
      new CreateHostedZoneCommand({ Name: name, CallerReference: randomUUID() }),
    );
    return HostedZone?.Id ?? '';
  }

  async txtRecords(zone: string): Promise<readonly TxtRecord[]> {
    // One page: three hundred sets.
    const { ResourceRecordSets = [] } = await this.route53.send(
      new ListResourceRecordSetsCommand({ HostedZoneId: zone }),
    );
    return ResourceRecordSets.filter(({ Type }) => Type === 'TXT').flatMap(({ Name = '', ResourceRecords = [] }) =>
      ResourceRecords.map(({ Value = '' }) => ({ name: Name, value: String(JSON.parse(Value)) })),
    );
  }

  async tableStatus(tableName: string): Promise<string | undefined> {
    const { Table } = await this.dynamodb.send(new DescribeTableCommand({ TableName: tableName }));
    return Table?.TableStatus;
  }

  describeSecret(name: string): Promise<DescribeSecretResponse> {
    return this.secrets.send(new DescribeSecretCommand({ SecretId: name }));
  }

  /** What a consumer reads, with the version's id. */
  async bundle(
    name: string,
    which: Partial<GetSecretValueCommandInput> = {},
  ): Promise<{ version: string; bundle: Bundle }> {
    const answer = await this.secrets.send(new GetSecretValueCommand({ SecretId: name, ...which }));
    return { version: answer.VersionId ?? '', bundle: JSON.parse(answer.SecretString ?? '{}') as Bundle };
  }

  /** Takes what a queue has now, at most ten messages. */
  async receive(queueUrl: string, visibilityTimeout?: number): Promise<readonly Message[]> {
    const { Messages = [] } = await this.sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: 1,
        MessageSystemAttributeNames: ['All'],
        ...(visibilityTimeout === undefined ? {} : { VisibilityTimeout: visibilityTimeout }),
      }),
    );
    return Messages;
  }

  async delete(queueUrl: string, { ReceiptHandle }: Message): Promise<void> {
    await this.sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }));
  }
}

const element = (xml: string, name: string): string => new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? '';

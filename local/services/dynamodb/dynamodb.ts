import type { AddressInfo } from 'node:net';
import dynalite from 'dynalite';
import { z } from 'zod';
import { type Account, arnOf } from '../../account.ts';
import { optional } from '../../stack/properties.ts';
import type { Resource, ResourceKind } from '../../stack/resource.ts';
import { AwsError, type JsonService, type ServiceCall, unknownOperation } from '../../wire/service.ts';

const TableProperties = z.strictObject({
  AttributeDefinitions: z.array(z.unknown()),
  KeySchema: z.array(z.unknown()),
  BillingMode: z.string().optional(),
  ProvisionedThroughput: z.unknown().optional(),
  GlobalSecondaryIndexes: z.array(z.unknown()).optional(),
  LocalSecondaryIndexes: z.array(z.unknown()).optional(),
  SSESpecification: z
    .strictObject({ SSEEnabled: z.boolean() }, 'the twin has no tables under a key of the customer')
    .optional(),
  ...optional(
    'TableName',
    'PointInTimeRecoverySpecification',
    'TimeToLiveSpecification',
    'DeletionProtectionEnabled',
    'TableClass',
    'Tags',
  ),
});

/** What dynalite does faithfully; of the rest, transactions above all, it knows nothing. */
const ON_ONE_TABLE = new Set(['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query', 'Scan', 'DescribeTable']);
const ON_MANY_TABLES = new Set(['BatchGetItem', 'BatchWriteItem']);

const OneTable = z.looseObject({ TableName: z.string(), IndexName: z.string().optional() });
const ManyTables = z.looseObject({ RequestItems: z.record(z.string(), z.unknown()) });
const Failure = z.looseObject({ __type: z.string(), message: z.string().optional(), Message: z.string().optional() });

/** Tables, kept by dynalite in memory; IAM is asked before it is. */
export class DynamoDb implements JsonService {
  readonly signingName = 'dynamodb';
  readonly #account: Account;
  readonly #server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  #endpoint = '';

  constructor(account: Account) {
    this.#account = account;
  }

  readonly kinds: Readonly<Record<string, ResourceKind>> = {
    'AWS::DynamoDB::Table': {
      apply: (next, previous) => this.#applyTable(next, previous),
      remove: async ({ physicalId }) => void (await this.#forward('DeleteTable', { TableName: physicalId })),
    },
  };

  async listen(): Promise<void> {
    this.#server.keepAliveTimeout = 0;
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.#endpoint = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve, reject) => {
      this.#server.close((error) => (error === undefined || error === null ? resolve() : reject(error)));
    });
  }

  async handle(call: ServiceCall): Promise<unknown> {
    const { operation, input } = call;
    for (const resource of this.#resourcesOf(operation, input)) call.authorize(`dynamodb:${operation}`, resource);
    return await this.#forward(operation, input);
  }

  #resourcesOf(operation: string, input: unknown): string[] {
    const arn = (name: string): string =>
      name.startsWith('arn:') ? name : arnOf(this.#account, 'dynamodb', `table/${name}`);
    if (ON_MANY_TABLES.has(operation)) return Object.keys(ManyTables.parse(input).RequestItems).map(arn);
    if (!ON_ONE_TABLE.has(operation)) throw unknownOperation('DynamoDB', operation);
    const { TableName, IndexName } = OneTable.parse(input);
    return [IndexName === undefined ? arn(TableName) : `${arn(TableName)}/index/${IndexName}`];
  }

  async #applyTable({ physicalId, properties }: Resource, previous: Resource | undefined): Promise<void> {
    const { AttributeDefinitions, KeySchema, ...rest } = TableProperties.parse(properties);
    const { BillingMode, ProvisionedThroughput, GlobalSecondaryIndexes, LocalSecondaryIndexes } = rest;
    const shape = { AttributeDefinitions, KeySchema, GlobalSecondaryIndexes, LocalSecondaryIndexes };
    if (previous === undefined) {
      const table = { TableName: physicalId, BillingMode, ProvisionedThroughput, ...shape };
      await this.#forward('CreateTable', table);
      return;
    }
    const before = TableProperties.parse(previous.properties);
    const differs = Object.entries(shape).some(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name as keyof typeof shape]),
    );
    if (differs)
      throw new Error('the twin does not change the keys or indexes of a table that exists; start it afresh');
  }

  async #forward(operation: string, input: unknown): Promise<unknown> {
    const response = await fetch(this.#endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `DynamoDB_20120810.${operation}`,
        'x-amz-date': '20260101T000000Z',
        // It looks for a signature's parts, and verifies none.
        authorization:
          'AWS4-HMAC-SHA256 Credential=twin/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
      },
      body: JSON.stringify(input),
    });
    const output: unknown = await response.json();
    if (response.ok) return output;
    const { __type, message, Message, ...fields } = Failure.parse(output);
    const code = __type.slice(__type.indexOf('#') + 1);
    throw new AwsError(code, message ?? Message ?? code, response.status, fields);
  }
}

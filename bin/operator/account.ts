import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CLIENT_SETTINGS } from '../../functions/aws/client.ts';
import type { Inventory } from '../../functions/core/ports.ts';
import type { CertificateRecord } from '../../functions/core/record.ts';
import { dynamoDbInventory } from '../../functions/inventories/dynamodb.ts';
import { UsageError } from '../commands/exit-codes.ts';
import { passingLine } from '../terminal.ts';
import { type DeployedStack, deployedStack } from './deployed-stack.ts';
import { type Person, whoAmI } from './person.ts';

export interface StackOptions {
  readonly stack: string;
  /** Where AWS is, if not at AWS: the twin prints its own. */
  readonly endpoint?: string;
}

/** A deployment as a person with credentials reaches it. Close it. */
export interface Account {
  readonly stack: DeployedStack;
  readonly person: Person;
  readonly inventory: Inventory;
  readonly endpoint: { readonly endpoint?: string };
  close(): void;
}

/** Parts of the table that are read side by side: ten thousand records in seconds. */
const SEGMENTS = 8;

export async function connect({ stack: name, endpoint }: StackOptions): Promise<Account> {
  if (endpoint !== undefined && !URL.canParse(endpoint)) throw new UsageError(`--endpoint ${endpoint} is no URL`);
  const [stack, person] = await Promise.all([deployedStack(name, endpoint), whoAmI(endpoint)]).catch(
    (error: unknown) => {
      throw unset(error) ?? error;
    },
  );
  const where = endpoint === undefined ? {} : { endpoint };
  const client = new DynamoDBClient({ ...CLIENT_SETTINGS, ...where });
  return {
    stack,
    person,
    inventory: dynamoDbInventory(stack.tableName, client, SEGMENTS),
    endpoint: where,
    close: () => client.destroy(),
  };
}

/** What the SDK says where a shell has no settings for AWS. */
function unset(error: unknown): UsageError | undefined {
  const message = error instanceof Error ? error.message : '';
  if (message.includes('Region is missing')) {
    return new UsageError('no Region is set: AWS_REGION, or region in the profile (aws configure)');
  }
  return message.includes('CredentialsProviderError')
    ? new UsageError(
        'no credentials are set: AWS_PROFILE, aws sso login, or aws configure; aws sts get-caller-identity tells',
      )
    : undefined;
}

/** Does `work` on a deployment, and lets go of it. */
export async function withAccount<T>(options: StackOptions, work: (account: Account) => Promise<T>): Promise<T> {
  const account = await connect(options);
  try {
    return await work(account);
  } finally {
    account.close();
  }
}

const SHOWN_EVERY = 250;

/** Every record, by name. Counts on a terminal, where there are many. */
export async function allRecords(
  inventory: Inventory,
  stderr: NodeJS.WritableStream,
): Promise<readonly CertificateRecord[]> {
  const line = passingLine(stderr);
  const records: CertificateRecord[] = [];
  for await (const { value } of inventory.all()) {
    records.push(value);
    if (records.length % SHOWN_EVERY === 0) line.show(`${records.length.toLocaleString('en')} certificates read`);
  }
  line.clear();
  return records.sort((a, b) => (a.id < b.id ? -1 : 1));
}

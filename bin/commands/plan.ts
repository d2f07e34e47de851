import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CLIENT_SETTINGS } from '../../functions/aws/client.ts';
import { awsFailure } from '../../functions/aws/failures.ts';
import { type IssuerSpec, issuerIdOf, type Manifest } from '../../functions/core/certificate.ts';
import { type Action, ACTIONS, type Deployed, type PlannedChange, planManifest } from '../../functions/core/plan.ts';
import type { Inventory } from '../../functions/core/ports.ts';
import type { CertificateRecord } from '../../functions/core/record.ts';
import { dynamoDbInventory } from '../../functions/inventories/dynamodb.ts';
import { loadManifestOrThrow } from '../../lib/load-manifest.ts';
import { deployedStack } from '../operator/deployed-stack.ts';
import { EXIT_FINE, UsageError } from './exit-codes.ts';
import type { Terminal } from '../terminal.ts';

export interface PlanOptions {
  /** The deployed stack whose inventory is read. Absent, like `table`: an account that has none. */
  readonly stack?: string;
  /** The inventory's table, where the stack cannot say it. */
  readonly table?: string;
  /** Where AWS is, if not at AWS: the twin prints its own. */
  readonly endpoint?: string;
  readonly json: boolean;
}

/** `everleaf plan DIR`: what a deploy would do, and why. Reads the inventory and writes nothing anywhere. */
export async function plan(folder: string, options: PlanOptions, io: Terminal): Promise<number> {
  const table = await tableOf(options);
  const { manifest, warnings } = loadManifestOrThrow(folder);
  for (const warning of warnings) io.stderr.write(`${warning}\n\n`);
  const deployed = table === undefined ? NOTHING : await readDeployed(table, options.endpoint, manifest);
  const changes = planManifest(manifest, deployed);
  io.stdout.write(options.json ? `${JSON.stringify({ changes }, null, 2)}\n` : toText(changes, table));
  return EXIT_FINE;
}

async function tableOf({ stack, table, endpoint }: PlanOptions): Promise<string | undefined> {
  if (stack !== undefined && table !== undefined) throw new UsageError('--stack and --table say the same: name one');
  if (stack !== undefined) return (await deployedStack(stack, endpoint)).tableName;
  if (table !== undefined || endpoint === undefined) return table;
  throw new UsageError(
    '--endpoint says where an inventory is, and --table which: name both, or neither for a fresh account',
  );
}

const NOTHING: Deployed = { records: [], issuers: [] };

async function readDeployed(table: string, endpoint: string | undefined, manifest: Manifest): Promise<Deployed> {
  const client = new DynamoDBClient({ ...CLIENT_SETTINGS, ...(endpoint === undefined ? {} : { endpoint }) });
  const inventory = dynamoDbInventory(table, client);
  try {
    return { records: await recordsOf(inventory), issuers: await issuersOf(inventory, manifest) };
  } catch (error) {
    throw awsFailure(error, `reading the inventory ${table}`);
  } finally {
    client.destroy();
  }
}

async function recordsOf(inventory: Inventory): Promise<readonly CertificateRecord[]> {
  const records: CertificateRecord[] = [];
  for await (const { value } of inventory.all()) records.push(value);
  return records;
}

async function issuersOf(inventory: Inventory, { issuers }: Manifest): Promise<readonly IssuerSpec[]> {
  const stored = await Promise.all(issuers.map(({ ref }) => inventory.readIssuer(issuerIdOf(ref))));
  return stored.flatMap((record) => record?.value.spec ?? []);
}

const WORDS: Readonly<Record<Action, readonly [sign: string, verb: string, passive: string]>> = {
  issue: ['+', 'issue', 'to issue'],
  reissue: ['±', 're-issue', 'to re-issue'],
  retire: ['−', 'retire', 'to retire'],
  reinstate: ['↑', 'reinstate', 'to reinstate'],
  reschedule: ['~', 'reschedule', 'to reschedule'],
  retry: ['?', 'try again', 'to try again'],
  leave: ['=', 'leave', 'left alone'],
};

function toText(changes: readonly PlannedChange[], table: string | undefined): string {
  const width = Math.max(0, ...changes.map(({ certificate }) => certificate.length));
  const lines = changes.map(({ certificate, action, because }) => {
    const [sign, verb] = WORDS[action];
    return `${sign} ${verb.padEnd(10)}  ${certificate.padEnd(width)}  ${because.join('; ')}`;
  });
  const counts = ACTIONS.flatMap((action) => {
    const count = changes.filter((change) => change.action === action).length;
    return count === 0 ? [] : [`${count.toLocaleString('en')} ${WORDS[action][2]}`];
  });
  const against = table === undefined ? 'an account without an inventory' : `the inventory ${table}`;
  return [...lines, '', `Against ${against}: ${counts.join(', ') || 'nothing to do'}.`, ''].join('\n');
}

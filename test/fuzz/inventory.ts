import assert from 'node:assert/strict';
import {
  type AttributeValue,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { issuerId } from '../../functions/core/certificate.ts';
import type { DueCertificate, Versioned } from '../../functions/core/ports.ts';
import type { CertificateRecord } from '../../functions/core/record.ts';
import { decideRollout } from '../../functions/core/rollout/decide.ts';
import { dynamoDbInventory } from '../../functions/inventories/dynamodb.ts';
import { id, NOON } from '../support/builders.ts';
import { jsonInputs } from './json-inputs.ts';
import { withKeys } from './planted-keys.ts';
import { assertPrototypesPristine, assertRefused, outcomeOf } from './promises.ts';
import type { Target } from './target.ts';

type Item = Record<string, AttributeValue>;

/** A table with one item, whose attributes somebody else has written. */
class OneItem extends DynamoDBClient {
  item: Item;

  constructor(item: Item) {
    super({ region: 'eu-central-1' });
    this.item = item;
  }

  override async send(command: unknown): Promise<never> {
    return this.#answer(command) as never;
  }

  #answer(command: unknown): object {
    if (command instanceof GetItemCommand) return { Item: this.item };
    if (command instanceof ScanCommand || command instanceof QueryCommand) return { Items: [this.item] };
    if (!(command instanceof PutItemCommand)) throw new Error('nothing else is asked for');
    // As it travels and comes back: what JSON does not carry is lost on the way.
    this.item = JSON.parse(JSON.stringify(command.input.Item)) as Item;
    return {};
  }
}

/** Items of the inventory, as DynamoDB's JSON has them. */
export const inventory: Target = {
  name: 'inventory',
  extension: '.json',
  quickRuns: 1_000,
  inputs: jsonInputs,
  examine: async (input) => {
    const item = itemIn(withKeys(input.toString()));
    if (item === undefined) return;
    await examineCertificate(item);
    await examineIssuer(item);
    await examineRollout(item);
    assertPrototypesPristine();
  },
};

async function examineCertificate(item: Item): Promise<void> {
  const table = new OneItem(item);
  const records = dynamoDbInventory('table', table);
  const read = await outcomeOf(() => records.read(id('payments/orders')));
  const all = await outcomeOf(() => collected<Versioned<CertificateRecord>>(records.all()));
  const due = await outcomeOf(() => collected<DueCertificate>(records.due(NOON, 1)));
  assert.ok(due.ok, 'a stranger’s item keeps all others from being renewed');
  for (const outcome of [read, all]) if (!outcome.ok) assertRefused(outcome, 'UnreadableRecord');
  assert.equal(all.ok, read.ok);
  if (!read.ok || read.value === undefined) return;
  const { value, revision } = read.value;
  assert.equal(await records.write(value, revision), revision + 1);
  assert.deepEqual((await records.read(id('payments/orders')))?.value, value);
}

async function examineIssuer(item: Item): Promise<void> {
  const records = dynamoDbInventory('table', new OneItem(item));
  const name = issuerId.parse('awspca.cert-manager.io/AWSPCAClusterIssuer/internal');
  const read = await outcomeOf(() => records.readIssuer(name));
  if (!read.ok) return assertRefused(read, 'UnreadableRecord');
  if (read.value === undefined) return;
  const { value, revision } = read.value;
  await records.writeIssuer(value, revision);
  assert.deepEqual((await records.readIssuer(name))?.value, value);
}

async function examineRollout(item: Item): Promise<void> {
  const records = dynamoDbInventory('table', new OneItem(item));
  const name = id('payments/orders');
  const read = await outcomeOf(() => records.readRollout(name));
  if (!read.ok) return assertRefused(read, 'UnreadableRecord');
  if (read.value === undefined) return;
  const { value, revision } = read.value;
  // Whatever else it says, deciding from it ends, and so does writing it.
  decideRollout(value, NOON);
  await records.writeRollout(value, revision);
  assert.deepEqual((await records.readRollout(name))?.value, value);
}

async function collected<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

function itemIn(text: string): Item | undefined {
  try {
    return mapOf(JSON.parse(text));
  } catch {
    return undefined;
  }
}

const mapOf = (members: unknown): Item =>
  Object.fromEntries(Object.entries(Object(members)).map(([name, member]) => [name, attributeOf(member)]));

/** What DynamoDB can have sent: whatever an attribute holds, it is of its type. */
function attributeOf(written: unknown): AttributeValue {
  const [type, value] = Object.entries(Object(written)).at(0) ?? [];
  switch (type) {
    case 'S':
      return { S: typeof value === 'string' ? value : JSON.stringify(value) };
    case 'N':
      return { N: /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(String(value)) ? String(value) : '0' };
    case 'BOOL':
      return { BOOL: value === true };
    case 'M':
      return { M: mapOf(value) };
    case 'L':
      return { L: (Array.isArray(value) ? value : [value]).map(attributeOf) };
    case 'SS':
      return { SS: (Array.isArray(value) ? value : [value]).map(String) };
    default:
      return { NULL: true };
  }
}

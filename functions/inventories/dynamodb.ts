import { createHash } from 'node:crypto';
import {
  type AttributeValue,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  paginateQuery,
  paginateScan,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod/mini';
import { CLIENT_SETTINGS } from '../aws/client.ts';
import { awsFailure, failureName } from '../aws/failures.ts';
import { circuitBreaker } from '../core/breaker.ts';
import { type CertificateId, certificateId, issuerId, issuerSpec } from '../core/certificate.ts';
import { dueAt } from '../core/decide.ts';
import { ConflictError, PermanentError } from '../core/errors.ts';
import type { DueCertificate, Inventory, IssuerRecord, Versioned } from '../core/ports.ts';
import { type CertificateRecord, certificateRecord } from '../core/record.ts';
import { rolloutDueAt } from '../core/rollout/decide.ts';
import { deployHookSpec, hookRefOf } from '../core/rollout/hook-spec.ts';
import { rolloutRecord } from '../core/rollout/record.ts';
import type { Standing } from '../core/standing.ts';
import { type Instant, toTimestamp } from '../core/time.ts';
import { budgetOf, takeOrder } from './budget.ts';
import { DUE_INDEX, DUE_SHARDS, readSortKey, sortKeyOf, upTo } from './due-index.ts';
import { FLEET_INDEX, fleetKeys, readStanding, STANDING } from './fleet-index.ts';

/** Keys alone: some hundred bytes each, of the megabyte that an answer may hold. */
const LARGEST_PAGE = 5_000;

const CERTIFICATE = 'certificate#';
const ISSUER = 'issuer#';
const ROLLOUT = 'rollout#';
const HOOK = 'hook#';

const issuerRecord = z.object({ id: issuerId, spec: issuerSpec, breaker: circuitBreaker });

/**
 * `segments`: how many parts of the table `all` reads side by side.
 *
 * One item a certificate, one an issuer:
 *
 *   pk           certificate#payments/orders · issuer#awspca.cert-manager.io/AWSPCAIssuer/payments/short-lived
 *   revision     number of the last write; every write names the one it replaces
 *   record       the ledger
 *   dueShard, dueAt   only while something is due one day: the keys of the index `due`
 *   dueShard, expiresAt, standing   only while it is renewed: the index `fleet`
 *
 * one a certificate that hooks deploy, with the same attributes, and one for each text that a hook ever had:
 *
 *   pk           rollout#payments/orders · hook#payments/orders-ecs@1f2e3d4c5b6a
 *
 * and one for each issuer whose orders are limited:
 *
 *   pk           budget#awspca.cert-manager.io/AWSPCAIssuer/payments/short-lived
 *   fullAgainAt  milliseconds since the epoch
 */
export function dynamoDbInventory(
  tableName: string,
  client = new DynamoDBClient({ ...CLIENT_SETTINGS }),
  segments = 1,
): Inventory {
  async function get<T>(pk: string, schema: z.ZodMiniType<T>): Promise<Versioned<T> | undefined> {
    try {
      const { Item } = await client.send(
        new GetItemCommand({ TableName: tableName, Key: { pk: { S: pk } }, ConsistentRead: true }),
      );
      return Item === undefined ? undefined : decode(Item, schema);
    } catch (error) {
      throw awsFailure(error, `reading ${pk} from the inventory`);
    }
  }

  async function put(pk: string, record: unknown, revision: number | undefined, index: object): Promise<number> {
    const next = (revision ?? 0) + 1;
    const item = { pk, revision: next, record, ...index };
    try {
      await client.send(
        new PutItemCommand({
          TableName: tableName,
          // To the SDK an object with a label `constructor` is an instance of some class.
          Item: marshall(item, { removeUndefinedValues: true, convertClassInstanceToMap: true }),
          ...(revision === undefined ? { ConditionExpression: 'attribute_not_exists(pk)' } : stillAt(revision)),
        }),
      );
      return next;
    } catch (error) {
      if (failureName(error) === 'ConditionalCheckFailedException') throw stale(pk, revision);
      throw awsFailure(error, `writing ${pk} to the inventory`);
    }
  }

  async function remove(pk: string, revision: number): Promise<void> {
    try {
      await client.send(
        new DeleteItemCommand({
          TableName: tableName,
          Key: { pk: { S: pk } },
          ...stillAt(revision),
        }),
      );
    } catch (error) {
      if (failureName(error) === 'ConditionalCheckFailedException') throw stale(pk, revision);
      throw awsFailure(error, `removing ${pk} from the inventory`);
    }
  }

  async function* scan(segment: number): AsyncIterable<Versioned<CertificateRecord>> {
    const pages = paginateScan(
      { client },
      {
        TableName: tableName,
        ConsistentRead: true,
        FilterExpression: 'begins_with(pk, :prefix)',
        ExpressionAttributeValues: { ':prefix': { S: CERTIFICATE } },
        ...(segments === 1 ? {} : { Segment: segment, TotalSegments: segments }),
      },
    );
    for await (const { Items = [] } of failing(pages, 'reading the inventory')) {
      for (const item of Items) yield decode(item, certificateRecord);
    }
  }

  async function* dueInShard(shard: number, now: Instant, limit: number): AsyncIterable<DueCertificate> {
    let left = limit;
    const pages = paginateQuery(
      { client, pageSize: Math.min(limit, LARGEST_PAGE) },
      {
        TableName: tableName,
        IndexName: DUE_INDEX,
        KeyConditionExpression: 'dueShard = :shard AND dueAt <= :now',
        ExpressionAttributeValues: { ':shard': { S: String(shard) }, ':now': { S: upTo(now) } },
      },
    );
    for await (const { Items = [] } of failing(pages, 'asking the inventory what is due')) {
      for (const { pk, dueAt: sortKey } of Items.slice(0, left)) {
        const due = readDue(pk?.S ?? '', sortKey?.S ?? '', now);
        // A stranger's item must not keep all the others from being renewed.
        if (due !== undefined) yield due;
      }
      left -= Items.length;
      if (left <= 0) return;
    }
  }

  async function* standingsInShard(shard: number): AsyncIterable<Standing> {
    const pages = paginateQuery(
      { client },
      {
        TableName: tableName,
        IndexName: FLEET_INDEX,
        KeyConditionExpression: 'dueShard = :shard',
        ExpressionAttributeValues: { ':shard': { S: String(shard) } },
      },
    );
    for await (const { Items = [] } of pages) {
      for (const item of Items) {
        const found = readStanding(unmarshalled(item)[STANDING]);
        if (found !== undefined) yield found;
      }
    }
  }

  return {
    read: (id) => get(CERTIFICATE + id, certificateRecord),
    write: (record, revision) =>
      put(CERTIFICATE + record.id, z.encode(certificateRecord, record), revision, certificateKeys(record)),
    remove: (id, revision) => remove(CERTIFICATE + id, revision),
    async *due(now, limit) {
      const limitPerShard = Math.ceil(limit / DUE_SHARDS);
      for (let shard = 0; shard < DUE_SHARDS; shard++) yield* dueInShard(shard, now, limitPerShard);
    },
    async *standings() {
      try {
        for (let shard = 0; shard < DUE_SHARDS; shard++) yield* standingsInShard(shard);
      } catch (error) {
        throw awsFailure(error, 'reading how the fleet is doing');
      }
    },
    readRollout: (id) => get(ROLLOUT + id, rolloutRecord),
    writeRollout: (record, revision) =>
      put(
        ROLLOUT + record.id,
        z.encode(rolloutRecord, record),
        revision,
        indexKeys(record.id, rolloutDueAt(record), toTimestamp),
      ),
    readHook: async (ref) => (await get(HOOK + ref, deployHookSpec))?.value,
    writeHook: async (spec) => {
      try {
        await put(HOOK + hookRefOf(spec), z.encode(deployHookSpec, spec), undefined, {});
      } catch (error) {
        // The same text is there already: its digest is in the key.
        if (!(error instanceof ConflictError)) throw error;
      }
    },
    all: () => merged(Array.from({ length: segments }, (_, segment) => scan(segment))),
    readIssuer: (id) => get<IssuerRecord>(ISSUER + id, issuerRecord),
    writeIssuer: (record, revision) => put(ISSUER + record.id, z.encode(issuerRecord, record), revision, {}),
    readBudget: (id) => budgetOf(id, tableName, client),
    takeOrder: (id, limit, times) => takeOrder({ id, limit, ...times }, tableName, client),
  };
}

/** Nobody has written it since. */
const stillAt = (revision: number) => ({
  ConditionExpression: 'revision = :seen',
  ExpressionAttributeValues: { ':seen': { N: String(revision) } },
});

const stale = (pk: string, revision: number | undefined): ConflictError =>
  new ConflictError('StaleRevision', `${pk} has changed since revision ${revision ?? 'none'} was read`);

/** The same pages, with failures of ours. */
async function* failing<T>(pages: AsyncIterable<T>, doing: string): AsyncIterable<T> {
  try {
    yield* pages;
  } catch (error) {
    throw awsFailure(error, doing);
  }
}

/** Everything that the sources give, of whichever is first. */
async function* merged<T>(sources: readonly AsyncIterable<T>[]): AsyncIterable<T> {
  const next = (iterator: AsyncIterator<T>) => {
    const coming = iterator.next().then((result) => ({ iterator, result }));
    // A page that fails while another one's items are taken is met when its turn comes.
    coming.catch(() => {});
    return coming;
  };
  const pending = new Map(
    sources.map((source) => {
      const iterator = source[Symbol.asyncIterator]();
      return [iterator, next(iterator)];
    }),
  );
  while (pending.size > 0) {
    const { iterator, result } = await Promise.race(pending.values());
    if (result.done === true) pending.delete(iterator);
    else {
      pending.set(iterator, next(iterator));
      yield result.value;
    }
  }
}

function certificateKeys(record: CertificateRecord): object {
  const due = dueAt(record);
  return due === undefined ? {} : { ...indexKeys(record.id, due, (at) => sortKeyOf(record, at)), ...fleetKeys(record) };
}

interface IndexKeys {
  readonly dueShard?: string;
  readonly dueAt?: string;
}

const indexKeys = (id: CertificateId, due: Instant | undefined, sortKey: (due: Instant) => string): IndexKeys =>
  due === undefined ? {} : { dueShard: String(shardOf(id)), dueAt: sortKey(due) };

/** What an entry of the index is about; undefined for a stranger's. */
function readDue(pk: string, sortKey: string, now: Instant): DueCertificate | undefined {
  const prefix = [CERTIFICATE, ROLLOUT].find((known) => pk.startsWith(known)) ?? '';
  const id = z.safeParse(certificateId, pk.slice(prefix.length));
  if (prefix === '' || !id.success) return undefined;
  return { certificate: id.data, ...(prefix === ROLLOUT ? { rollout: true } : {}), ...readSortKey(sortKey, now) };
}

const shardOf = (id: CertificateId): number => createHash('sha256').update(id).digest().readUInt32BE(0) % DUE_SHARDS;

function decode<T>(item: Record<string, AttributeValue>, schema: z.ZodMiniType<T>): Versioned<T> {
  const { revision, record } = unmarshalled(item);
  const parsed = z.safeDecode(schema, record);
  if (parsed.success && typeof revision === 'number') return { value: parsed.data, revision };
  throw unreadable(item, parsed.error === undefined ? 'no revision' : z.prettifyError(parsed.error));
}

/** The SDK throws at a number that JavaScript cannot hold. */
function unmarshalled(item: Record<string, AttributeValue>): Readonly<Record<string, unknown>> {
  try {
    return unmarshall(item);
  } catch (cause) {
    throw unreadable(item, cause instanceof Error ? cause.message : String(cause));
  }
}

const unreadable = ({ pk }: Record<string, AttributeValue>, why: string): PermanentError =>
  new PermanentError(
    'UnreadableRecord',
    `${pk?.S ?? 'an item'} in the inventory does not fit this version of Everleaf: ${why}`,
  );

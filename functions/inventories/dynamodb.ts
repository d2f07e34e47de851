import { createHash } from 'node:crypto';
import {
  type AttributeValue,
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
import type { Inventory, IssuerRecord, Versioned } from '../core/ports.ts';
import { type CertificateRecord, certificateRecord } from '../core/record.ts';
import { type Instant, toTimestamp } from '../core/time.ts';
import { DUE_INDEX, DUE_SHARDS } from './due-index.ts';

const CERTIFICATE = 'certificate#';
const ISSUER = 'issuer#';

const issuerRecord = z.object({ id: issuerId, spec: issuerSpec, breaker: circuitBreaker });

/**
 * One item a certificate, one an issuer:
 *
 *   pk           certificate#payments/orders · issuer#awspca.cert-manager.io/AWSPCAIssuer/payments/short-lived
 *   revision     number of the last write; every write names the one it replaces
 *   record       the ledger
 *   dueShard, dueAt   only while something is due one day: the keys of the index `due`
 */
export function dynamoDbInventory(tableName: string, client = new DynamoDBClient({ ...CLIENT_SETTINGS })): Inventory {
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
          Item: marshall(item, { removeUndefinedValues: true }),
          ...(revision === undefined
            ? { ConditionExpression: 'attribute_not_exists(pk)' }
            : {
                ConditionExpression: 'revision = :seen',
                ExpressionAttributeValues: { ':seen': { N: String(revision) } },
              }),
        }),
      );
      return next;
    } catch (error) {
      if (failureName(error) === 'ConditionalCheckFailedException') {
        throw new ConflictError('StaleRevision', `${pk} has changed since revision ${revision ?? 'none'} was read`);
      }
      throw awsFailure(error, `writing ${pk} to the inventory`);
    }
  }

  async function* dueInShard(shard: number, now: Instant, limit: number): AsyncIterable<CertificateId> {
    let left = limit;
    const pages = paginateQuery(
      { client, pageSize: limit },
      {
        TableName: tableName,
        IndexName: DUE_INDEX,
        KeyConditionExpression: 'dueShard = :shard AND dueAt <= :now',
        ExpressionAttributeValues: { ':shard': { S: String(shard) }, ':now': { S: toTimestamp(now) } },
      },
    );
    for await (const { Items = [] } of pages) {
      for (const { pk } of Items.slice(0, left)) {
        const id = z.safeParse(certificateId, pk?.S?.slice(CERTIFICATE.length));
        // A stranger's item must not keep all the others from being renewed.
        if (id.success) yield id.data;
      }
      left -= Items.length;
      if (left <= 0) return;
    }
  }

  return {
    read: (id) => get(CERTIFICATE + id, certificateRecord),
    write: (record, revision) =>
      put(CERTIFICATE + record.id, z.encode(certificateRecord, record), revision, indexKeys(record)),
    async *due(now, limit) {
      const limitPerShard = Math.ceil(limit / DUE_SHARDS);
      for (let shard = 0; shard < DUE_SHARDS; shard++) yield* dueInShard(shard, now, limitPerShard);
    },
    async *all() {
      const pages = paginateScan(
        { client },
        {
          TableName: tableName,
          ConsistentRead: true,
          FilterExpression: 'begins_with(pk, :prefix)',
          ExpressionAttributeValues: { ':prefix': { S: CERTIFICATE } },
        },
      );
      for await (const { Items = [] } of pages) for (const item of Items) yield decode(item, certificateRecord);
    },
    readIssuer: (id) => get<IssuerRecord>(ISSUER + id, issuerRecord),
    writeIssuer: (record, revision) => put(ISSUER + record.id, z.encode(issuerRecord, record), revision, {}),
  };
}

function indexKeys(record: CertificateRecord): { dueShard?: string; dueAt?: string } {
  const due = dueAt(record);
  return due === undefined ? {} : { dueShard: String(shardOf(record.id)), dueAt: toTimestamp(due) };
}

const shardOf = (id: CertificateId): number => createHash('sha256').update(id).digest().readUInt32BE(0) % DUE_SHARDS;

function decode<T>(item: Record<string, AttributeValue>, schema: z.ZodMiniType<T>): Versioned<T> {
  const { pk, revision, record } = unmarshall(item);
  const parsed = z.safeDecode(schema, record);
  if (parsed.success && typeof revision === 'number') return { value: parsed.data, revision };
  const why = parsed.error === undefined ? 'no revision' : z.prettifyError(parsed.error);
  throw new PermanentError(
    'UnreadableRecord',
    `${String(pk)} in the inventory does not fit this version of Everleaf: ${why}`,
  );
}

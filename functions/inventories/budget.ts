import { type DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { awsFailure, failureName } from '../aws/failures.ts';
import type { IssuerId } from '../core/certificate.ts';
import { TransientError } from '../core/errors.ts';
import { type FullAgainAt, type OrderLimit, placeableAt, shareMs } from '../core/order-limit.ts';
import type { Instant } from '../core/time.ts';

const BUDGET = 'budget#';

/** Rounds that others may have won before it counts as a failure. */
const ROUNDS = 5;

interface Taking {
  readonly id: IssuerId;
  readonly limit: OrderLimit;
  readonly now: Instant;
  readonly latest: Instant;
}

export async function budgetOf(
  id: IssuerId,
  tableName: string,
  client: DynamoDBClient,
): Promise<FullAgainAt | undefined> {
  try {
    const { Item } = await client.send(
      new GetItemCommand({ TableName: tableName, Key: { pk: { S: BUDGET + id } }, ConsistentRead: true }),
    );
    return Item?.['fullAgainAt']?.N === undefined ? undefined : Number(Item['fullAgainAt'].N);
  } catch (error) {
    throw awsFailure(error, `reading the budget of ${id}`);
  }
}

/** One conditional write while orders are many, two for the first after a rest: nobody reads before, so nobody reads too early. */
export async function takeOrder(
  taking: Taking,
  tableName: string,
  client: DynamoDBClient,
): Promise<{ readonly taken: boolean; readonly placeableAt: Instant }> {
  const { id, limit, now, latest } = taking;
  const share = shareMs(limit);
  /** The greatest value that still lets an order be placed by `latest`. */
  const bound = latest - placeableAt(0, limit);

  /** The value before, undefined when the condition did not hold. */
  async function update(
    expression: string,
    condition: string,
    names: Record<string, number>,
  ): Promise<number | undefined> {
    try {
      const { Attributes } = await client.send(
        new UpdateItemCommand({
          TableName: tableName,
          Key: { pk: { S: BUDGET + id } },
          UpdateExpression: expression,
          ConditionExpression: condition,
          ExpressionAttributeValues: Object.fromEntries(
            Object.entries(names).map(([name, value]) => [`:${name}`, { N: String(value) }]),
          ),
          ReturnValues: 'UPDATED_OLD',
        }),
      );
      return Number(Attributes?.['fullAgainAt']?.N ?? now);
    } catch (error) {
      if (failureName(error) === 'ConditionalCheckFailedException') return undefined;
      throw awsFailure(error, `taking an order out of the budget of ${id}`);
    }
  }

  const given = (before: FullAgainAt) => ({ taken: true, placeableAt: Math.max(now, placeableAt(before, limit)) });
  for (let round = 0; round < ROUNDS; round++) {
    const before = await update('SET fullAgainAt = fullAgainAt + :share', 'fullAgainAt BETWEEN :now AND :bound', {
      share,
      now,
      bound,
    });
    if (before !== undefined) return given(before);
    const rested = await update('SET fullAgainAt = :next', 'attribute_not_exists(fullAgainAt) OR fullAgainAt < :now', {
      next: now + share,
      now,
    });
    if (rested !== undefined) return given(now);
    const found = (await budgetOf(id, tableName, client)) ?? now;
    if (found > bound) return { taken: false, placeableAt: placeableAt(found, limit) };
  }
  throw new TransientError('BudgetContended', `the budget of ${id} was taken from by others ${ROUNDS} times`, {
    blamesCa: false,
  });
}

import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { CLIENT_SETTINGS } from '../../functions/aws/client.ts';
import { awsFailure, failureName } from '../../functions/aws/failures.ts';
import { formatSeconds, MINUTE_MS, SECOND_MS } from '../../functions/core/time.ts';
import type { Account } from '../operator/account.ts';
import { deniedIn } from '../operator/denied.ts';
import type { Person } from '../operator/person.ts';
import { checking, fault, fine, type Finding, warning } from './finding.ts';

/** AWS refuses signatures from a clock that is further off. */
const REFUSED_MS = 5 * MINUTE_MS;
const WORTH_SAYING_MS = MINUTE_MS;

/** Who asks, what they may, and what their clock says. */
export async function personChecks(account: Account): Promise<readonly Finding[]> {
  const { arn, accountId } = account.person;
  return [
    fine('credentials', `${arn} in account ${accountId}`),
    clockFinding(account.person),
    ...(await checking('writing', () => writingFinding(account))),
  ];
}

export function clockFinding({ aheadMs }: Pick<Person, 'aheadMs'>): Finding {
  const off = `${formatSeconds(Math.abs(aheadMs) / SECOND_MS)} ${aheadMs > 0 ? 'ahead of' : 'behind'} AWS's`;
  const remedy = 'set it by NTP: AWS refuses signatures from a clock that is five minutes off';
  if (Math.abs(aheadMs) < WORTH_SAYING_MS) return fine('clock', "this machine's agrees with AWS's");
  return Math.abs(aheadMs) < REFUSED_MS
    ? warning('clock', `this machine's is ${off}`, remedy)
    : fault('clock', `this machine's is ${off}`, remedy);
}

/** A write that cannot succeed: where IAM lets it through, the condition stops it. */
async function writingFinding({ stack, endpoint }: Account): Promise<Finding> {
  const client = new DynamoDBClient({ ...CLIENT_SETTINGS, ...endpoint });
  const command = new PutItemCommand({
    TableName: stack.tableName,
    Item: { pk: { S: 'doctor#' } },
    ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(pk)',
  });
  try {
    await client.send(command);
    return fault('writing', 'a write that cannot be was taken', 'whatever is behind this endpoint is no DynamoDB');
  } catch (error) {
    if (failureName(error) === 'ConditionalCheckFailedException') {
      return fine('writing', 'you may write: renew, retry and revoke will work');
    }
    const failure = awsFailure(error, 'trying to write to the inventory');
    const denied = deniedIn(failure, 'operator');
    if (denied === undefined) throw failure;
    return warning(
      'writing',
      'you may look, and not write: renew, retry and revoke will be refused',
      'docs/policies/operator.json has what they need',
    );
  } finally {
    client.destroy();
  }
}

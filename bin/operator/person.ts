import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { CLIENT_SETTINGS } from '../../functions/aws/client.ts';
import { awsFailure } from '../../functions/aws/failures.ts';
import { type Instant, SECOND_MS } from '../../functions/core/time.ts';

/** Whose credentials these are. Who writes to the ledger is named by this. */
export interface Person {
  readonly arn: string;
  readonly accountId: string;
  /** How far this machine's clock is ahead of AWS's, to the second. */
  readonly aheadMs: number;
  /** AWS's time: an instant in the ledger must mean the same to everybody who reads it. */
  readonly clock: () => Instant;
}

/** An HTTP date has whole seconds, and takes a moment to arrive: less than this is no difference. */
const TOLERATED_MS = 2 * SECOND_MS;

export async function whoAmI(endpoint: string | undefined): Promise<Person> {
  const client = new STSClient({ ...CLIENT_SETTINGS, ...(endpoint === undefined ? {} : { endpoint }) });
  let aheadMs = 0;
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { headers } = result.response as { readonly headers: Readonly<Record<string, string | undefined>> };
      const theirs = Date.parse(headers['date'] ?? '');
      const difference = Date.now() - theirs;
      if (Math.abs(difference) >= TOLERATED_MS) aheadMs = difference;
      return result;
    },
    { name: 'clockOfAws', step: 'deserialize', priority: 'low' },
  );
  try {
    const { Arn = '', Account = '' } = await client.send(new GetCallerIdentityCommand({}));
    return { arn: Arn, accountId: Account, aheadMs, clock: () => Date.now() - aheadMs };
  } catch (error) {
    throw awsFailure(error, 'asking AWS whose credentials these are');
  } finally {
    client.destroy();
  }
}

import { CloudFormationClient, DescribeStacksCommand, type Stack } from '@aws-sdk/client-cloudformation';
import { CLIENT_SETTINGS } from '../../functions/aws/client.ts';
import { awsFailure } from '../../functions/aws/failures.ts';
import { UsageError } from './exit-codes.ts';

/** The inventory's table of a deployed stack, as its output `…TableName` says. */
export async function tableOfStack(stackName: string, endpoint: string | undefined): Promise<string> {
  const outputs = (await describe(stackName, endpoint))?.Outputs ?? [];
  const tables = outputs.flatMap(({ OutputKey = '', OutputValue }) =>
    // CDK puts the construct's path before an output's name and a hash after it.
    /TableName[0-9A-F]{8}$/.test(OutputKey) && OutputValue !== undefined ? OutputValue : [],
  );
  const [table, ...others] = tables;
  if (table !== undefined && others.length === 0) return table;
  const found =
    table === undefined ? 'it has no output TableName' : `it has ${tables.length} inventories: ${tables.join(', ')}`;
  throw new UsageError(`stack ${stackName}: ${found}. Name the table with --table.`);
}

async function describe(stackName: string, endpoint: string | undefined): Promise<Stack | undefined> {
  const client = new CloudFormationClient({ ...CLIENT_SETTINGS, ...(endpoint === undefined ? {} : { endpoint }) });
  try {
    const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: stackName }));
    return Stacks?.[0];
  } catch (error) {
    throw awsFailure(error, `looking up stack ${stackName}`);
  } finally {
    client.destroy();
  }
}

import {
  CloudFormationClient,
  DescribeStacksCommand,
  paginateListStackResources,
  type Stack,
} from '@aws-sdk/client-cloudformation';
import { CLIENT_SETTINGS } from '../../functions/aws/client.ts';
import { awsFailure, failureName } from '../../functions/aws/failures.ts';
import { UsageError } from '../commands/exit-codes.ts';

/** What a deployed stack says of itself in its outputs. */
export interface DeployedStack {
  readonly name: string;
  /** As CloudFormation has it: `UPDATE_COMPLETE`. */
  readonly status: string;
  readonly tableName: string;
  readonly busName: string;
  /** First part of every secret's name, and the value of its tag. */
  readonly deployment: string;
}

export interface StackResource {
  readonly logicalId: string;
  readonly physicalId: string;
  readonly type: string;
  readonly status: string;
}

/** Looks a stack up by its name. */
export async function deployedStack(stackName: string, endpoint: string | undefined): Promise<DeployedStack> {
  const { Outputs = [], StackStatus = 'unknown' } = await describe(stackName, endpoint);
  // CDK puts the construct's path before an output's name and a hash after it.
  const named = (output: string): readonly { readonly path: string; readonly value: string }[] =>
    Outputs.flatMap(({ OutputKey = '', OutputValue: value }) => {
      const [, path] = new RegExp(`^(.*)${output}[0-9A-F]{8}$`).exec(OutputKey) ?? [];
      return path === undefined || value === undefined ? [] : { path, value };
    });
  // An app's own outputs may end in the same words; nobody else's has a prefix of secrets.
  const own = new Set(named('SecretPrefix').map(({ path }) => path));
  const one = (output: string): string => {
    const values = named(output).filter(({ path }) => own.has(path));
    const [first, ...others] = values;
    if (first !== undefined && others.length === 0) return first.value;
    const found = first === undefined ? `it has no output ${output}` : `it has ${values.length} of ${output}`;
    throw new UsageError(`stack ${stackName}: ${found}; is it one of Everleaf's, with one Everleaf in it?`);
  };
  return {
    name: stackName,
    status: StackStatus,
    tableName: one('TableName'),
    busName: one('BusName'),
    deployment: one('SecretPrefix').replace(/\/$/, ''),
  };
}

async function describe(stackName: string, endpoint: string | undefined): Promise<Stack> {
  const client = cloudFormation(endpoint);
  try {
    const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: stackName }));
    const [stack] = Stacks ?? [];
    if (stack !== undefined) return stack;
  } catch (error) {
    if (failureName(error) !== 'ValidationError') throw awsFailure(error, `looking up stack ${stackName}`);
  } finally {
    client.destroy();
  }
  throw new UsageError(
    `there is no stack ${stackName} in this account and Region; name yours with --stack (aws cloudformation list-stacks has all)`,
  );
}

/** Everything that CloudFormation made for a stack. */
export async function resourcesOf(stackName: string, endpoint: string | undefined): Promise<readonly StackResource[]> {
  const client = cloudFormation(endpoint);
  const resources: StackResource[] = [];
  try {
    for await (const page of paginateListStackResources({ client }, { StackName: stackName })) {
      for (const each of page.StackResourceSummaries ?? []) {
        const { LogicalResourceId = '', PhysicalResourceId = '', ResourceType = '', ResourceStatus = '' } = each;
        resources.push({
          logicalId: LogicalResourceId,
          physicalId: PhysicalResourceId,
          type: ResourceType,
          status: ResourceStatus,
        });
      }
    }
    return resources;
  } catch (error) {
    throw awsFailure(error, `listing the resources of stack ${stackName}`);
  } finally {
    client.destroy();
  }
}

const cloudFormation = (endpoint: string | undefined): CloudFormationClient =>
  new CloudFormationClient({ ...CLIENT_SETTINGS, ...(endpoint === undefined ? {} : { endpoint }) });

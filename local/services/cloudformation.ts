import * as z from 'zod/mini';
import type { Account } from '../account.ts';
import type { Deployment } from '../stack/deployment.ts';
import { stackIdOf } from '../template/identity.ts';
import { type Members, queryAnswer } from '../wire/query-xml.ts';
import { AwsError, type JsonService, type ServiceCall, unknownOperation } from '../wire/service.ts';
import { readInput } from './input.ts';

const NAMESPACE = 'http://cloudformation.amazonaws.com/doc/2010-05-15/';
const OfStack = z.strictObject({ StackName: z.string() });

/** What people ask of the stack that is deployed here. It is deployed by the twin itself. */
export class CloudFormation implements JsonService {
  readonly signingName = 'cloudformation';
  readonly #account: Account;
  readonly #deployment: Deployment;

  constructor(account: Account, deployment: Deployment) {
    this.#account = account;
    this.#deployment = deployment;
  }

  handle(call: ServiceCall): string {
    const describe = this.#operations[call.operation];
    if (describe === undefined) throw unknownOperation('CloudFormation', call.operation);
    const { StackName } = readInput(OfStack, call);
    const stackId = stackIdOf(this.#account);
    call.authorize(`cloudformation:${call.operation}`, stackId);
    if (StackName !== this.#account.stackName && StackName !== stackId) {
      throw new AwsError('ValidationError', `Stack with id ${StackName} does not exist`);
    }
    return queryAnswer(NAMESPACE, call.operation, describe(stackId));
  }

  readonly #operations: Readonly<Record<string, (stackId: string) => Members>> = {
    DescribeStacks: (StackId) => {
      const Outputs = Object.entries(this.#deployment.outputs).map(([OutputKey, OutputValue]) => ({
        OutputKey,
        OutputValue,
      }));
      const facts = { StackId, StackName: this.#account.stackName, StackStatus: 'CREATE_COMPLETE' };
      return { Stacks: [{ ...facts, CreationTime: '2026-01-01T00:00:00Z', Outputs }] };
    },
    ListStackResources: () => ({
      StackResourceSummaries: [...this.#deployment.resources.values()].map(({ logicalId, physicalId, type }) => ({
        LogicalResourceId: logicalId,
        PhysicalResourceId: physicalId,
        ResourceType: type,
        ResourceStatus: 'CREATE_COMPLETE',
        LastUpdatedTimestamp: '2026-01-01T00:00:00Z',
      })),
    }),
  };
}

import { randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Account } from '../account.ts';
import type { Functions } from '../lambda/functions.ts';
import { type Identity, type Properties, stackIdOf } from '../template/identity.ts';
import { AwsError } from '../wire/service.ts';
import type { Resource, ResourceKind } from './resource.ts';

/** CloudFormation reads no more of an answer. */
const LARGEST_ANSWER = 4096;

const Answer = z.looseObject({
  Status: z.enum(['SUCCESS', 'FAILED']),
  Reason: z.string().default('no reason given'),
  PhysicalResourceId: z.string().min(1),
  Data: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String)).default({}),
});
const ServiceToken = z.looseObject({ ServiceToken: z.string() });

type RequestType = 'Create' | 'Update' | 'Delete';

/** Resources that a function of the stack provides. */
export class CustomResources {
  readonly #account: Account;
  readonly #functions: Functions;
  /** By the path of the response URL. */
  readonly #answers = new Map<string, Record<string, unknown> | undefined>();

  constructor(account: Account, functions: Functions) {
    this.#account = account;
    this.#functions = functions;
  }

  readonly kinds: Readonly<Record<string, ResourceKind>> = {
    'AWS::CloudFormation::CustomResource': {
      failsHalfway: true,
      apply: (next, previous) => this.#request(previous === undefined ? 'Create' : 'Update', next, previous),
      remove: async (resource) => void (await this.#request('Delete', resource, undefined)),
    },
  };

  /** What a function PUT to its response URL. The first answer counts. */
  answer(path: string, answer: Record<string, unknown>): void {
    if (!this.#answers.has(path)) throw new AwsError('AccessDenied', 'nobody waits for an answer here', 403);
    if (this.#answers.get(path) === undefined) this.#answers.set(path, answer);
  }

  async #request(RequestType: RequestType, resource: Resource, previous: Resource | undefined): Promise<Identity> {
    const path = `/cloudformation/${randomBytes(32).toString('base64url')}`;
    this.#answers.set(path, undefined);
    const { logicalId, type, properties, physicalId } = resource;
    const outcome = await this.#account.activity.track(() =>
      this.#functions.invokeAsync(ServiceToken.parse(properties).ServiceToken, {
        RequestType,
        ResponseURL: `${this.#account.endpoint}${path}`,
        StackId: stackIdOf(this.#account),
        RequestId: randomUUID(),
        LogicalResourceId: logicalId,
        ResourceType: type,
        ...(RequestType !== 'Create' && { PhysicalResourceId: physicalId }),
        ResourceProperties: asText(properties),
        ...(previous !== undefined && { OldResourceProperties: asText(previous.properties) }),
      }),
    );
    const received = this.#answers.get(path);
    this.#answers.delete(path);
    if (received === undefined) {
      const why = outcome.ok ? 'it ended' : `${outcome.failure.errorType}: ${outcome.failure.errorMessage}`;
      throw new Error(`the function did not answer the ${RequestType} request (${why})`);
    }
    return identityOf(received);
  }
}

function identityOf(received: Record<string, unknown>): Identity {
  if (JSON.stringify(received).length > LARGEST_ANSWER) throw new Error('Response object is too long.');
  const { Status, Reason, PhysicalResourceId, Data } = Answer.parse(received);
  if (Status === 'FAILED') throw new Error(Reason);
  return { physicalId: PhysicalResourceId, attributes: Data };
}

/** CloudFormation hands every number and boolean over as text. */
function asText(properties: Properties): unknown {
  return JSON.parse(JSON.stringify(properties), (_name, value: unknown) =>
    typeof value === 'number' || typeof value === 'boolean' ? String(value) : value,
  );
}

import {
  DescribeServiceDeploymentsCommand,
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  ECSClient,
  ListServiceDeploymentsCommand,
  RegisterTaskDefinitionCommand,
  type Service,
  type ServiceDeployment,
  type ServiceDeploymentBrief,
  type Tag,
  TagResourceCommand,
  type TaskDefinition,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import { CLIENT_SETTINGS } from '../../aws/client.ts';
import { awsFailure, failureName } from '../../aws/failures.ts';
import { PermanentError, TransientError } from '../../core/errors.ts';
import type { EcsOptions } from './options.ts';

/** The calls that the hook makes about one service, with ECS's failures as ours. */
export interface EcsService {
  /** `cluster/service`, for messages. */
  readonly name: string;
  /** With its tags. Throws PermanentError `TargetMissing`. */
  describe(): Promise<Service>;
  tag(serviceArn: string, key: string, value: string): Promise<void>;
  /** Begins a deployment; of `taskDefinition`, where one is given. */
  deploy(taskDefinition: string | undefined): Promise<Service>;
  /** The latest deployment of the service that ECS remembers, which it does for 90 days. */
  latestDeployment(): Promise<ServiceDeploymentBrief | undefined>;
  /** Without its revisions where ECS lists it only. */
  deployment(arn: string): Promise<ServiceDeployment | undefined>;
  /** A revision by its ARN; the latest of a family by the family's name. */
  taskDefinition(name: string): Promise<{ readonly definition: TaskDefinition; readonly tags: readonly Tag[] }>;
  /** Answers the ARN of the new revision. */
  register(definition: RegisterableDefinition): Promise<string>;
}

export type RegisterableDefinition = ConstructorParameters<typeof RegisterTaskDefinitionCommand>[0];

/** Something else is done to the service at this moment. */
const BUSY = /^(?:UpdateInProgress|Conflict|ResourceInUse)Exception$/;
/** Several services share a task definition's family, and one revision is made at a time. The exception has no name of its own. */
const BUSY_FAMILY = /too many concurrent attempts/i;
/** Of a hundred each. ECS remembers 90 days, and nobody deploys a service twenty times a day. */
const MOST_PAGES = 20;

const GONE = /^(?:ClusterNotFound|ServiceNotFound|ServiceNotActive)Exception$/;

/** Connects to where the service is, as who may call there. */
export async function connectEcs(options: EcsOptions): Promise<EcsService> {
  const region = options.region === undefined ? {} : { region: options.region };
  const credentials =
    options.role === undefined
      ? {}
      : { credentials: (await import('../../aws/assumed-role.ts')).assumedRole(options.role, options.region) };
  const settings = { ...CLIENT_SETTINGS, ...region, ...credentials };
  // What begins a deployment is not for the SDK to repeat: a call whose answer was lost has begun one.
  return ecsService(options, new ECSClient(settings), new ECSClient({ ...settings, maxAttempts: 1 }));
}

export function ecsService({ cluster, service }: EcsOptions, client: ECSClient, beginner = client): EcsService {
  const name = `${cluster}/${service}`;
  async function calling<T>(doing: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      if (GONE.test(failureName(error))) throw missing(name, failureName(error), error);
      const text = `${doing} of ECS service ${name}`;
      if (BUSY.test(failureName(error)) || BUSY_FAMILY.test(String(error)))
        throw new TransientError('TargetBusy', `${text}: ${String(error)}`, { cause: error });
      throw awsFailure(error, text);
    }
  }
  /** ECS promises no order. */
  async function* deployments(): AsyncGenerator<ServiceDeploymentBrief> {
    let nextToken: string | undefined;
    for (let page = 0; page === 0 || (nextToken !== undefined && page < MOST_PAGES); page++) {
      const command = new ListServiceDeploymentsCommand({ cluster, service, maxResults: 100, nextToken });
      const answer = await calling('listing deployments', () => client.send(command));
      yield* answer.serviceDeployments ?? [];
      nextToken = answer.nextToken;
    }
  }
  return {
    name,
    describe: async () => {
      const command = new DescribeServicesCommand({ cluster, services: [service], include: ['TAGS'] });
      const { services = [] } = await calling('reading the state', () => client.send(command));
      const [found] = services;
      // A service that was deleted is answered for a while, as INACTIVE.
      if (found === undefined || found.status !== 'ACTIVE') throw missing(name, found?.status ?? 'MISSING');
      return found;
    },
    tag: async (resourceArn, key, value) => {
      const command = new TagResourceCommand({ resourceArn, tags: [{ key, value }] });
      await calling('noting the roll-out in a tag', () => client.send(command));
    },
    deploy: async (taskDefinition) => {
      const what = taskDefinition === undefined ? {} : { taskDefinition };
      const command = new UpdateServiceCommand({ cluster, service, forceNewDeployment: true, ...what });
      const { service: updated } = await calling('beginning a deployment', () => beginner.send(command));
      if (updated !== undefined) return updated;
      throw emptyAnswer(`beginning a deployment of ECS service ${name}`);
    },
    latestDeployment: async () => {
      let latest: ServiceDeploymentBrief | undefined;
      for await (const each of deployments()) {
        if (latest === undefined || startOf(each) > startOf(latest)) latest = each;
      }
      return latest;
    },
    deployment: async (arn) => {
      const command = new DescribeServiceDeploymentsCommand({ serviceDeploymentArns: [arn] });
      const answer = await calling('following a deployment', () => client.send(command));
      const [found] = answer.serviceDeployments ?? [];
      if (found !== undefined || answer.failures?.some(({ reason }) => reason === 'MISSING') !== true) return found;
      // One that replaces tasks of before October 25, 2024 is described to nobody (DescribeServiceDeployments), and listed all the same.
      for await (const each of deployments()) if (each.serviceDeploymentArn === arn) return each;
      return undefined;
    },
    taskDefinition: async (taskDefinition) => {
      const command = new DescribeTaskDefinitionCommand({ taskDefinition, include: ['TAGS'] });
      const answer = await calling(`reading task definition ${taskDefinition}`, () => client.send(command));
      if (answer.taskDefinition === undefined) throw emptyAnswer(`reading task definition ${taskDefinition}`);
      return { definition: answer.taskDefinition, tags: answer.tags ?? [] };
    },
    register: async (definition) => {
      const doing = `registering a revision of task definition ${definition.family}`;
      const answer = await calling(doing, () => client.send(new RegisterTaskDefinitionCommand(definition)));
      if (answer.taskDefinition?.taskDefinitionArn === undefined) throw emptyAnswer(doing);
      return answer.taskDefinition.taskDefinitionArn;
    },
  };
}

const startOf = ({ createdAt, startedAt }: ServiceDeploymentBrief): number => (createdAt ?? startedAt)?.getTime() ?? 0;

const missing = (name: string, state: string, cause?: unknown): PermanentError =>
  new PermanentError(
    'TargetMissing',
    `ECS service ${name} is not there (${state}); correct the DeployHook, or remove the service from it`,
    { cause },
  );

const emptyAnswer = (doing: string): TransientError =>
  new TransientError('EmptyAnswer', `${doing}: ECS answered nothing`, { mayHaveActed: true });

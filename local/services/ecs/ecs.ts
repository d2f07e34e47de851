import { type Account, arnOf } from '../../account.ts';
import { LoadBalancer } from '../../workloads/load-balancer.ts';
import type { Program } from '../../workloads/programs.ts';
import { AwsError, type JsonService, type ServiceCall, unknownOperation } from '../../wire/service.ts';
import { readInput } from '../input.ts';
import type { SecretsManager } from '../secrets-manager.ts';
import * as inputs from './input.ts';
import { EcsService, type EcsServiceOptions, type ServiceDeployment } from './service.ts';
import { environmentOf, type TaskDefinition } from './task-definition.ts';

/** Amazon ECS, as far as a deployment of a service goes. Its services really listen. */
export class Ecs implements JsonService {
  readonly signingName = 'ecs';
  readonly #account: Account;
  readonly #secrets: SecretsManager;
  readonly #definitions: TaskDefinition[] = [];
  readonly #services = new Map<string, EcsService>();
  /** Deployments wait for this before their first task starts, so that a test can look at one that is under way. */
  readyToRoll: () => Promise<void> = async () => undefined;

  /** Deployments on one page of a list, at the most. */
  mostListed = 100;

  constructor(account: Account, secrets: SecretsManager) {
    this.#account = account;
    this.#secrets = secrets;
  }

  /** Answers the ARN of the new revision. */
  register(fields: TaskDefinition['fields']): string {
    const revision = this.#definitions.filter(({ fields: { family } }) => family === fields.family).length + 1;
    const arn = arnOf(this.#account, 'ecs', `task-definition/${fields.family}:${revision}`);
    this.#definitions.push({ arn, revision, fields });
    return arn;
  }

  /** Creates a service and starts its tasks. Answers where it listens. */
  async createService(options: EcsServiceOptions, program: Program): Promise<EcsService> {
    const service = new EcsService(this.#account, options, await LoadBalancer.start(), (taskDefinition) =>
      program({
        environment: environmentOf(this.definition(taskDefinition), (id, version) => this.#readSecret(id, version)),
        readSecret: (id) => this.#readSecret(id, undefined),
        hasSecret: (id) => this.#secrets.versions(id).some(({ labels }) => labels.has('AWSCURRENT')),
        readFile: (path) => {
          throw new Error(`${path} is not mounted`);
        },
      }),
    );
    this.#services.set(service.arn, service);
    await service.create();
    return service;
  }

  deleteService(service: EcsService): void {
    service.status = 'INACTIVE';
  }

  async close(): Promise<void> {
    await Promise.all([...this.#services.values()].map(({ balancer }) => balancer.close()));
  }

  handle(call: ServiceCall): unknown {
    const operation = this.#operations[call.operation];
    if (operation === undefined) throw unknownOperation('ECS', call.operation);
    return operation(call);
  }

  readonly #operations: Readonly<Record<string, (call: ServiceCall) => unknown>> = {
    DescribeServices: (call) => {
      const { cluster, services, include } = readInput(inputs.DescribeServices, call);
      const arns = services.map((name) => this.#serviceArn(cluster, name));
      for (const arn of arns) call.authorize('ecs:DescribeServices', arn);
      this.#requireCluster(cluster);
      const found = arns.flatMap((arn) => this.#services.get(arn) ?? []);
      const missing = arns.filter((arn) => !this.#services.has(arn));
      return {
        services: found.map((service) => describeService(service, include.includes('TAGS'))),
        failures: missing.map((arn) => ({ arn, reason: 'MISSING' })),
      };
    },
    UpdateService: (call) => {
      const { cluster, service: name, taskDefinition, forceNewDeployment } = readInput(inputs.UpdateService, call);
      const service = this.#authorized(call, cluster, name);
      if (service.status === 'INACTIVE') throw new AwsError('ServiceNotActiveException', 'Service was not ACTIVE.');
      const { deploymentController = 'ECS' } = service.options;
      if (deploymentController !== 'ECS') {
        const message = `Cannot force a new deployment on services with a ${deploymentController} deployment controller.`;
        throw new AwsError('InvalidParameterException', message);
      }
      const next = taskDefinition === undefined ? service.taskDefinition : this.definition(taskDefinition).arn;
      if (forceNewDeployment || next !== service.taskDefinition) service.deploy(next, () => this.readyToRoll());
      return { service: describeService(service, false) };
    },
    ListServiceDeployments: (call) => {
      const { cluster, service: name, maxResults, nextToken = '0' } = readInput(inputs.ListServiceDeployments, call);
      const { deployments } = this.#authorized(call, cluster, name);
      const end = Number(nextToken) + Math.min(maxResults, this.mostListed);
      // AWS says nothing of the order. The oldest first is the one that nobody should count on.
      return {
        serviceDeployments: deployments.slice(Number(nextToken), end).map(briefly),
        ...(end < deployments.length && { nextToken: String(end) }),
      };
    },
    DescribeServiceDeployments: (call) => {
      const { serviceDeploymentArns } = readInput(inputs.DescribeServiceDeployments, call);
      for (const arn of serviceDeploymentArns) call.authorize('ecs:DescribeServiceDeployments', arn);
      const all = [...this.#services.values()].flatMap(({ deployments }) => deployments);
      const found = all.filter(({ arn }) => serviceDeploymentArns.includes(arn));
      return { serviceDeployments: found.map(describeDeployment) };
    },
    TagResource: (call) => {
      const { resourceArn, tags } = readInput(inputs.TagResource, call);
      call.authorize('ecs:TagResource', resourceArn, requestTags(tags));
      const service = this.#services.get(resourceArn);
      if (service === undefined) throw new AwsError('ServiceNotFoundException', 'Service not found.');
      for (const { key, value } of tags) service.tags.set(key, value);
    },
    DescribeTaskDefinition: (call) => {
      const { taskDefinition, include } = readInput(inputs.DescribeTaskDefinition, call);
      call.authorize('ecs:DescribeTaskDefinition', '*');
      const definition = this.definition(taskDefinition);
      const { tags } = definition.fields;
      return { taskDefinition: describeDefinition(definition), ...(include.length > 0 && { tags: tags ?? [] }) };
    },
    RegisterTaskDefinition: (call) => {
      const fields = readInput(inputs.RegisterTaskDefinition, call);
      call.authorize('ecs:RegisterTaskDefinition', '*');
      const arn = arnOf(this.#account, 'ecs', `task-definition/${fields.family}:*`);
      if (fields.tags !== undefined) {
        const context = { 'ecs:CreateAction': 'RegisterTaskDefinition', ...requestTags(fields.tags) };
        call.authorize('ecs:TagResource', arn, context);
      }
      for (const role of [fields.taskRoleArn, fields.executionRoleArn]) {
        if (role !== undefined)
          call.authorize('iam:PassRole', role, { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' });
      }
      return { taskDefinition: describeDefinition(this.definition(this.register(fields))) };
    },
  };

  #authorized(call: ServiceCall, cluster: string, name: string): EcsService {
    const arn = this.#serviceArn(cluster, name);
    call.authorize(`ecs:${call.operation}`, arn);
    this.#requireCluster(cluster);
    const service = this.#services.get(arn);
    if (service === undefined) throw new AwsError('ServiceNotFoundException', 'Service not found.');
    return service;
  }

  /** A cluster is there when some service is in it. */
  #requireCluster(cluster: string): void {
    if ([...this.#services.values()].some(({ options }) => options.cluster === cluster)) return;
    throw new AwsError('ClusterNotFoundException', 'Cluster not found.');
  }

  #serviceArn(cluster: string, name: string): string {
    return arnOf(this.#account, 'ecs', `service/${cluster}/${name}`);
  }

  /** By ARN, `family:revision`, or family, which means its latest. */
  definition(name: string): TaskDefinition {
    const found = this.#definitions.findLast(
      ({ arn, fields: { family } }) => arn === name || arn.endsWith(`/${name}`) || family === name,
    );
    if (found === undefined) throw new AwsError('ClientException', 'Unable to describe task definition.');
    return found;
  }

  #readSecret(id: string, version: string | undefined): string {
    const found = this.#secrets
      .versions(id)
      .find((each) => (version === undefined ? each.labels.has('AWSCURRENT') : each.id === version));
    if (found === undefined) throw new Error(`the secret ${id} has no such version`);
    return found.value;
  }
}

function describeService(service: EcsService, withTags: boolean): Readonly<Record<string, unknown>> {
  const { arn, options, status, taskDefinition, tags, latest, balancer } = service;
  return {
    serviceArn: arn,
    serviceName: options.name,
    status,
    desiredCount: options.desiredCount ?? 1,
    runningCount: balancer.processes.length,
    taskDefinition,
    currentServiceDeployment: latest?.arn,
    deploymentController: { type: options.deploymentController ?? 'ECS' },
    ...(withTags && { tags: [...tags].map(([key, value]) => ({ key, value })) }),
  };
}

const briefly = ({ arn, status, createdAt, reason }: ServiceDeployment): Readonly<Record<string, unknown>> => ({
  serviceDeploymentArn: arn,
  status,
  statusReason: reason,
  createdAt: createdAt / 1_000,
});

const revisionOf = (arn: string): string => arn.replace(':service-deployment/', ':service-revision/');

const describeDeployment = (deployment: ServiceDeployment): Readonly<Record<string, unknown>> => ({
  ...briefly(deployment),
  targetServiceRevision: { arn: revisionOf(deployment.arn) },
  sourceServiceRevisions: [{ arn: `${revisionOf(deployment.arn)}-before`, runningTaskCount: deployment.olderTasks }],
});

const describeDefinition = ({ arn, revision, fields }: TaskDefinition): Readonly<Record<string, unknown>> => {
  const { tags: _tags, ...described } = fields;
  return { ...described, taskDefinitionArn: arn, revision, status: 'ACTIVE' };
};

const requestTags = (tags: readonly { key: string; value: string }[]): Record<string, string | readonly string[]> => ({
  ...Object.fromEntries(tags.map(({ key, value }) => [`aws:RequestTag/${key}`, value])),
  'aws:TagKeys': tags.map(({ key }) => key),
});

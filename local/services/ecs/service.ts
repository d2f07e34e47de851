import { randomBytes } from 'node:crypto';
import type { Account } from '../../account.ts';
import type { LoadBalancer } from '../../workloads/load-balancer.ts';
import { replaceProcesses } from '../../workloads/replace-processes.ts';
import type { TlsProcess } from '../../workloads/tls-process.ts';

export type DeploymentStatus =
  'PENDING' | 'IN_PROGRESS' | 'SUCCESSFUL' | 'STOPPED' | 'ROLLBACK_IN_PROGRESS' | 'ROLLBACK_SUCCESSFUL';

export interface ServiceDeployment {
  readonly arn: string;
  readonly taskDefinition: string;
  readonly createdAt: number;
  /** Tasks of older revisions that still ran when this one was last looked at. */
  olderTasks: number;
  status: DeploymentStatus;
  reason: string | undefined;
}

export interface EcsServiceOptions {
  readonly cluster: string;
  readonly name: string;
  /** ARN of a revision that is registered. */
  readonly taskDefinition: string;
  /** 1 when absent. */
  readonly desiredCount?: number;
  /** `ECS` when absent. */
  readonly deploymentController?: 'ECS' | 'CODE_DEPLOY' | 'EXTERNAL';
}

/** One service behind a load balancer, with all deployments it ever had. */
export class EcsService {
  readonly options: EcsServiceOptions;
  readonly arn: string;
  readonly tags = new Map<string, string>();
  readonly deployments: ServiceDeployment[] = [];
  readonly balancer: LoadBalancer;
  /** What is deployed, or is being. */
  taskDefinition: string;
  status: 'ACTIVE' | 'INACTIVE' = 'ACTIVE';
  readonly #account: Account;
  readonly #startTask: (taskDefinition: string) => Promise<TlsProcess>;

  constructor(
    account: Account,
    options: EcsServiceOptions,
    balancer: LoadBalancer,
    startTask: (taskDefinition: string) => Promise<TlsProcess>,
  ) {
    const { cluster, name, taskDefinition } = options;
    this.options = options;
    this.arn = `arn:aws:ecs:${account.region}:${account.accountId}:service/${cluster}/${name}`;
    this.balancer = balancer;
    this.taskDefinition = taskDefinition;
    this.#account = account;
    this.#startTask = startTask;
  }

  get latest(): ServiceDeployment | undefined {
    return this.deployments.at(-1);
  }

  /** Begins a deployment, in the place of one that is under way. `ready` is awaited before its first task starts. */
  deploy(taskDefinition: string, ready: () => Promise<void>): void {
    if (this.latest?.status === 'PENDING' || this.latest?.status === 'IN_PROGRESS') this.latest.status = 'STOPPED';
    const before = this.taskDefinition;
    const deployment = this.#begin(taskDefinition);
    this.#account.activity.background(async () => {
      await ready();
      await this.#roll(deployment, before);
    });
  }

  /** The first deployment, to its end. */
  async create(): Promise<void> {
    await this.#roll(this.#begin(this.taskDefinition), this.taskDefinition);
    const { status, reason } = this.latest ?? {};
    if (status !== 'SUCCESSFUL') throw new Error(`service ${this.options.name} never ran: ${reason}`);
  }

  #begin(taskDefinition: string): ServiceDeployment {
    const deployment: ServiceDeployment = {
      arn: `${this.arn.replace(':service/', ':service-deployment/')}/${randomBytes(15).toString('base64url')}`,
      taskDefinition,
      // Two at once are not to be had from AWS.
      createdAt: Math.max(this.#account.clock.now(), (this.latest?.createdAt ?? 0) + 1),
      olderTasks: this.balancer.processes.length,
      status: 'PENDING',
      reason: undefined,
    };
    this.deployments.push(deployment);
    this.taskDefinition = taskDefinition;
    return deployment;
  }

  async #roll(deployment: ServiceDeployment, before: string): Promise<void> {
    const isSuperseded = (): boolean => deployment.status === 'STOPPED';
    if (!isSuperseded()) deployment.status = 'IN_PROGRESS';
    const outcome = await replaceProcesses(this.balancer, {
      count: this.options.desiredCount ?? 1,
      start: () => this.#startTask(deployment.taskDefinition),
      isSuperseded,
    });
    if (outcome.ended === 'superseded') return;
    if (outcome.ended === 'replaced') {
      deployment.olderTasks = 0;
      deployment.status = 'SUCCESSFUL';
      return;
    }
    this.taskDefinition = before;
    deployment.status = 'ROLLBACK_SUCCESSFUL';
    deployment.reason = `Deployment circuit breaker threshold was reached: tasks failed to start (${outcome.why}).`;
  }
}

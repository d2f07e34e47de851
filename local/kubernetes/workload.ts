import type { Account } from '../account.ts';
import type { LoadBalancer } from '../workloads/load-balancer.ts';
import { replaceProcesses } from '../workloads/replace-processes.ts';
import type { TlsProcess } from '../workloads/tls-process.ts';
import type { JsonObject } from './apply.ts';

export const WORKLOAD_RESOURCES = {
  Deployment: 'deployments',
  StatefulSet: 'statefulsets',
  DaemonSet: 'daemonsets',
} as const;
export type WorkloadKind = keyof typeof WORKLOAD_RESOURCES;

export interface WorkloadOptions {
  readonly kind: WorkloadKind;
  readonly namespace: string;
  readonly name: string;
  /** The `kubernetes.io/tls` Secret that its pods mount at `/tls`. */
  readonly secretName: string;
  /** 1 when absent. */
  readonly replicas?: number;
  readonly updateStrategy?: JsonObject;
}

interface Template {
  metadata: { annotations: JsonObject };
}

/** A Deployment, StatefulSet or DaemonSet with the controller that rolls it out. */
export class Workload {
  readonly options: WorkloadOptions;
  readonly balancer: LoadBalancer;
  readonly object: JsonObject & { spec: { template: Template } };
  /** Changes of its pod template that were rolled out, or not. */
  rollouts = 0;
  #generation = 1;
  #status: JsonObject = {};
  #template: string;
  readonly #account: Account;
  readonly #startPod: () => Promise<TlsProcess>;

  constructor(account: Account, options: WorkloadOptions, balancer: LoadBalancer, startPod: () => Promise<TlsProcess>) {
    const { kind, namespace, name, replicas = 1, updateStrategy } = options;
    this.options = options;
    this.balancer = balancer;
    this.object = {
      apiVersion: 'apps/v1',
      kind,
      metadata: { name, namespace },
      spec: {
        ...(kind === 'DaemonSet' ? {} : { replicas }),
        ...(updateStrategy === undefined ? {} : { updateStrategy }),
        template: { metadata: { annotations: {} } },
      },
    };
    this.#template = JSON.stringify(this.object.spec.template);
    this.#account = account;
    this.#startPod = startPod;
  }

  /** As the API server answers it. */
  get described(): JsonObject {
    const metadata = { ...(this.object['metadata'] as JsonObject), generation: this.#generation };
    return { ...this.object, metadata, status: this.#status };
  }

  async create(): Promise<void> {
    const outcome = await this.#roll(() => Promise.resolve());
    if (outcome !== 'replaced') throw new Error(`${this.options.kind} ${this.options.name} never ran`);
  }

  /** To be called after every write. A template that is what it was restarts nothing. */
  reconcile(ready: () => Promise<void>): void {
    const template = JSON.stringify(this.object.spec.template);
    if (template === this.#template) return;
    this.#template = template;
    this.#generation += 1;
    this.rollouts += 1;
    this.#account.activity.background(async () => {
      await this.#roll(ready);
    });
  }

  async #roll(ready: () => Promise<void>): Promise<string> {
    const generation = this.#generation;
    const count = this.options.replicas ?? 1;
    this.#status = this.#statusOf(generation, { updated: 0, replicas: this.balancer.processes.length });
    await ready();
    const outcome = await replaceProcesses(this.balancer, {
      count,
      start: this.#startPod,
      isSuperseded: () => generation !== this.#generation,
    });
    if (outcome.ended === 'replaced') this.#status = this.#statusOf(generation, { updated: count, replicas: count });
    if (outcome.ended === 'given up') {
      const message = `pods do not start: ${outcome.why}`;
      const condition = { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message };
      this.#status = { ...this.#status, ...(this.options.kind === 'Deployment' ? { conditions: [condition] } : {}) };
    }
    return outcome.ended;
  }

  #statusOf(observedGeneration: number, { updated, replicas }: { updated: number; replicas: number }): JsonObject {
    const wanted = this.options.replicas ?? 1;
    switch (this.options.kind) {
      case 'Deployment':
        return { observedGeneration, replicas, updatedReplicas: updated, availableReplicas: replicas };
      case 'StatefulSet': {
        const updateRevision = `${this.options.name}-${observedGeneration}`;
        const currentRevision = updated === wanted ? updateRevision : `${this.options.name}-${observedGeneration - 1}`;
        const readyReplicas = replicas;
        return {
          observedGeneration,
          replicas,
          updatedReplicas: updated,
          readyReplicas,
          currentRevision,
          updateRevision,
        };
      }
      case 'DaemonSet':
        return {
          observedGeneration,
          desiredNumberScheduled: wanted,
          updatedNumberScheduled: updated,
          numberAvailable: replicas,
        };
    }
  }
}

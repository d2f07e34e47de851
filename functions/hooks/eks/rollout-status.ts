import * as z from 'zod/mini';
import type { Workload } from './options.ts';

const count = z._default(z.int(), 0);

/** What a Deployment, a StatefulSet and a DaemonSet say of a roll-out, all in one: each has its part of it. */
const workloadShape = z.object({
  metadata: z.object({ generation: z.int() }),
  spec: z.object({
    replicas: z._default(z.int(), 1),
    paused: z._default(z.boolean(), false),
    updateStrategy: z.optional(
      z.object({ type: z.optional(z.string()), rollingUpdate: z.optional(z.object({ partition: count })) }),
    ),
    template: z.object({
      metadata: z.optional(z.object({ annotations: z._default(z.record(z.string(), z.string()), {}) })),
    }),
  }),
  status: z._default(
    z.object({
      observedGeneration: count,
      replicas: count,
      updatedReplicas: count,
      currentReplicas: count,
      readyReplicas: count,
      availableReplicas: count,
      currentRevision: z.optional(z.string()),
      updateRevision: z.optional(z.string()),
      desiredNumberScheduled: count,
      updatedNumberScheduled: count,
      numberAvailable: count,
      conditions: z._default(
        z.array(
          z.object({
            type: z.string(),
            status: z.string(),
            reason: z.optional(z.string()),
            message: z.optional(z.string()),
          }),
        ),
        [],
      ),
    }),
    // A controller that has not looked yet has said nothing.
    () => emptyStatus(),
  ),
});
export type WorkloadState = z.infer<typeof workloadShape>;

/** Throws on an answer that is no workload. */
export const readWorkload = (answer: unknown): WorkloadState => workloadShape.parse(answer);

export type RolloutStatus =
  | { readonly state: 'complete' }
  | { readonly state: 'progressing'; readonly detail: string }
  /** Its controller has given up. */
  | { readonly state: 'failed'; readonly detail: string };

const progressing = (detail: string): RolloutStatus => ({ state: 'progressing', detail });
const COMPLETE: RolloutStatus = { state: 'complete' };

/** How the roll-out of a workload's present template is doing, as `kubectl rollout status` judges it. */
export function rolloutStatus(kind: Workload['kind'], workload: WorkloadState): RolloutStatus {
  // Whatever else the status says is about an older template.
  if (workload.status.observedGeneration < workload.metadata.generation)
    return progressing('not seen by its controller');
  return STATUSES[kind](workload);
}

const STATUSES: Readonly<Record<Workload['kind'], (workload: WorkloadState) => RolloutStatus>> = {
  Deployment: ({ spec, status }) => {
    const progress = status.conditions.find(({ type }) => type === 'Progressing');
    if (progress?.reason === 'ProgressDeadlineExceeded') {
      return { state: 'failed', detail: progress.message ?? progress.reason };
    }
    if (spec.paused) return progressing('it is paused');
    const { replicas, updatedReplicas, availableReplicas } = status;
    if (updatedReplicas < spec.replicas) return progressing(`${updatedReplicas} of ${spec.replicas} pods are new`);
    if (replicas > updatedReplicas) return progressing(`${replicas - updatedReplicas} old pods have not ended`);
    if (availableReplicas < updatedReplicas) {
      return progressing(`${availableReplicas} of ${updatedReplicas} new pods are available`);
    }
    return COMPLETE;
  },
  StatefulSet: ({ spec, status }) => {
    const { updatedReplicas, currentReplicas, readyReplicas, currentRevision, updateRevision } = status;
    const wanted = spec.replicas - (spec.updateStrategy?.rollingUpdate?.partition ?? 0);
    // One revision alone: nothing new, or a template that was taken back before it was everywhere. Some controllers then count
    // only the pods of the current one.
    const updated = currentRevision === updateRevision ? Math.max(updatedReplicas, currentReplicas) : updatedReplicas;
    if (updated < wanted) return progressing(`${updated} of ${wanted} pods are new`);
    if (readyReplicas < spec.replicas) return progressing(`${readyReplicas} of ${spec.replicas} pods are ready`);
    return COMPLETE;
  },
  DaemonSet: ({ status }) => {
    const { desiredNumberScheduled: wanted, updatedNumberScheduled, numberAvailable } = status;
    if (updatedNumberScheduled < wanted) return progressing(`${updatedNumberScheduled} of ${wanted} pods are new`);
    if (numberAvailable < wanted) return progressing(`${numberAvailable} of ${wanted} pods are available`);
    return COMPLETE;
  },
};

/** False where a change of the template restarts no pod, or not all of them, by itself. */
export function restartsAll({ spec: { updateStrategy } }: WorkloadState): boolean {
  return updateStrategy?.type !== 'OnDelete' && (updateStrategy?.rollingUpdate?.partition ?? 0) === 0;
}

function emptyStatus() {
  return {
    observedGeneration: 0,
    replicas: 0,
    updatedReplicas: 0,
    currentReplicas: 0,
    readyReplicas: 0,
    availableReplicas: 0,
    desiredNumberScheduled: 0,
    updatedNumberScheduled: 0,
    numberAvailable: 0,
    conditions: [],
  };
}

import { PermanentError, TransientError } from '../../core/errors.ts';
import type { Step, Ticket } from '../../core/ports.ts';
import type { Deployed, DeployHook, DeployRequest, HookContext } from '../../core/rollout/ports.ts';
import { type KubernetesApi, nameOf, type ObjectRef } from './api.ts';
import { appliedSecret, restartingPatch, secretOf, versionAnnotation, workloadOf } from './objects.ts';
import { type EksOptions, FIELD_MANAGER, type Workload } from './options.ts';
import { readWorkload, restartsAll, rolloutStatus, type WorkloadState } from './rollout-status.ts';

const CHECK_AFTER_SECONDS = 15;

/**
 * Brings a version to a Secret of a cluster, and restarts a workload that reads it. Each step says how things are to be and
 * changes nothing where they are so: a repeat writes the same Secret, and restarts no pod.
 */
export function eksHook(options: EksOptions, api: KubernetesApi, context: HookContext): DeployHook {
  const { workload } = options;
  const { log } = context;
  const query = { fieldManager: FIELD_MANAGER };

  async function start({ release }: DeployRequest): Promise<Step<Deployed>> {
    // Before the key is written anywhere: whether there is somebody to read it.
    if (workload !== undefined) requireRestartable(await look(api, options, workload), workloadOf(options, workload));
    if (context.readBundle === undefined)
      throw new PermanentError('BadWiring', 'the EKS hook is not given the key to write');
    const bundle = await context.readBundle(release);
    await api.patch(secretOf(options), {
      contentType: 'application/apply-patch+yaml',
      query: { ...query, force: String(options.force) },
      body: appliedSecret(options, release, bundle),
    });
    log('secret applied', { cluster: options.cluster, secret: nameOf(secretOf(options)), version: release.version });
    if (workload === undefined) return WRITTEN;
    await api.patch(workloadOf(options, workload), {
      contentType: 'application/merge-patch+json',
      query,
      body: restartingPatch(options, release.version),
    });
    return waiting();
  }

  async function check({ release }: DeployRequest): Promise<Step<Deployed>> {
    if (workload === undefined) return WRITTEN;
    const state = await look(api, options, workload);
    const name = nameOf(workloadOf(options, workload));
    const version = state.spec.template.metadata?.annotations[versionAnnotation(options)];
    if (version !== release.version) {
      const found = version === undefined ? 'names none' : `names version ${version}`;
      throw undone(name, `somebody has changed its pod template, which ${found} (a "kubectl rollout undo"?)`);
    }
    const status = rolloutStatus(workload.kind, state);
    if (status.state === 'failed') throw undone(name, status.detail);
    if (status.state === 'complete') return { status: 'done', value: { replacedAll: restartsAll(state) } };
    log('roll-out under way', { cluster: options.cluster, workload: name, detail: status.detail });
    return waiting();
  }

  return { start, check };
}

async function look(api: KubernetesApi, options: EksOptions, workload: Workload): Promise<WorkloadState> {
  const ref = workloadOf(options, workload);
  const answer = await api.get(ref);
  try {
    return readWorkload(answer);
  } catch (error) {
    throw new TransientError('AnswerUnreadable', `get of ${nameOf(ref)}: not a ${workload.kind}`, { cause: error });
  }
}

function requireRestartable({ spec }: WorkloadState, ref: ObjectRef): void {
  if (spec.updateStrategy?.type !== 'OnDelete') return;
  throw new PermanentError(
    'NeverRestarts',
    `${nameOf(ref)} has the update strategy OnDelete: its pods are not restarted by a change of its template; use RollingUpdate, ` +
      `or leave it out of \`restart\` if it reads the Secret again by itself`,
  );
}

const undone = (name: string, why: string): PermanentError => new PermanentError('DeploymentUndone', `${name}: ${why}`);

/**
 * A Secret has one version, so that nothing older is left of the target. Whether those who read it have noticed, by themselves and
 * within the minute or two that kubelets take, is for the endpoints to show.
 */
const WRITTEN: Step<Deployed> = { status: 'done', value: { replacedAll: true } };

/** All that a look needs is in the cluster. */
const waiting = (ticket: Ticket = {}): Step<Deployed> => ({
  status: 'waiting',
  ticket,
  checkAfterSeconds: CHECK_AFTER_SECONDS,
});

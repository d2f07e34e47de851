import { describeFailure, TransientError } from '../core/errors.ts';
import { inParallel } from '../core/in-parallel.ts';
import type { Step } from '../core/ports.ts';
import type { RolloutDecision } from '../core/rollout/decide.ts';
import type { DeployHookSpec } from '../core/rollout/hook-spec.ts';
import type { Deployed, DeployHook, DeployRequest } from '../core/rollout/ports.ts';
import { rolloutIdOf, type RolloutRecord, type Target, wantedRelease } from '../core/rollout/record.ts';
import type { RolloutHappening } from '../core/rollout/happening.ts';
import { isFinal } from '../core/rollout/transitions.ts';
import { SECOND_MS } from '../core/time.ts';
import { expectationOf } from './expectation.ts';
import type { RolloutLedger } from './ledger.ts';
import type { DeployParts } from './parts.ts';
import { endpointsOf, readHook } from './plan.ts';

/** Targets that are worked on side by side. */
const AT_A_TIME = 5;

/** Instances of one target that are asked; of more, the target's own word has to do. */
const MOST_INSTANCES = 100;

type Ask = (hook: DeployHook, request: DeployRequest, target: Target) => Promise<Step<Deployed>>;

/** Begins deployments. Each receipt is noted as soon as all of this step are there. */
export const startTargets = (
  decision: Extract<RolloutDecision, { do: 'start' }>,
  ledger: RolloutLedger,
  parts: DeployParts,
): Promise<void> => askTargets(decision, ledger, parts, (hook, request) => start(hook, request, ledger, parts));

/** What reads the secret at its start would read the version before in a Region that does not have this one yet. */
async function start(
  hook: DeployHook,
  request: DeployRequest,
  { record: rollout }: RolloutLedger,
  { versions }: DeployParts,
): Promise<Step<Deployed>> {
  const { secretName } = wantedRelease(rollout);
  if (hook.readsIn !== undefined) await versions.requireReplica({ certificate: rollout.id, secretName }, hook.readsIn);
  return hook.start(request);
}

export const checkTargets = (
  decision: Extract<RolloutDecision, { do: 'check' }>,
  ledger: RolloutLedger,
  parts: DeployParts,
): Promise<void> =>
  askTargets(decision, ledger, parts, (hook, request, { ticket }) =>
    ticket === undefined ? start(hook, request, ledger, parts) : hook.check(request, ticket),
  );

async function askTargets(
  { stage, targets }: Extract<RolloutDecision, { do: 'start' | 'check' }>,
  ledger: RolloutLedger,
  parts: DeployParts,
  ask: Ask,
): Promise<void> {
  const rollout = ledger.record;
  const spec = await readHook(stage.hook, parts);
  const happenings = await inParallel(targets, AT_A_TIME, async (index) => {
    const { name = '' } = spec.targets[index] ?? {};
    const target = stage.targets[index] ?? { state: 'waiting' };
    return outcomeOf({ index, name }, parts, async () => {
      const hook = await parts.connect(spec.plugin, spec.targets[index]?.options);
      const step = await ask(hook, requestOf(rollout), target);
      return step.status === 'waiting' ? step : proved(step, spec, rollout, parts);
    });
  });
  for (const happening of happenings) ledger.happened(happening);
  // The receipts before anything else: whatever comes next may be our last.
  await ledger.save();
}

async function outcomeOf(
  { index, name }: { readonly index: number; readonly name: string },
  { clock, log }: DeployParts,
  work: () => Promise<Step<unknown>>,
): Promise<RolloutHappening> {
  try {
    const step = await work();
    if (step.status === 'done') return { event: 'TargetDone', target: index, name };
    const checkAt = clock() + step.checkAfterSeconds * SECOND_MS;
    return { event: 'TargetWaiting', target: index, name, ticket: step.ticket, checkAt };
  } catch (error) {
    const failure = describeFailure(error);
    log('a deployment could not go on', { target: name, failure });
    return { event: isFinal(failure) ? 'TargetFailed' : 'TargetStumbled', target: index, name, failure };
  }
}

/**
 * Where its endpoints are to be proved, a target is done when it says that nothing old runs, or when each of its instances was
 * seen with the new leaf: behind a load balancer an old one would be met only now and then.
 */
async function proved(
  step: Extract<Step<Deployed>, { status: 'done' }>,
  spec: DeployHookSpec,
  rollout: RolloutRecord,
  parts: DeployParts,
): Promise<Step<Deployed>> {
  const { replacedAll, instances = [] } = step.value;
  const release = wantedRelease(rollout);
  const [endpoint] = endpointsOf(spec, release);
  if (replacedAll || endpoint === undefined) return step;
  if (instances.length === 0 || instances.length > MOST_INSTANCES) throw notReplaced('some of it may be old');
  const { serverName = endpoint.host } = endpoint;
  const results = await inParallel(instances, AT_A_TIME, ({ address, port }) =>
    parts.prober.probe({ ...endpoint, host: address, port, serverName }, expectationOf(release, parts)),
  );
  const wrong = results.flat().find(({ verdict }) => verdict !== 'served');
  if (wrong !== undefined) throw notReplaced(`${wrong.address}: ${wrong.verdict} (${wrong.detail})`);
  return step;
}

/** Not yet: it is looked at again until its deadline. */
const notReplaced = (why: string): TransientError =>
  new TransientError('NotReplaced', `not seen to be replaced: ${why}`);

function requestOf(rollout: RolloutRecord): DeployRequest {
  const { version, generation, ref, sha256Fingerprint, notAfter } = wantedRelease(rollout);
  return {
    rolloutId: rolloutIdOf(rollout),
    intent: rollout.intent,
    release: { certificate: rollout.id, generation, version, ref, sha256Fingerprint, notAfter },
  };
}

import type { FailureFacts } from '../errors.ts';
import { type Instant, MINUTE_MS, SECOND_MS } from '../time.ts';
import { type Evidence, inWords } from './evidence.ts';
import type { RolloutHappening } from './happening.ts';
import { hookIdIn } from './hook-spec.ts';
import {
  EVIDENCE_KEPT,
  FAILURES_KEPT,
  type Outcome,
  type RolloutFailure,
  type RolloutRecord,
  type Stage,
  type Target,
} from './record.ts';
import { waveRange } from './waves.ts';

/**
 * Between looks at endpoints that do not serve it yet: a quarter of the time that they have had, within bounds. Most take
 * seconds; and MySQL locks out a host after a hundred handshakes without a login (`max_connect_errors`).
 */
const SOONEST_AGAIN_MS = 5 * SECOND_MS;
const LATEST_AGAIN_MS = MINUTE_MS;

const probeAgainAt = (startedAt: Instant, at: Instant): Instant =>
  at + Math.min(LATEST_AGAIN_MS, Math.max(SOONEST_AGAIN_MS, (at - startedAt) / 4));

/** Results that a failure names; the others are in its evidence. */
const EVIDENCE_IN_WORDS = 3;

/** Targets that already have the version, of hooks that say the same as before, are left in peace. */
export function planned(rollout: RolloutRecord, stages: readonly Stage[], at: Instant): RolloutRecord {
  const before = new Map(rollout.current === 'release' ? rollout.stages.map((stage) => [stage.hook, stage]) : []);
  const carried = stages.map((stage) => {
    const known = before.get(stage.hook)?.targets ?? [];
    const targets = stage.targets.map((target, index): Target =>
      known[index]?.state === 'done' ? { state: 'done' } : target,
    );
    return { ...stage, targets };
  });
  return enterStage({ ...rollout, phase: 'rolling', stages: carried }, 0, at);
}

/** The first wave of a stage in which there is anything to do; the last one where there is nothing but its proof. */
export function enterStage(rollout: RolloutRecord, index: number, at: Instant): RolloutRecord {
  const stage = rollout.stages[index];
  if (stage === undefined) return finished(rollout);
  const open = stage.waves.findIndex((_, wave) => {
    const { from, to } = waveRange(stage.waves, wave);
    return stage.targets.slice(from, to).some(isOpen);
  });
  const { waitUntil: _w, proof: _p, ...rest } = rollout;
  const wave = open === -1 ? Math.max(0, stage.waves.length - 1) : open;
  return afterTarget({ ...rest, stage: index, wave }, at);
}

const isOpen = ({ state }: Target): boolean => state === 'waiting' || state === 'intended' || state === 'running';

/** A deployment is under way; past its deadline it has failed. */
export function pending(
  rollout: RolloutRecord,
  { target: index, name }: { readonly target: number; readonly name: string },
  change: Partial<Target> & { readonly checkAt: Instant },
  at: Instant,
  failure?: FailureFacts,
): RolloutRecord {
  const stage = rollout.stages[rollout.stage];
  const target = stage?.targets[index];
  if (stage === undefined || target === undefined) return rollout;
  const deadline = (target.startedAt ?? at) + stage.policy.progressDeadlineSeconds * SECOND_MS;
  if (at >= deadline) {
    const latest = failure === undefined ? '' : `; the last look at it failed: ${failure.code}: ${failure.message}`;
    const message = `not done after ${stage.policy.progressDeadlineSeconds} s${latest}`;
    return targetFailed(rollout, { target: index, name, failure: { ...DEADLINE, message } }, at);
  }
  const ticket = change.ticket ?? target.ticket;
  return withTarget(rollout, index, {
    state: ticket === undefined ? 'intended' : 'running',
    startedAt: target.startedAt ?? at,
    checkAt: Math.min(change.checkAt, deadline),
    ...(ticket === undefined ? {} : { ticket }),
    ...(change.stumbles === undefined ? {} : { stumbles: change.stumbles }),
  });
}

const DEADLINE = { class: 'permanent', code: 'ProgressDeadlineExceeded' } as const;

export function targetFailed(
  rollout: RolloutRecord,
  { target, name, failure }: { readonly target: number; readonly name: string; readonly failure: FailureFacts },
  at: Instant,
): RolloutRecord {
  const known = rollout.stages[rollout.stage]?.targets[target];
  if (known === undefined || !isOpen(known)) return rollout;
  return afterFailure(
    withTarget(rollout, target, { state: 'failed' }),
    failureOf(rollout, failure, name),
    at,
    afterTarget,
  );
}

export function proofFailed(rollout: RolloutRecord, failure: FailureFacts, at: Instant): RolloutRecord {
  return afterFailure(rollout, failureOf(rollout, failure), at, afterWave);
}

/** What the document wants done about it. While the version before is brought back nothing else can be done than go on. */
function afterFailure(
  rollout: RolloutRecord,
  failure: RolloutFailure,
  at: Instant,
  goOn: (rollout: RolloutRecord, at: Instant) => RolloutRecord,
): RolloutRecord {
  const failed = {
    ...rollout,
    failures: [...rollout.failures, failure].slice(0, FAILURES_KEPT),
    failureCount: rollout.failureCount + 1,
  };
  const onFailure = rollout.intent === 'rollback' ? 'continue' : rollout.stages[rollout.stage]?.policy.onFailure;
  if (onFailure === 'continue') return goOn(failed, at);
  return onFailure === 'rollback' ? { ...failed, phase: 'restoring' } : ending(failed, 'halted');
}

export function failureOf(
  { stages, stage }: RolloutRecord,
  { code, message }: FailureFacts,
  target?: string,
): RolloutFailure {
  const hook = stages[stage]?.hook;
  return {
    ...(hook === undefined ? {} : { hook: hookIdIn(hook) }),
    ...(target === undefined ? {} : { target }),
    code,
    message,
  };
}

/** A wave whose targets are through is proved; one without endpoints is done with it. */
export function afterTarget(rollout: RolloutRecord, at: Instant): RolloutRecord {
  const stage = rollout.stages[rollout.stage];
  if (stage === undefined) return rollout;
  const { from, to } = waveRange(stage.waves, rollout.wave);
  if (stage.targets.slice(from, to).some(isOpen)) return rollout;
  return stage.endpoints === 0 ? afterWave(rollout, at) : { ...rollout, proof: { startedAt: at, tryAt: at, next: 0 } };
}

export function probed(
  rollout: RolloutRecord,
  { next, served, evidence }: Extract<RolloutHappening, { event: 'Probed' }>,
  at: Instant,
): RolloutRecord {
  const { proof } = rollout;
  const stage = rollout.stages[rollout.stage];
  if (proof === undefined || stage === undefined) return rollout;
  const seen = { ...rollout, evidence: keptEvidence(rollout.evidence, evidence) };
  if (served && next >= stage.endpoints) return afterWave(seen, at);
  const deadlineSeconds = stage.policy.progressDeadlineSeconds;
  const deadline = proof.startedAt + deadlineSeconds * SECOND_MS;
  if (!served && at >= deadline) {
    const shown = seen.evidence.filter(({ verdict }) => verdict !== 'served').slice(0, EVIDENCE_IN_WORDS);
    const message = `not served after ${deadlineSeconds} s: ${shown.map(inWords).join('; ')}`;
    return proofFailed(seen, { class: 'permanent', code: 'NotServed', message }, at);
  }
  return {
    ...seen,
    proof: { ...proof, next, tryAt: served ? at : Math.min(deadline, probeAgainAt(proof.startedAt, at)) },
  };
}

/** The latest of each endpoint: addresses come and go. Those that are not as they should be first: they say why. */
export function keptEvidence(before: readonly Evidence[], latest: readonly Evidence[]): Evidence[] {
  const asked = new Set(latest.map(({ endpoint }) => endpoint));
  return [...before.filter(({ endpoint }) => !asked.has(endpoint)), ...latest]
    .sort((a, b) => Number(a.verdict === 'served') - Number(b.verdict === 'served'))
    .slice(0, EVIDENCE_KEPT);
}

/** On to the next wave after a pause, to the next document, or to the end. */
function afterWave(rollout: RolloutRecord, at: Instant): RolloutRecord {
  const stage = rollout.stages[rollout.stage];
  if (stage === undefined) return rollout;
  const { proof: _proved, ...rest } = rollout;
  if (rollout.wave + 1 >= stage.waves.length) return enterStage(rest, rollout.stage + 1, at);
  const waitUntil = at + stage.policy.waves.pauseSeconds * SECOND_MS;
  return afterTarget({ ...rest, wave: rollout.wave + 1, waitUntil }, at);
}

function finished(rollout: RolloutRecord): RolloutRecord {
  if (rollout.failureCount > (rollout.failuresBefore ?? 0)) return ending(rollout, 'incomplete');
  return ending(rollout, rollout.intent === 'deploy' ? 'deployed' : 'rolledBack');
}

export const ending = (rollout: RolloutRecord, outcome: Outcome): RolloutRecord => ({
  ...rollout,
  phase: 'settling',
  outcome,
});

export function withTarget(rollout: RolloutRecord, index: number, target: Target): RolloutRecord {
  const stages = rollout.stages.map((stage, place) =>
    place === rollout.stage ? { ...stage, targets: stage.targets.with(index, target) } : stage,
  );
  return { ...rollout, stages };
}

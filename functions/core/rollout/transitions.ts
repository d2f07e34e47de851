import { retryDelayMs } from '../backoff.ts';
import { ACCESS_DENIED, type FailureFacts } from '../errors.ts';
import { DAY_MS, HOUR_MS, type Instant, MINUTE_MS, SECOND_MS } from '../time.ts';
import { announceEnd } from './announcements.ts';
import type { RolloutAuthorship, RolloutHappening } from './happening.ts';
import {
  afterTarget,
  ending,
  enterStage,
  failureOf,
  keptEvidence,
  pending,
  planned,
  probed,
  proofFailed,
  targetFailed,
  withTarget,
} from './progress.ts';
import { FAILURES_KEPT, rolloutIdOf, type RolloutRecord, type Target } from './record.ts';
import { causeOf, noted } from './trail.ts';

/** After the first, second hold in a row the same version is tried again so much later; once a day from then on. */
const RETRY_MS = [HOUR_MS, 6 * HOUR_MS] as const;

/** A step of our own that fails so often in a row ends the roll-out where it is. */
const STUMBLES_TOLERATED = 8;

/** A deployment that could not be begun or asked about is asked again soon: its deadline ends it, not a count. */
const LONGEST_STUMBLE_MS = 5 * MINUTE_MS;

const ANY: readonly RolloutRecord['phase'][] = [
  'opened',
  'rolling',
  'restoring',
  'settling',
  'deployed',
  'held',
  'withdrawn',
];

/** Phases in which a happening is one. In any other it has been noted already: the answer to that write was lost. */
const EXPECTED: { readonly [E in RolloutHappening['event']]: readonly RolloutRecord['phase'][] } = {
  Planned: ['opened'],
  Waiting: ['rolling'],
  Advanced: ['rolling'],
  NotAdvanced: ['rolling'],
  TargetsIntended: ['rolling'],
  TargetWaiting: ['rolling'],
  TargetDone: ['rolling'],
  TargetStumbled: ['rolling'],
  TargetFailed: ['rolling', 'restoring', 'settling'],
  Probed: ['rolling'],
  ProofFailed: ['rolling'],
  Restored: ['restoring'],
  NotRestored: ['restoring'],
  Settled: ['settling'],
  RetryRequested: ['held'],
  Retried: ['held'],
  StepFailed: ANY,
  Announced: ANY,
};

/** The reducer: the roll-out after `happening`. */
export function applyRollout(
  rollout: RolloutRecord,
  happening: RolloutHappening,
  by: RolloutAuthorship,
): RolloutRecord {
  if (rolloutIdOf(rollout) !== by.of || !EXPECTED[happening.event].includes(rollout.phase)) return rollout;
  const { stumble: _passed, ...steady } = rollout;
  const next = reduce(
    happening.event === 'StepFailed' || happening.event === 'Announced' ? rollout : steady,
    happening,
    by.at,
  );
  const cause = causeOf(rollout, happening);
  return cause === undefined ? next : noted(next, { ...by, event: happening.event, cause, rollout: by.of });
}

function reduce(rollout: RolloutRecord, happening: RolloutHappening, at: Instant): RolloutRecord {
  switch (happening.event) {
    case 'Planned':
      return planned(rollout, happening.stages, at);
    case 'Waiting':
      return { ...rollout, waitUntil: happening.until };
    case 'Advanced':
      return { ...rollout, current: 'release', release: { ...rollout.release, generation: happening.generation } };
    case 'NotAdvanced':
      return {
        ...rollout,
        phase: 'held',
        hold: { count: rollout.hold?.count ?? 1, retryAt: rollout.release.notAfter },
      };
    case 'TargetsIntended':
      return happening.targets.reduce(
        (state, index) => withTarget(state, index, { state: 'intended', startedAt: at }),
        rollout,
      );
    case 'TargetWaiting':
      return pending(rollout, happening, { ticket: happening.ticket, checkAt: happening.checkAt }, at);
    case 'TargetDone':
      return afterTarget(withTarget(rollout, happening.target, { state: 'done' }), at);
    case 'TargetStumbled': {
      const { failure, target } = happening;
      const stumbles = (rollout.stages[rollout.stage]?.targets[target]?.stumbles ?? 0) + 1;
      const patienceMs = Math.max(
        (failure.retryAfterSeconds ?? 0) * SECOND_MS,
        Math.min(LONGEST_STUMBLE_MS, retryDelayMs(stumbles) / 4),
      );
      return pending(rollout, happening, { stumbles, checkAt: at + patienceMs }, at, failure);
    }
    case 'TargetFailed':
      return targetFailed(rollout, happening, at);
    case 'Probed':
      return probed(rollout, happening, at);
    case 'ProofFailed':
      return proofFailed(
        { ...rollout, evidence: keptEvidence(rollout.evidence, happening.evidence) },
        happening.failure,
        at,
      );
    case 'Restored':
      return restored(rollout, happening.generation, at);
    case 'NotRestored': {
      const [first, ...others] = rollout.failures;
      const message = `${first?.message ?? ''}; it stays as it is, since ${happening.why}`;
      const failures = [{ ...(first ?? { code: 'Unexpected' }), message }, ...others];
      return ending({ ...rollout, failures }, 'halted');
    }
    case 'Settled':
      return settled(rollout, at);
    case 'RetryRequested':
      return rollout.hold === undefined ? rollout : { ...rollout, hold: { ...rollout.hold, retryAt: at } };
    case 'Retried':
      return reopened({ ...rollout, run: rollout.run + 1 });
    case 'StepFailed':
      return stumbled(rollout, happening.failure, at);
    case 'Announced':
      return { ...rollout, outbox: [] };
  }
}

/** What a roll-out begins with, whichever time it is begun. */
export function reopened(rollout: RolloutRecord): RolloutRecord {
  const { waitUntil: _w, proof: _p, outcome: _o, hasNewHooks: _n, stumble: _s, failuresBefore: _f, ...rest } = rollout;
  return { ...rest, phase: 'opened', intent: 'deploy', stage: 0, wave: 0, evidence: [], failures: [], failureCount: 0 };
}

/** Every target that the new version may have reached gets the one before it, the last document first. */
function restored(rollout: RolloutRecord, generation: number, at: Instant): RolloutRecord {
  const { fallback, stages } = rollout;
  if (fallback === undefined) return rollout;
  const touched = stages.filter(({ targets }) => targets.some(isTouched)).toReversed();
  const back = touched.map((stage) => ({
    ...stage,
    waves: [stage.targets.length],
    targets: stage.targets.map((target): Target => ({ state: isTouched(target) ? 'waiting' : 'left' })),
  }));
  const { waitUntil: _w, proof: _p, ...rest } = rollout;
  const turned: RolloutRecord = {
    ...rest,
    run: rollout.run + 1,
    intent: 'rollback',
    failuresBefore: rollout.failureCount,
    phase: 'rolling',
    current: 'fallback',
    fallback: { ...fallback, generation },
    stages: back,
    evidence: [],
  };
  return enterStage(turned, 0, at);
}

const isTouched = ({ state }: Target): boolean => state !== 'waiting' && state !== 'left';

function settled(rollout: RolloutRecord, at: Instant): RolloutRecord {
  const { outcome, hold } = rollout;
  if (outcome === undefined) return rollout;
  if (outcome === 'deployed') {
    const { hold: _over, ...free } = rollout;
    const told = {
      ...free,
      phase: 'deployed' as const,
      outbox: [...rollout.outbox, announceEnd(rollout, outcome, undefined)],
    };
    return rollout.hasNewHooks === true ? reopened(told) : told;
  }
  const count = (hold?.count ?? 0) + 1;
  const retryAt = rollout.hasNewHooks === true ? at : at + (RETRY_MS[count - 1] ?? DAY_MS);
  return {
    ...rollout,
    phase: 'held',
    hold: { count, retryAt },
    outbox: [...rollout.outbox, announceEnd(rollout, outcome, retryAt)],
  };
}

/**
 * Whether trying again is of no use. A denial is not taken at its word at once: IAM takes a while to believe a changed policy,
 * and a fleet is not turned back for that.
 */
export const isFinal = ({ class: failureClass, code }: FailureFacts): boolean =>
  failureClass === 'permanent' && code !== ACCESS_DENIED;

/** Our own part could not be done. What only a person can mend, or fails again and again, ends it where it is. */
function stumbled(rollout: RolloutRecord, failure: FailureFacts, at: Instant): RolloutRecord {
  const count = (rollout.stumble?.count ?? 0) + 1;
  const { phase } = rollout;
  // The certificate has to be told, however often that takes; and half a roll-back is none.
  const isTriedOn = phase === 'settling' || (phase === 'restoring' && !isFinal(failure));
  if (!isTriedOn && (isFinal(failure) || count >= STUMBLES_TOLERATED)) {
    const { stumble: _over, ...rest } = rollout;
    const failures = [...rest.failures, failureOf(rest, failure)].slice(0, FAILURES_KEPT);
    return ending({ ...rest, failures, failureCount: rest.failureCount + 1 }, 'halted');
  }
  const patienceMs = Math.max((failure.retryAfterSeconds ?? 0) * SECOND_MS, Math.min(HOUR_MS, retryDelayMs(count) / 4));
  return { ...rollout, stumble: { count, tryAt: at + patienceMs } };
}

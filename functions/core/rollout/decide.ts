import type { Announcement } from '../events.ts';
import type { Instant } from '../time.ts';
import type { RolloutRecord, Stage, Target } from './record.ts';
import { waveRange } from './waves.ts';
import { nextOpening } from './window.ts';

/** Targets that one step works on: its work ends in good time before the worker's. */
export const STEP_TARGETS = 10;

/** The one thing to do next for a roll-out. Targets by their place in the stage's document. */
export type RolloutDecision =
  | { readonly do: 'rest' }
  | { readonly do: 'announce'; readonly announcements: readonly Announcement[] }
  /** Read the hooks' documents. */
  | { readonly do: 'plan' }
  | { readonly do: 'wait'; readonly until: Instant }
  /** Make the version that was taken back current again, before anything is deployed. */
  | { readonly do: 'advance' }
  | { readonly do: 'intend'; readonly targets: readonly number[] }
  | { readonly do: 'start'; readonly stage: Stage; readonly targets: readonly number[] }
  | { readonly do: 'check'; readonly stage: Stage; readonly targets: readonly number[] }
  /** Ask the endpoints of a wave that has ended what they serve. */
  | { readonly do: 'prove'; readonly stage: Stage; readonly isLastWave: boolean }
  /** Make the version before current again. */
  | { readonly do: 'restore' }
  /** Tell the certificate how it ended. */
  | { readonly do: 'settle' }
  | { readonly do: 'retry' };

/** Reads the roll-out and the clock; decides the next step. Any worker, after any crash, decides alike. */
export function decideRollout(rollout: RolloutRecord, now: Instant): RolloutDecision {
  if (rollout.outbox.length > 0) return { do: 'announce', announcements: rollout.outbox };
  if (rollout.stumble !== undefined && now < rollout.stumble.tryAt) return { do: 'rest' };
  switch (rollout.phase) {
    case 'opened':
      return { do: 'plan' };
    case 'rolling':
      return roll(rollout, now);
    case 'restoring':
      return { do: 'restore' };
    case 'settling':
      return { do: 'settle' };
    case 'held':
      return isRetried(rollout) && now >= (rollout.hold?.retryAt ?? Infinity) ? { do: 'retry' } : { do: 'rest' };
    case 'deployed':
    case 'withdrawn':
      return { do: 'rest' };
  }
}

/** One that has expired meanwhile is of no use to anybody: another one is on its way. */
const isRetried = ({ hold, release }: RolloutRecord): boolean =>
  hold?.retryAt !== undefined && hold.retryAt < release.notAfter;

function roll(rollout: RolloutRecord, now: Instant): RolloutDecision {
  const stage = rollout.stages[rollout.stage];
  if (stage === undefined) return { do: 'rest' };
  const { from, to } = waveRange(stage.waves, rollout.wave);
  const inState = (states: readonly Target['state'][], isDue: (target: Target) => boolean = () => true): number[] =>
    stage.targets.flatMap((target, index) => (states.includes(target.state) && isDue(target) ? [index] : []));
  const isDue = ({ checkAt }: Target): boolean => now >= (checkAt ?? 0);

  const due = inState(['running'], isDue);
  if (due.length > 0) return { do: 'check', stage, targets: due.slice(0, STEP_TARGETS) };
  const intended = inState(['intended'], isDue);
  if (intended.length > 0) return { do: 'start', stage, targets: intended.slice(0, STEP_TARGETS) };

  const underWay = inState(['intended', 'running']).length;
  const waiting = inState(['waiting']).filter((index) => index >= from && index < to);
  if (waiting.length > 0) return begin(rollout, stage, waiting.slice(0, stage.policy.concurrency - underWay), now);
  if (underWay > 0 || rollout.proof === undefined || now < rollout.proof.tryAt) return { do: 'rest' };
  return { do: 'prove', stage, isLastWave: rollout.wave === stage.waves.length - 1 };
}

/** What has begun is finished at any time; a roll-back waits for nothing. */
function begin(rollout: RolloutRecord, { policy }: Stage, targets: readonly number[], now: Instant): RolloutDecision {
  if (targets.length === 0) return { do: 'rest' };
  if (rollout.intent === 'deploy') {
    if (now < (rollout.waitUntil ?? 0)) return { do: 'rest' };
    const opening = policy.window === undefined ? now : nextOpening(policy.window, now);
    if (opening !== now) return opening === undefined ? { do: 'rest' } : { do: 'wait', until: opening };
    if (rollout.current === 'fallback') return { do: 'advance' };
  }
  return { do: 'intend', targets: targets.slice(0, STEP_TARGETS) };
}

/**
 * When the roll-out next wants a look: the key of its place in the due index. Undefined: never, unless something changes.
 * While a worker holds the lease it is not due, so that a tick does not send a second one after it.
 */
export function rolloutDueAt(rollout: RolloutRecord): Instant | undefined {
  const wanted = wantedAt(rollout);
  return wanted === undefined ? undefined : Math.max(wanted, rollout.lease?.expiresAt ?? -Infinity);
}

function wantedAt(rollout: RolloutRecord): Instant | undefined {
  const now = rollout.history.at(-1)?.at ?? 0;
  if (rollout.outbox.length > 0) return now;
  const atOnce = Math.max(now, rollout.stumble?.tryAt ?? -Infinity);
  switch (rollout.phase) {
    case 'opened':
    case 'restoring':
    case 'settling':
      return atOnce;
    case 'held':
      return isRetried(rollout) ? rollout.hold?.retryAt : undefined;
    case 'rolling':
      return Math.max(nextLook(rollout, now), rollout.stumble?.tryAt ?? -Infinity);
    case 'deployed':
    case 'withdrawn':
      return undefined;
  }
}

/** In the middle of a wave: when the first of its targets wants a look, or something can begin. */
function nextLook(rollout: RolloutRecord, now: Instant): Instant {
  const stage = rollout.stages[rollout.stage];
  if (stage === undefined) return now;
  const { from, to } = waveRange(stage.waves, rollout.wave);
  const underWay = stage.targets.filter(({ state }) => state === 'intended' || state === 'running');
  const looks = underWay.map(({ checkAt = now }) => checkAt);
  const hasRoom = underWay.length < stage.policy.concurrency;
  const isWaiting = stage.targets.some(({ state }, index) => state === 'waiting' && index >= from && index < to);
  if (isWaiting && hasRoom) looks.push(rollout.intent === 'deploy' ? (rollout.waitUntil ?? now) : now);
  if (!isWaiting && underWay.length === 0) looks.push(rollout.proof?.tryAt ?? now);
  return Math.min(...looks);
}

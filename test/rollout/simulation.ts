import { versionId } from '../../functions/core/certificate.ts';
import type { FailureFacts } from '../../functions/core/errors.ts';
import { decideRollout, rolloutDueAt } from '../../functions/core/rollout/decide.ts';
import { type HookRef, hookRef, type Policy } from '../../functions/core/rollout/hook-spec.ts';
import { openRollout } from '../../functions/core/rollout/open.ts';
import {
  type ReleaseFacts,
  rolloutIdOf,
  type RolloutRecord,
  type Stage,
  wantedRelease,
} from '../../functions/core/rollout/record.ts';
import type { RolloutHappening } from '../../functions/core/rollout/happening.ts';
import { applyRollout } from '../../functions/core/rollout/transitions.ts';
import { planWaves } from '../../functions/core/rollout/waves.ts';
import { DAY_MS, type Instant, MINUTE_MS, SECOND_MS } from '../../functions/core/time.ts';
import { id, NOON } from '../support/builders.ts';

export const aRelease = (generation: number, overrides: Partial<ReleaseFacts> = {}): ReleaseFacts => ({
  version: versionId.parse(`v${generation}`),
  generation,
  secretName: 'orders-tls',
  ref: 'arn:orders-tls',
  sha256Fingerprint: String(generation).padStart(64, '0'),
  notAfter: NOON + 90 * DAY_MS,
  publicKeySha256: `key${generation}`,
  dnsNames: ['orders.internal.example'],
  ipAddresses: [],
  trustAnchors: [],
  ...overrides,
});

export const HOOK: HookRef = hookRef.parse('payments/orders@0123456789ab');

export const aPolicy = (overrides: Partial<Policy> = {}): Policy => ({
  order: 0,
  waves: { canary: { count: 1 }, pauseSeconds: 0 },
  concurrency: 5,
  onFailure: 'rollback',
  progressDeadlineSeconds: 900,
  ...overrides,
});

export const aStage = (policy: Policy, targets: number, endpoints = 1, hook: HookRef = HOOK): Stage => ({
  hook,
  policy,
  endpoints,
  waves: planWaves(policy.waves, targets),
  targets: Array.from({ length: targets }, () => ({ state: 'waiting' as const })),
});

export const opened = (generation = 2, stored?: RolloutRecord): RolloutRecord =>
  openRollout(
    stored,
    { id: id('payments/orders'), hooks: [HOOK], release: aRelease(generation), fallback: aRelease(generation - 1) },
    { actor: 'issue', at: NOON },
  );

/** How one target takes a version: after so many looks, or not at all. */
export interface Fate {
  readonly looks: number;
  readonly ends: 'done' | 'failed' | 'never';
}

/** What really is, whatever the record believes: which version each target has, and what was begun. */
export class World {
  now: Instant = NOON;
  current: 'release' | 'fallback' = 'release';
  /** Version by `stage target`. */
  readonly has = new Map<string, string>();
  /** Versions that were begun, by roll-out id. */
  readonly begun = new Map<string, Set<string>>();
  readonly startedAt: Instant[] = [];
  mostUnderWay = 0;
  readonly #looks = new Map<string, number>();
  readonly #fate: (target: string, version: string) => Fate;
  readonly #isProved: () => boolean;
  readonly #stages: () => readonly Stage[];

  constructor(
    stages: () => readonly Stage[],
    fate: (target: string, version: string) => Fate,
    isProved: () => boolean = () => true,
  ) {
    this.#stages = stages;
    this.#fate = fate;
    this.#isProved = isProved;
  }

  /** Does what was decided, and answers what there is to be noted of it. */
  act(rollout: RolloutRecord): readonly RolloutHappening[] {
    const decision = decideRollout(rollout, this.now);
    switch (decision.do) {
      case 'rest':
        return [];
      case 'announce':
        return [{ event: 'Announced' }];
      case 'plan':
        return [{ event: 'Planned', stages: this.#stages() }];
      case 'wait':
        return [{ event: 'Waiting', until: decision.until }];
      case 'advance':
        this.current = 'release';
        return [{ event: 'Advanced', generation: rollout.release.generation + 2 }];
      case 'intend':
        return [{ event: 'TargetsIntended', targets: decision.targets }];
      case 'start':
      case 'check':
        return decision.targets.map((target) => this.#ask(rollout, decision.stage, target, decision.do));
      case 'prove': {
        const served = this.#isProved();
        return [{ event: 'Probed', next: served ? decision.stage.endpoints : 0, served, evidence: [] }];
      }
      case 'restore':
        this.current = 'fallback';
        return [{ event: 'Restored', generation: rollout.release.generation + 1 }];
      case 'settle':
        return [{ event: 'Settled' }];
      case 'retry':
        return [{ event: 'Retried' }];
    }
  }

  #ask(rollout: RolloutRecord, { hook }: Stage, target: number, doing: 'start' | 'check'): RolloutHappening {
    const rolloutId = rolloutIdOf(rollout);
    const { version } = wantedRelease(rollout);
    const key = `${hook} ${target}`;
    const attempt = `${rolloutId} ${key}`;
    const versions = this.begun.get(rolloutId) ?? new Set();
    this.begun.set(rolloutId, versions.add(version));
    if (doing === 'start' && !this.#looks.has(attempt)) this.startedAt.push(this.now);
    const looks = (this.#looks.get(attempt) ?? -1) + 1;
    this.#looks.set(attempt, looks);
    const { looks: needed, ends } = this.#fate(key, version);
    const about = { target, name: key };
    const underWay = (rollout.stages[rollout.stage]?.targets ?? []).filter(
      ({ state }) => state === 'running' || state === 'intended',
    );
    this.mostUnderWay = Math.max(this.mostUnderWay, underWay.length);
    if (looks < needed || ends === 'never') {
      return { event: 'TargetWaiting', ...about, ticket: { deployment: attempt }, checkAt: this.now + MINUTE_MS };
    }
    if (ends === 'failed') return { event: 'TargetFailed', ...about, failure: UNDONE };
    this.has.set(key, version);
    return { event: 'TargetDone', ...about };
  }
}

export const UNDONE: FailureFacts = { class: 'permanent', code: 'DeploymentUndone', message: 'it was taken back' };

export const noted = (rollout: RolloutRecord, happenings: readonly RolloutHappening[], at: Instant): RolloutRecord =>
  happenings.reduce(
    (state, happening) => applyRollout(state, happening, { actor: 'deploy', at, of: rolloutIdOf(state) }),
    rollout,
  );

/** Works until the roll-out rests for good, or is held. Answers it, and how many steps that took. */
export function finish(
  start: RolloutRecord,
  world: World,
  onStep: (rollout: RolloutRecord) => void = () => {},
): { readonly rollout: RolloutRecord; readonly steps: number } {
  let rollout = start;
  for (let steps = 0; steps < 20_000; steps++) {
    const happenings = world.act(rollout);
    rollout = noted(rollout, happenings, world.now);
    onStep(rollout);
    if (happenings.length > 0) continue;
    const due = rolloutDueAt(rollout);
    if (due === undefined || rollout.phase === 'held') return { rollout, steps };
    world.now = Math.max(world.now + SECOND_MS, due);
  }
  throw new Error(`never at rest: ${rollout.phase}`);
}

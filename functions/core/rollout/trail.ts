import type { RolloutHappening } from './happening.ts';
import { ROLLOUT_HISTORY_LIMIT, type RolloutRecord } from './record.ts';

/** Adds a line to the trail. */
export function noted(
  rollout: RolloutRecord,
  { at, actor, event, cause, rollout: id }: RolloutRecord['history'][number],
): RolloutRecord {
  return {
    ...rollout,
    history: [...rollout.history, { at, actor, event, cause, rollout: id }].slice(-ROLLOUT_HISTORY_LIMIT),
  };
}

/** What the trail says of it; undefined: nothing, since it is no news or there are too many of its kind. */
export function causeOf(rollout: RolloutRecord, happening: RolloutHappening): string | undefined {
  switch (happening.event) {
    case 'Planned': {
      const targets = happening.stages.reduce((sum, stage) => sum + stage.targets.length, 0);
      return `${happening.stages.length} hooks, ${targets} targets`;
    }
    case 'Waiting':
      return 'for the maintenance window';
    case 'Advanced':
      return `generation ${happening.generation}`;
    case 'TargetFailed':
      return `${happening.name}: ${happening.failure.code}: ${happening.failure.message}`;
    case 'TargetDone':
    case 'TargetWaiting':
    case 'TargetStumbled':
    case 'TargetsIntended':
    case 'Announced':
      return undefined;
    case 'Probed':
      return happening.served && happening.next >= (rollout.stages[rollout.stage]?.endpoints ?? 0)
        ? `wave ${rollout.wave + 1} of ${rollout.stages[rollout.stage]?.hook ?? ''} is proved`
        : undefined;
    case 'ProofFailed':
    case 'StepFailed':
      return `${happening.failure.code}: ${happening.failure.message}`;
    case 'Restored':
      return `generation ${happening.generation}: the version before is current`;
    case 'NotRestored':
    case 'NotAdvanced':
      return happening.why;
    case 'Settled':
      return rollout.outcome ?? '';
    case 'RetryRequested':
      return `requested by ${happening.by}`;
    case 'Retried':
      return `held ${rollout.hold?.count ?? 0} times`;
  }
}

import type { RolloutDecision } from '../core/rollout/decide.ts';
import type { Shift } from '../core/shift.ts';
import type { RolloutLedger } from './ledger.ts';
import type { DeployParts } from './parts.ts';
import { planStages } from './plan.ts';
import { prove } from './prove.ts';
import { advance, restore, settle } from './reversal.ts';
import { checkTargets, startTargets } from './targets.ts';

type Doing = Exclude<RolloutDecision['do'], 'rest'>;
type Perform<D extends Doing> = (
  decision: Extract<RolloutDecision, { do: D }>,
  ledger: RolloutLedger,
  parts: DeployParts,
  shift: Shift,
) => Promise<void>;

/** Steps that touch nothing but the ledger: what they note need not be durable before the next one. */
export const isEffect = ({ do: step }: RolloutDecision): boolean =>
  step !== 'intend' && step !== 'wait' && step !== 'retry';

/** Does the one thing that was decided, and notes what came of it. */
export function perform(
  decision: Exclude<RolloutDecision, { do: 'rest' }>,
  ledger: RolloutLedger,
  parts: DeployParts,
  shift: Shift,
): Promise<void> {
  const act = STEPS[decision.do] as Perform<Doing>;
  return act(decision, ledger, parts, shift);
}

/** The journey, in its order. */
const STEPS: { readonly [D in Doing]: Perform<D> } = {
  announce: async ({ announcements }, ledger, { bus }) => {
    await bus.publish(announcements);
    ledger.happened({ event: 'Announced' });
  },

  plan: async (_decision, ledger, parts) => {
    ledger.happened({ event: 'Planned', stages: await planStages(ledger.record, parts) });
  },

  wait: async ({ until }, ledger) => {
    ledger.happened({ event: 'Waiting', until });
    // No effect follows that would save it.
    await ledger.save();
  },

  advance: (_decision, ledger, parts, shift) => advance(ledger, parts, shift),

  intend: async ({ targets }, ledger) => {
    ledger.happened({ event: 'TargetsIntended', targets });
  },

  start: startTargets,

  check: checkTargets,

  prove,

  restore: (_decision, ledger, parts, shift) => restore(ledger, parts, shift),

  settle: (_decision, ledger, parts, shift) => settle(ledger, parts, shift),

  retry: async (_decision, ledger) => {
    ledger.happened({ event: 'Retried' });
  },
};

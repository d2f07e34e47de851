import { type Claim, RecordLedger } from '../core/ledger.ts';
import type { Versioned } from '../core/ports.ts';
import type { RolloutHappening } from '../core/rollout/happening.ts';
import { type RolloutRecord, rolloutIdOf, type RolloutTransition } from '../core/rollout/record.ts';
import { applyRollout } from '../core/rollout/transitions.ts';
import type { DeployParts } from './parts.ts';

export const ACTOR = 'deploy';

/** What happened, and to which roll-out: another one may have taken its place by the time it is written. */
type Noted = readonly [of: string, happening: RolloutHappening];

/** The deploying worker's hold on one roll-out. */
export class RolloutLedger extends RecordLedger<RolloutTransition, RolloutRecord, Noted> {
  constructor(parts: DeployParts, stored: Versioned<RolloutRecord>, claim: Claim) {
    const { inventory, clock, log } = parts;
    super(
      {
        read: (id) => inventory.readRollout(id),
        write: (record, revision) => inventory.writeRollout(record, revision),
        apply: (record, [of, happening], at) => applyRollout(record, happening, { actor: ACTOR, at, of }),
      },
      stored,
      claim,
      clock,
      ({ at, ...transition }) =>
        log('transition', { certificate: stored.value.id, ...transition, at: new Date(at).toISOString() }),
    );
  }

  /** Notes what happened to the roll-out as it is now. Durable after the next {@link save}. */
  happened(happening: RolloutHappening): void {
    this.note([rolloutIdOf(this.record), happening]);
  }
}

import type { CertificateId } from '../../functions/core/certificate.ts';
import type { Inventory } from '../../functions/core/ports.ts';
import { rolloutIdOf, type RolloutRecord } from '../../functions/core/rollout/record.ts';
import { applyRollout } from '../../functions/core/rollout/transitions.ts';
import type { CertificateRecord } from '../../functions/core/record.ts';
import { standingOf } from '../../functions/core/standing.ts';
import { type Outcome, rewrite } from './change.ts';
import type { Person } from './person.ts';

/** Its last deployment came to nothing, and it is held. */
export const isUndeployed = (record: CertificateRecord): boolean => standingOf(record).isUndeployed;

/** Has a version that is held deployed again at once, under the person's own name. */
export const retryRollout = (
  inventory: Inventory,
  id: CertificateId,
  { arn, clock }: Pick<Person, 'arn' | 'clock'>,
): Promise<Outcome<RolloutRecord>> =>
  rewrite(
    { read: () => inventory.readRollout(id), write: (record, revision) => inventory.writeRollout(record, revision) },
    (rollout) =>
      rollout.phase === 'held'
        ? applyRollout(
            rollout,
            { event: 'RetryRequested', by: arn },
            { actor: arn, at: clock(), of: rolloutIdOf(rollout) },
          )
        : 'nothing of it is held',
  );

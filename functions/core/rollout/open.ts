import type { CertificateId } from '../certificate.ts';
import type { Instant } from '../time.ts';
import type { HookRef } from './hook-spec.ts';
import { type ReleaseFacts, rolloutIdOf, type RolloutRecord } from './record.ts';
import { noted } from './trail.ts';
import { reopened } from './transitions.ts';

/** What a certificate wants of its roll-out. */
export interface Wanted {
  readonly id: CertificateId;
  readonly hooks: readonly HookRef[];
  readonly release: ReleaseFacts;
  readonly fallback: ReleaseFacts | undefined;
}

/**
 * The roll-out as the certificate wants it: a first one; another one in the place of an older version's; the same one with
 * other hooks; or none any more. `stored` itself where it is so already. A worker that is at it finds out at its next write.
 */
export function openRollout(
  stored: RolloutRecord | undefined,
  wanted: Wanted,
  by: { readonly actor: string; readonly at: Instant },
): RolloutRecord {
  const line = (rollout: RolloutRecord, event: string, cause: string): RolloutRecord =>
    noted(rollout, { ...by, event, cause, rollout: rolloutIdOf(rollout) });
  const hooks = [...wanted.hooks];
  if (stored === undefined) return line(first(wanted), 'Opened', `generation ${wanted.release.generation}`);
  if (hooks.length === 0)
    return line({ ...reopened(stored), hooks, stages: [], phase: 'withdrawn' }, 'Withdrawn', 'no hook is left');
  if (isAnother(stored, wanted) || isForgotten(stored)) {
    const { hold: _over, fallback: _former, ...rest } = stored;
    const fallback = isAnother(stored, wanted) ? wanted.fallback : undefined;
    const next = { ...first({ ...wanted, fallback }), ...pick(rest), run: stored.run + 1 };
    return line(
      next,
      'Opened',
      `generation ${wanted.release.generation}, in the place of ${stored.release.generation}`,
    );
  }
  if (stored.phase !== 'withdrawn' && hooks.join() === stored.hooks.join()) return stored;
  const changed = { ...stored, hooks };
  // Whoever is bringing the version before back has to finish that first.
  const isTurningBack = stored.intent === 'rollback' && stored.phase !== 'held';
  if (isTurningBack || stored.phase === 'restoring' || stored.phase === 'settling') {
    return line({ ...changed, hasNewHooks: true }, 'HooksChanged', 'to be tried again when this is over');
  }
  // What failed is to be deployed anew; what went well so far is the same roll-out.
  const run = stored.phase === 'held' ? stored.run + 1 : stored.run;
  return line(reopened({ ...changed, run }), 'HooksChanged', 'in the manifest');
}

/** After a roll-back the certificate's own version is the one before: that is no other release. */
const isAnother = ({ release, fallback, current }: RolloutRecord, wanted: Wanted): boolean =>
  wanted.release.version !== (current === 'fallback' ? fallback?.version : release.version);

/**
 * Rolled back, and then left by its last hook: the certificate holds nothing any more. What is to be served is its own version,
 * and the one before, which was undone, is nothing to go back to.
 */
const isForgotten = ({ phase, current }: RolloutRecord): boolean => phase === 'withdrawn' && current === 'fallback';

const first = ({ id, hooks, release, fallback }: Wanted): RolloutRecord => ({
  id,
  run: 1,
  intent: 'deploy',
  phase: 'opened',
  release,
  ...(fallback === undefined ? {} : { fallback }),
  current: 'release',
  hooks: [...hooks],
  stages: [],
  stage: 0,
  wave: 0,
  evidence: [],
  failures: [],
  failureCount: 0,
  outbox: [],
  history: [],
});

/** What outlives the roll-out that it happened to. */
const pick = ({ lease, outbox, history }: RolloutRecord): Partial<RolloutRecord> => ({
  ...(lease === undefined ? {} : { lease }),
  outbox,
  history,
});

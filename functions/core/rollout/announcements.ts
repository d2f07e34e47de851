import type { Announcement } from '../events.ts';
import type { Instant } from '../time.ts';
import type { Outcome, ReleaseFacts, RolloutRecord } from './record.ts';

/** What is told of a roll-out's end. One event an end, with the reason and what was seen. */
export function announceEnd(rollout: RolloutRecord, outcome: Outcome, nextTryAt: Instant | undefined): Announcement {
  const current = rollout.current === 'fallback' && rollout.fallback !== undefined ? rollout.fallback : rollout.release;
  const common = {
    schemaVersion: '1' as const,
    certificate: rollout.id,
    ...factsOf(current),
    evidence: rollout.evidence,
  };
  const retry = nextTryAt === undefined ? {} : { nextTryAt };
  const failure = rollout.failures[0] ?? { code: 'Unexpected', message: 'the reason was not kept' };
  const targets = countTargets(rollout);
  switch (outcome) {
    case 'deployed': {
      const proof = rollout.stages.some(({ endpoints }) => endpoints > 0) ? 'served' : 'reported';
      return { type: 'Certificate Deployed', detail: { ...common, targets: targets.all, proof } };
    }
    case 'rolledBack': {
      const { generation, version, sha256Fingerprint } = rollout.release;
      const undone = { generation, version, sha256Fingerprint };
      return {
        type: 'Certificate Rolled Back',
        detail: { ...common, undone, failure, targets: targets.all, ...retry },
      };
    }
    default: {
      const counts = { failures: rollout.failureCount, targetsDone: targets.done, targets: targets.all };
      return { type: 'Certificate Deployment Failed', detail: { ...common, outcome, failure, ...counts, ...retry } };
    }
  }
}

const factsOf = ({ generation, ref, version, sha256Fingerprint, notAfter }: ReleaseFacts) => ({
  generation,
  store: { kind: 'SecretsManager', ref, version },
  sha256Fingerprint,
  notAfter,
});

/** Those that the roll-out is about, and those that have what is wanted. */
function countTargets(rollout: RolloutRecord): { readonly all: number; readonly done: number } {
  const states = rollout.stages.flatMap(({ targets }) => targets.map(({ state }) => state));
  return {
    all: states.filter((state) => state !== 'left').length,
    done: states.filter((state) => state === 'done').length,
  };
}

import type { Evidence } from '../../../functions/core/rollout/evidence.ts';
import { toTimestamp } from '../../../functions/core/time.ts';
import type { ServedAt } from '../deploy-targets.ts';
import type { Published } from '../rehearsal.ts';
import type { Tally } from './handshakes.ts';

/** One endpoint, as its clients saw it. */
export interface ServedRow {
  readonly certificate: string;
  readonly target: string;
  /** Verified handshakes. */
  readonly handshakes: number;
  /** Of the leaf that was seen last. */
  readonly sha256Fingerprint: string;
  /** For each rotation that was served. */
  readonly servedAfterMs: readonly number[];
}

/** One roll-back, with its evidence. */
export interface RolledBackRow {
  readonly certificate: string;
  readonly target: string;
  readonly event: 'Certificate Rolled Back';
  readonly failure: { readonly code: string; readonly message: string };
  /** What was to be served. */
  readonly expected: { readonly generation: number; readonly sha256Fingerprint: string };
  /** What is served in its place. */
  readonly putBack: { readonly generation: number; readonly version: string; readonly sha256Fingerprint: string };
  /** What each address answered afterwards, to the prober. */
  readonly evidence: readonly Evidence[];
  /** How often clients saw either, over the whole run. */
  readonly seenByClients: { readonly expected: number; readonly putBack: number };
  readonly nextTryAt?: string;
}

type Rotation = Extract<Published['announcement'], { type: 'Certificate Rotated' }>['detail'] & { wallMs: number };

/** Each once, as it was told first: events may be told again. */
export function rotationsIn(published: readonly Published[]): readonly Rotation[] {
  const rotations = new Map<string, Rotation>();
  for (const { announcement, wallMs } of published) {
    if (announcement.type !== 'Certificate Rotated') continue;
    const { certificate, generation } = announcement.detail;
    const key = `${certificate}#${generation}`;
    if (!rotations.has(key)) rotations.set(key, { ...announcement.detail, wallMs });
  }
  return [...rotations.values()];
}

export function servedRows(
  servedAt: readonly ServedAt[],
  published: readonly Published[],
  { leaves }: Tally,
): readonly ServedRow[] {
  const rotations = rotationsIn(published);
  return servedAt.map(({ certificate, target }) => {
    const seen = leaves[target] ?? [];
    const servedAfterMs = rotations.flatMap(({ certificate: id, sha256Fingerprint, wallMs }) => {
      const index = seen.findIndex((leaf) => leaf.sha256Fingerprint === sha256Fingerprint);
      const leaf = seen[index];
      if (id !== certificate || leaf === undefined) return [];
      const former = seen.slice(0, index).map(({ lastSeenAt }) => lastSeenAt);
      return [Math.max(leaf.firstSeenAt, ...former) - wallMs];
    });
    const latest = seen.toSorted((a, b) => a.lastSeenAt - b.lastSeenAt).at(-1);
    return {
      certificate,
      target,
      handshakes: seen.reduce((sum, { handshakes }) => sum + handshakes, 0),
      sha256Fingerprint: latest?.sha256Fingerprint ?? '',
      servedAfterMs,
    };
  });
}

export function rolledBackRows(
  servedAt: readonly ServedAt[],
  published: readonly Published[],
  { leaves }: Tally,
): readonly RolledBackRow[] {
  return published.flatMap(({ announcement: { type, detail } }): RolledBackRow[] => {
    if (type !== 'Certificate Rolled Back') return [];
    const { certificate, generation, sha256Fingerprint, store, failure, undone, evidence, nextTryAt } = detail;
    const target = servedAt.find((each) => each.certificate === certificate)?.target ?? failure.target ?? '';
    const times = (fingerprint: string): number =>
      leaves[target]?.find((leaf) => leaf.sha256Fingerprint === fingerprint)?.handshakes ?? 0;
    return [
      {
        certificate,
        target,
        event: type,
        failure: { code: failure.code, message: failure.message },
        expected: { generation: undone.generation, sha256Fingerprint: undone.sha256Fingerprint },
        putBack: { generation, version: store.version, sha256Fingerprint },
        evidence,
        seenByClients: { expected: times(undone.sha256Fingerprint), putBack: times(sha256Fingerprint) },
        ...(nextTryAt === undefined ? {} : { nextTryAt: toTimestamp(nextTryAt) }),
      },
    ];
  });
}

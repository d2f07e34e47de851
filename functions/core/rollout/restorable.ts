import type { CertificateRecord, CurrentVersion } from '../record.ts';
import { DAY_MS, formatSeconds, type Instant, SECOND_MS } from '../time.ts';
import type { ReleaseFacts } from './record.ts';

/**
 * What a repair takes: time for somebody to see what was wrong and for the same version to be tried again. A day; a tenth of
 * a lifetime under ten days.
 */
export const repairMs = (durationSeconds: number): number => Math.min(DAY_MS, (durationSeconds * SECOND_MS) / 10);

/** Why the version before cannot come back; undefined: it can. The ledger names it: never a label, which says what was before. */
export function whyNotRestorable(
  record: CertificateRecord,
  { release, fallback }: { readonly release: ReleaseFacts; readonly fallback?: ReleaseFacts | undefined },
  now: Instant,
): string | undefined {
  const { previous, current } = record;
  if (fallback === undefined || previous === undefined) return 'there is no version before it';
  if (previous.version !== fallback.version) return 'the ledger names another version than this roll-out knows of';
  if (fallback.secretName !== release.secretName) return 'the version before it is in another secret';
  if (isRevoked(previous)) return 'the version before it is revoked';
  if (isRevoked(current) && fallback.publicKeySha256 === release.publicKeySha256) {
    return 'the version before it has the key of one that is revoked';
  }
  const leftMs = previous.leaf.notAfter - now;
  if (leftMs <= 0) return 'the version before it has expired';
  const needsMs = repairMs(record.spec.durationSeconds);
  if (leftMs >= needsMs) return undefined;
  const [left, needs] = [leftMs, needsMs].map((ms) => formatSeconds(ms / SECOND_MS));
  return `the version before it expires in ${left}, and a repair takes ${needs}`;
}

/** Why the version that was taken back is not tried again; undefined: it may be. */
export const whyNotAdvanced = (
  { previous }: CertificateRecord,
  { release }: { readonly release: ReleaseFacts },
): string | undefined =>
  previous?.version === release.version && isRevoked(previous) ? 'somebody has asked for its revocation' : undefined;

const isRevoked = (version: CurrentVersion | undefined): boolean => version?.revocation !== undefined;

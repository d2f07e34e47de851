import { type Standing, standing, standingOf } from '../core/standing.ts';
import type { CertificateRecord } from '../core/record.ts';
import { toTimestamp } from '../core/time.ts';
import * as z from 'zod/mini';

/**
 * Name of the index that a look at the whole fleet reads: every certificate that is renewed, or that somebody waits to see revoked,
 * by expiry, without its ledger.
 */
export const FLEET_INDEX = 'fleet';

/** What the index holds beside its keys. */
export const STANDING = 'standing';

/** Sorts before every instant: never issued, nothing expires. */
const NEVER = '-';

/** The attributes that put a record into the index; none for one that is retired and done with. Its partitions are those of the due index. */
export function fleetKeys(record: CertificateRecord): { expiresAt?: string; [STANDING]?: z.input<typeof standing> } {
  const now = standingOf(record);
  if (now.isRetired && now.isRevocationFailing !== true) return {};
  return {
    expiresAt: now.inUse === undefined ? NEVER : toTimestamp(now.inUse.notAfter),
    [STANDING]: z.encode(standing, now),
  };
}

/** Undefined for a stranger's item: it must not hide how all the others are doing. */
export function readStanding(attribute: unknown): Standing | undefined {
  return z.safeDecode(standing, attribute as z.input<typeof standing>).data;
}

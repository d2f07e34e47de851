import * as z from 'zod/mini';
import { certificateId } from './certificate.ts';
import { dueReason } from './decide.ts';
import { type CertificateRecord, renewAt } from './record.ts';
import { isRevocationFailing } from './revocations.ts';
import { type Instant, instant } from './time.ts';

/** How a certificate stands, as far as time alone does not tell: what a look at the whole fleet needs of its record. */
export const standing = z.object({
  certificate: certificateId,
  /** Removed from the manifest, or only watched: nobody renews it. */
  isRetired: z.boolean(),
  /** The oldest thing that its record knows of it. */
  knownSince: instant,
  /** Of what is in use; absent where nothing was ever issued. */
  inUse: z.optional(z.object({ notBefore: instant, notAfter: instant, renewAt: instant })),
  /** A successor is under way, or wanted whatever the time. */
  isWanted: z.boolean(),
  /** The last deployment came to nothing: what is served is another version, or nobody knows. */
  isUndeployed: z.boolean(),
  /** A CA has refused again and again to revoke a leaf, and will be asked on. */
  isRevocationFailing: z.optional(z.boolean()),
  /** In a row; `code` of the last one. */
  failures: z.object({ count: z.number(), blocked: z.boolean(), code: z.optional(z.string()) }),
});
export type Standing = z.infer<typeof standing>;

export function standingOf(record: CertificateRecord): Standing {
  const { id, origin, retiredAt, attempt, current, failures, history, held, rollout } = record;
  const { count, blocked, last } = failures;
  return {
    certificate: id,
    isRetired: retiredAt !== undefined || origin !== 'managed',
    knownSince: history[0]?.at ?? 0,
    isWanted: attempt !== undefined || dueReason(record, -Infinity) !== undefined,
    isUndeployed: held !== undefined || rollout?.state === 'halted' || rollout?.state === 'incomplete',
    ...(isRevocationFailing(record) ? { isRevocationFailing: true } : {}),
    failures: { count, blocked, ...(count === 0 || last === undefined ? {} : { code: last.code }) },
    ...(current === undefined
      ? {}
      : {
          inUse: {
            notBefore: current.leaf.notBefore,
            notAfter: current.leaf.notAfter,
            renewAt: Math.floor(renewAt(record, current)),
          },
        }),
  };
}

/** In one word for people and scripts, the worst that is true. */
export type CertificateState =
  'expired' | 'blocked' | 'failing' | 'not issued' | 'not deployed' | 'renewing' | 'current' | 'retired';

export function stateOf(
  { isRetired, inUse, isWanted, isUndeployed, failures }: Standing,
  now: Instant,
): CertificateState {
  if (isRetired) return 'retired';
  if (inUse !== undefined && inUse.notAfter <= now) return 'expired';
  if (failures.blocked) return 'blocked';
  if (failures.count > 0) return 'failing';
  if (inUse === undefined) return 'not issued';
  if (isUndeployed) return 'not deployed';
  return isWanted || inUse.renewAt <= now ? 'renewing' : 'current';
}

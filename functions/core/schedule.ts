import { createHash } from 'node:crypto';
import type { CertificateId, LeafFacts, RenewBefore } from './certificate.ts';
import { DAY_MS, HOUR_MS, type Instant } from './time.ts';

/** Below this lifetime half is left when renewal begins, above it a third: what Let's Encrypt's ARI windows do, too. */
export const SHORT_LIFETIME_MS = 10 * DAY_MS;

/** Renewals spread over ± this share of the lifetime, so that what was issued together is not renewed together. */
const JITTER_SHARE = 0.01;

/** However late the CA would like it: this share of the lifetime is kept for what may go wrong. */
const RESERVED_SHARE = 1 / 10;

/** What the CA wishes for one leaf (RFC 9773). */
export interface Suggestion {
  /** One instant of its window. */
  readonly at: Instant;
  /** True when it called back the leaf before this one, too, when that was hardly made. */
  readonly isRepeated: boolean;
}

export interface RenewalPlan {
  readonly renewAt: Instant;
  /** Set when the manifest's wish could not be kept, in words for a person. */
  readonly warning?: string;
}

/**
 * When a leaf is to be renewed: the earlier of the manifest's wish and the CA's. All of it follows from the leaf's real
 * lifetime, not from the one asked for.
 *
 * The lifetime counts from the later of `notBefore` and `issuedAt`: CAs backdate (ACM PCA by an hour), and a leaf that
 * was only just made is never due.
 */
export function planRenewal(
  certificate: CertificateId,
  leaf: LeafFacts,
  issuedAt: Instant,
  wish: RenewBefore | undefined,
  suggested?: Suggestion,
): RenewalPlan {
  const start = Math.max(leaf.notBefore, issuedAt);
  const lifetimeMs = leaf.notAfter - start;
  const byCa = suggested === undefined ? undefined : withinReason(suggested, start, leaf.notAfter);
  const byDefault = byCa ?? start + defaultRenewalOffsetMs(certificate, leaf, lifetimeMs);
  if (wish === undefined) return { renewAt: byDefault };

  const wishedMs = 'seconds' in wish ? wish.seconds * 1_000 : (lifetimeMs * wish.percentage) / 100;
  if (wishedMs > 0 && wishedMs < lifetimeMs) {
    return { renewAt: Math.min(leaf.notAfter - wishedMs, byCa ?? Infinity) };
  }
  return {
    renewAt: byDefault,
    warning:
      `renewBefore (${Math.round(wishedMs / 1_000)} s) is not shorter than the lifetime the CA gave ` +
      `(${Math.round(lifetimeMs / 1_000)} s); renewing at the default share of the lifetime instead`,
  };
}

/**
 * A CA that is wrong about its own leaves must not make them expire, nor make new ones due as soon as they are there: within
 * an hour of its making (a tenth of a short life) no leaf is renewed at the CA's wish. One that calls back leaf after leaf, as
 * with an answer that is stale, is followed once a day.
 */
function withinReason({ at, isRepeated }: Suggestion, start: Instant, notAfter: Instant): Instant {
  const lifetimeMs = notAfter - start;
  const reservedMs = lifetimeMs * RESERVED_SHARE;
  const graceMs = isRepeated ? hastyMs(lifetimeMs) : Math.min(HOUR_MS, reservedMs);
  return Math.min(Math.max(at, start + graceMs), notAfter - reservedMs);
}

/**
 * When something else than a version that cannot be deployed is ordered all the same: at its own renewal, or when what is
 * served comes to the share of its life that is kept for what may go wrong; never before a repair had its time.
 */
export function issueAnewAt(
  { renewAt, served, now }: { readonly renewAt: Instant; readonly served: LeafFacts; readonly now: Instant },
  repairMs: number,
): Instant {
  const reservedMs = (served.notAfter - served.notBefore) * RESERVED_SHARE;
  return Math.max(Math.min(renewAt, served.notAfter - reservedMs), now + repairMs);
}

/** A CA that wishes for a leaf's successor so soon after its making calls it back. */
export const hastyMs = (lifetimeMs: number): number => Math.min(DAY_MS, lifetimeMs / 4);

function defaultRenewalOffsetMs(certificate: CertificateId, leaf: LeafFacts, lifetimeMs: number): number {
  const share = lifetimeMs < SHORT_LIFETIME_MS ? 1 / 2 : 2 / 3;
  return Math.max(1, lifetimeMs * (share + JITTER_SHARE * signedUnit(`${certificate}#${leaf.sha256Fingerprint}`)));
}

/** A number in [-1, 1) that depends on the seed alone, so that every look at one leaf gives one answer. */
export function signedUnit(seed: string): number {
  return createHash('sha256').update(seed).digest().readUInt32BE(0) / 2 ** 31 - 1;
}

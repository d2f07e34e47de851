import * as z from 'zod/mini';
import {
  attemptId,
  certificateId,
  certificateSpec,
  issuerRef,
  leafFacts,
  revocationReason,
  versionId,
} from './certificate.ts';
import { announcement, renewalReason } from './events.ts';
import { hookRef } from './rollout/hook-spec.ts';
import { hastyMs, planRenewal, type Suggestion } from './schedule.ts';
import { instant, type Instant } from './time.ts';

/** What a CA wishes for a leaf (RFC 9773), as of the last look. */
export const renewalInfo = z.object({
  /** When to ask again. */
  checkAt: instant,
  window: z.optional(z.object({ start: instant, end: instant })),
  /** One instant of the window, drawn when the window was first seen: looks that come too seldom cannot miss it. */
  renewAt: z.optional(instant),
});

/** What consumers read now. */
export const currentVersion = z.looseObject({
  version: versionId,
  /** The secret that holds it: a changed `secretName` leaves the old one as it is. */
  secretName: z.string(),
  /** Who signed it: ARI and revocation ask that CA, whatever the manifest says by then. */
  issuerRef,
  leaf: leafFacts,
  specDigest: z.string(),
  /** When it was asked for: leaves may be backdated. */
  issuedAt: instant,
  /** Under which account of the CA. */
  account: z.optional(z.string()),
  /** Absent where the CA has no such wishes. */
  renewalInfo: z.optional(renewalInfo),
  /** Somebody asked for its end: it is replaced first, and nothing ever goes back to it. */
  revocation: z.optional(z.object({ reason: revocationReason, requestedAt: instant, revokedAt: z.optional(instant) })),
});
export type CurrentVersion = z.infer<typeof currentVersion>;

/** A version as consumers read it from `at` on, of what is known of its making. A CA with wishes is asked for them at once. */
export function versionInUse(
  made: Pick<CurrentVersion, 'version' | 'secretName' | 'issuerRef' | 'leaf' | 'specDigest' | 'issuedAt'> & {
    readonly account?: string | undefined;
    readonly offersRenewalInfo?: boolean | undefined;
  },
  at: Instant,
): CurrentVersion {
  const { version, secretName, issuerRef, leaf, specDigest, issuedAt, account, offersRenewalInfo } = made;
  return {
    version,
    secretName,
    issuerRef,
    leaf,
    specDigest,
    issuedAt,
    ...(account === undefined ? {} : { account }),
    ...(offersRenewalInfo === true ? { renewalInfo: { checkAt: at } } : {}),
  };
}

/** The roll-out that was opened last: for which generation, with which hooks, and how it stands. */
export const rolloutState = z.object({
  generation: z.int(),
  hooks: z.array(hookRef),
  state: z.enum(['underWay', 'deployed', 'rolledBack', 'halted', 'incomplete']),
  at: instant,
});

/**
 * A version that could not be deployed. It is tried again before another one is ordered: otherwise each tick would order, for
 * ever, what cannot be served.
 */
export const held = z.looseObject({
  version: currentVersion,
  since: instant,
  /** When another one is ordered all the same, since expiry comes near. */
  issueAt: instant,
  /** Why, for people. */
  cause: z.string(),
});
export type Held = z.infer<typeof held>;

const attemptBase = {
  id: attemptId,
  reason: renewalReason,
  startedAt: instant,
  /** When the request was made that it answers. By another machine's clock: to be compared with nothing but itself. */
  answers: z.optional(instant),
  /** What was asked for when it began; a manifest that changes meanwhile makes the attempt obsolete. */
  specDigest: z.string(),
  issuerRef,
  secretName: z.string(),
  dnsNames: z.array(z.string()),
};

/** Fixed before the CA is called, so that a repeat asks for the very same thing. */
const intent = { csr: z.string(), notAfter: instant, intendedAt: instant };

/**
 *   started ──▶ orderIntended ──▶ orderPlaced ──▶ stored ──▶ (promoted: the attempt is over)
 *    key in       about to call      receipt       bundle
 *    the store    the CA             held          pending
 */
export const attempt = z.discriminatedUnion('phase', [
  z.object({ ...attemptBase, phase: z.literal('started') }),
  z.object({
    ...attemptBase,
    ...intent,
    phase: z.literal('orderIntended'),
    /** The lease under which the next call is accounted for in `orders`; any other holder has to account for its own. */
    accountedUnder: z.int(),
  }),
  z.object({ ...attemptBase, ...intent, phase: z.literal('orderPlaced'), ticket: z.record(z.string(), z.string()) }),
  z.object({
    ...attemptBase,
    phase: z.literal('stored'),
    issuedAt: instant,
    version: versionId,
    ref: z.string(),
    leaf: leafFacts,
    account: z.optional(z.string()),
    offersRenewalInfo: z.optional(z.boolean()),
  }),
]);
export type Attempt = z.infer<typeof attempt>;

/** An order that is over for us, and may still hold something at the CA or elsewhere. */
export const abandonedOrder = z.looseObject({
  issuerRef,
  ticket: z.record(z.string(), z.string()),
  /** Tries to free it that failed. */
  tries: z.int(),
  tryAt: instant,
});
export type AbandonedOrder = z.infer<typeof abandonedOrder>;

/** A leaf that its CA is still to revoke: as soon as it is not in use any more. */
export const owedRevocation = z.looseObject({
  version: versionId,
  secretName: z.string(),
  issuerRef,
  leaf: leafFacts,
  reason: revocationReason,
  by: z.string(),
  /** Tries that failed. */
  tries: z.int(),
  tryAt: instant,
});
export type OwedRevocation = z.infer<typeof owedRevocation>;

export const failures = z.object({
  /** In a row; zero after any success. */
  count: z.int().check(z.nonnegative()),
  /** True: only a person, a deploy or the daily look starts another attempt. */
  blocked: z.boolean(),
  last: z.optional(z.object({ class: z.string(), code: z.string(), message: z.string(), at: instant })),
});

/** A worker's exclusive claim. `token` only ever grows: a holder whose lease ran out is fenced off by it. */
export const lease = z.object({ owner: z.string(), token: z.int(), expiresAt: instant });
export type Lease = z.infer<typeof lease>;

export const renewalRequest = z.object({ by: z.string(), at: instant });

/** One line of the audit trail: who moved what, why, when. */
export const transition = z.object({
  at: instant,
  actor: z.string(),
  event: z.string(),
  cause: z.string(),
  attempt: z.optional(attemptId),
  version: z.optional(versionId),
});
export type Transition = z.infer<typeof transition>;

/** Transitions kept in the record, some five renewals; every one of them is logged as well. */
export const HISTORY_LIMIT = 50;

/**
 * One certificate: what is wanted, how far it has come, and how it came there. Loose, like the parts of it that outlive an
 * attempt: a function that was rolled back must not write away what a newer one noted.
 */
export const certificateRecord = z.looseObject({
  id: certificateId,
  /** `managed`: renewed from a manifest. `observed`: only watched. */
  origin: z.enum(['managed', 'observed']),
  spec: certificateSpec,
  generation: z.int().check(z.nonnegative()),
  current: z.optional(currentVersion),
  previous: z.optional(currentVersion),
  /** Set while what was issued last is not served as its hooks want it. */
  held: z.optional(held),
  rollout: z.optional(rolloutState),
  attempt: z.optional(attempt),
  /** Owed to the CA and to DNS, in the order in which they are tried. */
  abandoned: z.optional(z.array(abandonedOrder)),
  /** Owed to whoever asked for them, in the order in which they were asked for. */
  revocations: z.optional(z.array(owedRevocation)),
  /** Instants of the orders intended in the last 24 hours. */
  orders: z.array(instant),
  failures,
  /** Our own patience: a backoff, an open circuit, the daily cap. A deploy or a person's request ends it. */
  waitUntil: z.optional(instant),
  /** The CA's patience (Retry-After). Nothing ends it but time. */
  retryAfter: z.optional(instant),
  request: z.optional(renewalRequest),
  retiredAt: z.optional(instant),
  /** Looked into the store for a version to adopt, so that a lost inventory issues nothing anew. */
  storeInspected: z.boolean(),
  lease: z.optional(lease),
  /** Happened, and not yet told. Emptied after publishing: told at least once. */
  outbox: z.array(announcement),
  history: z.array(transition),
});
export type CertificateRecord = z.infer<typeof certificateRecord>;

export const isRenewed = ({ origin, retiredAt }: CertificateRecord): boolean =>
  origin === 'managed' && retiredAt === undefined;

export const renewAt = ({ id, spec, previous }: CertificateRecord, current: CurrentVersion): Instant =>
  planRenewal(id, current.leaf, current.issuedAt, spec.renewBefore, suggestionFor(current, previous)).renewAt;

function suggestionFor(current: CurrentVersion, previous: CurrentVersion | undefined): Suggestion | undefined {
  const at = current.renewalInfo?.renewAt;
  return at === undefined ? undefined : { at, isRepeated: previous !== undefined && wasCalledBack(previous) };
}

/** Its CA wished for a successor when it was hardly made. */
function wasCalledBack({ issuedAt, leaf, renewalInfo }: CurrentVersion): boolean {
  return (renewalInfo?.renewAt ?? Infinity) < issuedAt + hastyMs(leaf.notAfter - issuedAt);
}

import { nextOrderAt } from './cap.ts';
import type { Announcement, RenewalReason } from './events.ts';
import {
  type AbandonedOrder,
  type Attempt,
  type CertificateRecord,
  type CurrentVersion,
  type Held,
  isRenewed,
  type OwedRevocation,
  renewAt,
} from './record.ts';
import { nextRevocation } from './revocations.ts';
import type { HookRef } from './rollout/hook-spec.ts';
import { specDigest } from './spec-change.ts';
import { DAY_MS, type Instant, MINUTE_MS } from './time.ts';

export type AttemptIn<Phase extends Attempt['phase']> = Extract<Attempt, { phase: Phase }>;
export type AbandonCause = 'Retired' | 'SpecChanged' | 'TooOld';

/** The one thing to do next for a certificate. `rest`: nothing now; {@link dueAt} says when to look again. */
export type Decision =
  | { readonly do: 'rest' }
  | { readonly do: 'announce'; readonly announcements: readonly Announcement[] }
  | { readonly do: 'inspectStore' }
  /** Tell the deploying worker which version is to be served, by which hooks. */
  | { readonly do: 'openRollout'; readonly current: CurrentVersion }
  | { readonly do: 'abandonOrder'; readonly order: AbandonedOrder }
  | { readonly do: 'revoke'; readonly revocation: OwedRevocation }
  | { readonly do: 'askRenewalInfo'; readonly current: CurrentVersion }
  | { readonly do: 'startAttempt'; readonly reason: RenewalReason }
  | { readonly do: 'defer'; readonly until: Instant; readonly cause: 'DailyCap' }
  | { readonly do: 'abandonAttempt'; readonly attempt: Attempt; readonly cause: AbandonCause }
  | { readonly do: 'intendOrder'; readonly attempt: AttemptIn<'started'> }
  /** A call for this intent may already have been made: the next one is accounted for before it is. */
  | { readonly do: 'intendAgain'; readonly attempt: AttemptIn<'orderIntended'> }
  | { readonly do: 'placeOrder'; readonly attempt: AttemptIn<'orderIntended'> }
  | { readonly do: 'checkOrder'; readonly attempt: AttemptIn<'orderPlaced'> }
  | { readonly do: 'promote'; readonly attempt: AttemptIn<'stored'> };

/** Reads the ledger and the clock; decides the next step. Any worker, after any crash, decides alike. */
export function decide(record: CertificateRecord, now: Instant): Decision {
  // Before anybody is told of a new version: who hears of it looks for its roll-out.
  if (owesRollout(record) && record.current !== undefined) return { do: 'openRollout', current: record.current };
  if (record.outbox.length > 0) return { do: 'announce', announcements: record.outbox };
  // However long the certificate itself has to wait: what is held at the CA and in DNS is in others' way.
  const order = record.abandoned?.[0];
  if (order !== undefined && now >= order.tryAt) return { do: 'abandonOrder', order };

  const revocation = nextRevocation(record);
  if (revocation !== undefined && now >= revocation.tryAt) return { do: 'revoke', revocation };

  if (now < patience(record)) return { do: 'rest' };
  if (record.attempt !== undefined) return continueAttempt(record, record.attempt, now);
  if (!isRenewed(record)) return { do: 'rest' };
  if (record.current === undefined && !record.storeInspected) return { do: 'inspectStore' };

  const reason = dueReason(record, now);
  if (reason !== undefined) return underTheCap(record, now, { do: 'startAttempt', reason });
  const { current } = record;
  // One that is due is not asked about: the CA's wish can only be to renew, and it is being renewed.
  return current?.renewalInfo !== undefined && now >= current.renewalInfo.checkAt
    ? { do: 'askRenewalInfo', current }
    : { do: 'rest' };
}

/** Every decision that leads to one more call for a certificate passes here. */
function underTheCap(record: CertificateRecord, now: Instant, decision: Decision): Decision {
  const until = nextOrderAt(record.orders, record.spec.durationSeconds, now);
  return until > now ? { do: 'defer', until, cause: 'DailyCap' } : decision;
}

/** Steps that lead to a new order at the CA, at once or after one that costs it nothing. */
const TOWARDS_AN_ORDER: ReadonlySet<Decision['do']> = new Set([
  'inspectStore',
  'startAttempt',
  'intendOrder',
  'intendAgain',
  'placeOrder',
]);

/** What the certificate's next look, at {@link dueAt}, is for: whoever wants to order has to wait for its issuer's budget. */
export const wantsOrder = (record: CertificateRecord, due: Instant): boolean =>
  TOWARDS_AN_ORDER.has(decide(record, due).do);

/** Number of the claim that is running, 0 where none ever was. */
export const leaseToken = ({ lease }: CertificateRecord): number => lease?.token ?? 0;

/** Why the certificate wants replacing, if it does. Once there is a reason there is one until a new version is current. */
export function dueReason(record: CertificateRecord, now: Instant): RenewalReason | undefined {
  const { current, held } = record;
  if (current === undefined) return 'NotIssued';
  if (current.revocation !== undefined) return 'RevocationRequested';
  if (held !== undefined) {
    if (isRevoked(record, held)) return 'RevocationRequested';
    if (held.version.specDigest !== specDigest(record.spec)) return 'SpecChanged';
    if (record.request !== undefined) return 'Requested';
    return now >= held.issueAt ? 'RenewalWindowReached' : undefined;
  }
  if (current.specDigest !== specDigest(record.spec)) return 'SpecChanged';
  if (now >= renewAt(record, current)) return 'RenewalWindowReached';
  return record.request === undefined ? undefined : 'Requested';
}

/**
 * The key of the due index: when the certificate next wants a look. Undefined: never, unless something changes.
 * While a worker holds the lease it is not due, so that a tick does not send a second one after it.
 */
export function dueAt(record: CertificateRecord): Instant | undefined {
  const wanted = [wantedAt(record), record.abandoned?.[0]?.tryAt, nextRevocation(record)?.tryAt].filter(
    (instant) => instant !== undefined,
  );
  if (wanted.length === 0) return undefined;
  return Math.max(Math.min(...wanted), record.lease?.expiresAt ?? -Infinity);
}

function wantedAt(record: CertificateRecord): Instant | undefined {
  const lastChange = record.history.at(-1)?.at ?? 0;
  if (record.outbox.length > 0 || owesRollout(record)) return lastChange;
  const { attempt, current, held } = record;
  if (attempt === undefined && !isRenewed(record)) return undefined;
  const idle = attempt === undefined && current !== undefined && dueReason(record, -Infinity) === undefined;
  const nextLook = idle
    ? Math.min(held?.issueAt ?? renewAt(record, current), current.renewalInfo?.checkAt ?? Infinity)
    : lastChange;
  return Math.max(nextLook, patience(record));
}

/** The version in use, or the hooks that bring it to where it is served, are not those of the roll-out that was opened last. */
export function owesRollout(record: CertificateRecord): boolean {
  const { rollout, current, generation } = record;
  if (current === undefined) return false;
  const hooks = wantedHooks(record);
  if (rollout === undefined) return hooks.length > 0;
  const isSame = hooks.length === rollout.hooks.length && hooks.every((hook, index) => hook === rollout.hooks[index]);
  return !isSame || rollout.generation !== generation;
}

/** Nothing is deployed of what is no longer in the manifest. */
export const wantedHooks = (record: CertificateRecord): readonly HookRef[] =>
  isRenewed(record) ? (record.spec.hooks ?? []) : [];

/** Somebody asked for the end of what is held: it is not tried again. */
const isRevoked = ({ previous }: CertificateRecord, { version }: Held): boolean =>
  previous !== undefined && previous.version === version.version && previous.revocation !== undefined;

/** Nothing but announcing happens before this instant. */
const patience = (record: CertificateRecord): Instant =>
  Math.max(record.waitUntil ?? -Infinity, record.retryAfter ?? -Infinity);

function continueAttempt(record: CertificateRecord, attempt: Attempt, now: Instant): Decision {
  const cause = obsolescence(record, attempt, now);
  if (cause !== undefined) return { do: 'abandonAttempt', attempt, cause };
  switch (attempt.phase) {
    case 'started':
      return { do: 'intendOrder', attempt };
    case 'orderIntended':
      return attempt.accountedUnder === leaseToken(record)
        ? { do: 'placeOrder', attempt }
        : underTheCap(record, now, { do: 'intendAgain', attempt });
    case 'orderPlaced':
      return { do: 'checkOrder', attempt };
    case 'stored':
      return { do: 'promote', attempt };
  }
}

function obsolescence(record: CertificateRecord, attempt: Attempt, now: Instant): AbandonCause | undefined {
  if (record.retiredAt !== undefined) return 'Retired';
  if (attempt.specDigest !== specDigest(record.spec)) return 'SpecChanged';
  const ageMs = now - attempt.startedAt;
  // A stored version was paid for: promoting it is tried for as long as it is valid.
  if (attempt.phase === 'stored') return now >= attempt.leaf.notAfter ? 'TooOld' : undefined;
  return ageMs > attemptLifetimeMs(record.spec.durationSeconds) ? 'TooOld' : undefined;
}

/**
 * How long one attempt is tried before a new one takes its place: an order stuck at the CA must not stay stuck, and the
 * expiry fixed in the intent must not become much shorter than what was asked for.
 */
export function attemptLifetimeMs(durationSeconds: number): number {
  return Math.min(DAY_MS, Math.max(10 * MINUTE_MS, (durationSeconds * 1_000) / 10));
}

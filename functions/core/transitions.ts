import { earliestRetry, isBlocking, retryAt, retryDelayMs } from './backoff.ts';
import { recentOrders } from './cap.ts';
import {
  type AttemptId,
  type CertificateSpec,
  type IssuerRef,
  issuerIdOf,
  type LeafFacts,
  type VersionId,
} from './certificate.ts';
import { type AbandonCause, leaseToken } from './decide.ts';
import { type FailureFacts, GATE_REFUSED } from './errors.ts';
import { type Authorship, auditEntry } from './audit.ts';
import { announceDeferral, announceFailure, announceRetry, announceRotation } from './announcements.ts';
import type { RenewalReason } from './events.ts';
import type { RenewalWindow, Ticket } from './ports.ts';
import {
  type AbandonedOrder,
  type Attempt,
  type CertificateRecord,
  type CurrentVersion,
  type Held,
  HISTORY_LIMIT,
  renewAt,
  versionInUse,
} from './record.ts';
import { drawRenewalInfo } from './renewal-info.ts';
import type { HookRef } from './rollout/hook-spec.ts';
import type { Outcome } from './rollout/record.ts';
import { repairMs } from './rollout/restorable.ts';
import { issueAnewAt } from './schedule.ts';
import { notRevoked, owingRevocation, type RevocationRequest, revocationTried, revoked } from './revocations.ts';
import { specDigest } from './spec-change.ts';
import { type Instant, SECOND_MS } from './time.ts';

/** Everything that can happen to a certificate. */
export type Happening =
  | { readonly event: 'Respecified'; readonly spec: CertificateSpec; readonly fields: readonly string[] }
  | { readonly event: 'Retired' }
  | { readonly event: 'Reinstated'; readonly spec: CertificateSpec }
  | { readonly event: 'Reconsidered'; readonly cause: string }
  | { readonly event: 'RenewalRequested'; readonly by: string }
  /** For the version in use: replaced first, and revoked when its successor is. */
  | ({ readonly event: 'RevocationRequested' } & RevocationRequest)
  | {
      readonly event: 'StoreInspected';
      readonly found?: { readonly version: CurrentVersion; readonly generation: number };
    }
  | {
      readonly event: 'AttemptStarted';
      readonly attempt: AttemptId;
      readonly reason: RenewalReason;
    }
  | { readonly event: 'OrderIntended'; readonly csr: string; readonly notAfter: Instant }
  | { readonly event: 'OrderIntendedAgain' }
  | { readonly event: 'OrderPlaced'; readonly ticket: Ticket; readonly checkAt: Instant }
  | { readonly event: 'OrderPending'; readonly ticket: Ticket; readonly checkAt: Instant }
  | {
      readonly event: 'VersionStored';
      readonly version: VersionId;
      readonly ref: string;
      readonly leaf: LeafFacts;
      readonly account?: string | undefined;
      readonly offersRenewalInfo?: boolean | undefined;
      /** What the order still holds. */
      readonly leftover?: Ticket | undefined;
    }
  /** `random`: from 0 up to 1, for the one instant that is drawn. `window` absent: the CA has no wish, or could not be asked. */
  | {
      readonly event: 'RenewalInfoLearned';
      readonly window?: RenewalWindow | undefined;
      readonly random: number;
      readonly checkAt: Instant;
    }
  /** About to be: the first of what is owed. */
  | { readonly event: 'AbandonTried' }
  | { readonly event: 'OrderAbandoned' }
  | { readonly event: 'OrderNotAbandoned'; readonly failure: FailureFacts }
  /** About to be. */
  | { readonly event: 'RevocationTried'; readonly version: VersionId }
  | { readonly event: 'Revoked'; readonly version: VersionId }
  | { readonly event: 'NotRevoked'; readonly version: VersionId; readonly failure: FailureFacts }
  | { readonly event: 'VersionPromoted' }
  | { readonly event: 'AttemptFailed'; readonly failure: FailureFacts }
  | { readonly event: 'AttemptAbandoned'; readonly cause: AbandonCause }
  | { readonly event: 'Deferred'; readonly until: Instant; readonly cause: string }
  | { readonly event: 'Announced' }
  /** No hooks: there is nothing to deploy any more. */
  | { readonly event: 'RolloutOpened'; readonly hooks: readonly HookRef[] }
  /** The version before is current again, since what was issued last could not be deployed. */
  | { readonly event: 'RolledBack'; readonly undone: VersionId; readonly cause: string }
  /** What was rolled back is current again, to be deployed anew. */
  | { readonly event: 'PromotedAgain'; readonly version: VersionId; readonly ref: string }
  | { readonly event: 'DeploymentEnded'; readonly outcome: Outcome; readonly cause: string };

const NO_FAILURES: CertificateRecord['failures'] = { count: 0, blocked: false };

/** A certificate's first appearance in the inventory. */
export function declare(spec: CertificateSpec, { actor, at }: Authorship): CertificateRecord {
  return {
    id: spec.id,
    origin: 'managed',
    spec,
    generation: 0,
    orders: [],
    failures: NO_FAILURES,
    storeInspected: false,
    outbox: [],
    history: [{ at, actor, event: 'Declared', cause: 'in the manifest' }],
  };
}

/** The ledger's reducer: the record after `happening`. Throws on a step that its phase does not allow: a bug, never data. */
export function apply(record: CertificateRecord, happening: Happening, by: Authorship): CertificateRecord {
  const next = reduce(record, happening, by.at);
  const entry = auditEntry(record, happening, by);
  return entry === undefined ? next : { ...next, history: [...record.history, entry].slice(-HISTORY_LIMIT) };
}

function reduce(record: CertificateRecord, happening: Happening, at: Instant): CertificateRecord {
  switch (happening.event) {
    case 'Respecified':
      return respecified(record, happening.spec);
    case 'Retired':
      return { ...record, retiredAt: at };
    case 'Reinstated':
      return omit(respecified(record, happening.spec), 'retiredAt');
    case 'Reconsidered':
      return withoutPatience(record);
    case 'RenewalRequested':
      return { ...withoutPatience(record), request: { by: happening.by, at } };
    case 'RevocationRequested': {
      const next = owingRevocation(record, happening, at);
      if (next === undefined) throw illegal(record, `version ${happening.version} is not one of its last two`);
      return next.current?.version === happening.version ? withoutPatience(next) : next;
    }
    case 'StoreInspected':
      return happening.found === undefined
        ? { ...record, storeInspected: true }
        : { ...record, storeInspected: true, ...adopted(record, happening.found) };
    case 'AttemptStarted':
      return { ...record, attempt: beginAttempt(record, happening, at) };
    case 'OrderIntended': {
      const { csr, notAfter } = happening;
      const attempt = {
        ...base(attemptIn(record, ['started'])),
        phase: 'orderIntended' as const,
        csr,
        notAfter,
        intendedAt: at,
        accountedUnder: leaseToken(record),
      };
      return { ...record, orders: [...recentOrders(record.orders, at), at], attempt };
    }
    case 'OrderIntendedAgain': {
      const attempt = { ...attemptIn(record, ['orderIntended']), accountedUnder: leaseToken(record) };
      return { ...record, orders: [...recentOrders(record.orders, at), at], attempt };
    }
    case 'OrderPlaced':
    case 'OrderPending': {
      const { csr, notAfter, intendedAt, ...attempt } = attemptIn(record, ['orderIntended', 'orderPlaced']);
      const { ticket, checkAt } = happening;
      return {
        ...record,
        attempt: { ...base(attempt), csr, notAfter, intendedAt, phase: 'orderPlaced', ticket },
        retryAfter: earliestRetry(at, (checkAt - at) / SECOND_MS),
      };
    }
    case 'VersionStored':
      return stored(record, happening, at);
    case 'VersionPromoted':
      return promoted(record, at);
    case 'AttemptFailed':
      return failed(record, happening.failure, at);
    case 'AttemptAbandoned':
      // Only an order that the CA sat on is a failure; one never placed is simply asked for afresh, and so is one that was looked
      // at in vain: that was a failure then, and has been waited for.
      return happening.cause === 'TooOld' && isAtCa(record) && !hasFailed(record)
        ? failed(record, TOO_OLD, at)
        : withoutAttempt(record, at);
    case 'Deferred':
      return {
        ...withOrderGivenBack(record),
        waitUntil: happening.until,
        outbox: [...record.outbox, ...announceDeferral(record, happening)],
      };
    case 'Announced':
      return { ...record, outbox: [] };
    case 'RolloutOpened':
      return rolloutOpened(record, happening.hooks, at);
    case 'RolledBack':
      return rolledBack(record, happening, at);
    case 'PromotedAgain':
      return promotedAgain(record, happening);
    case 'DeploymentEnded':
      return deploymentEnded(record, happening, at);
    case 'RenewalInfoLearned':
      return record.current?.renewalInfo === undefined
        ? record
        : { ...record, current: { ...record.current, renewalInfo: drawRenewalInfo(record.current, happening) } };
    case 'AbandonTried':
      return withAbandoned(record, abandonTried(record.abandoned, at));
    case 'OrderAbandoned':
      return withAbandoned(record, record.abandoned?.slice(1));
    case 'OrderNotAbandoned':
      return withAbandoned(record, notAbandoned(record.abandoned));
    case 'RevocationTried':
      return revocationTried(record, happening.version, at);
    case 'Revoked':
      return revoked(record, happening.version, at);
    case 'NotRevoked':
      return notRevoked(record, happening.version, happening.failure, at);
  }
}

function stored(
  record: CertificateRecord,
  happening: Extract<Happening, { event: 'VersionStored' }>,
  at: Instant,
): CertificateRecord {
  const { version, ref, leaf, account, offersRenewalInfo, leftover } = happening;
  const { intendedAt: issuedAt, ...attempt } = attemptIn(record, ['orderIntended', 'orderPlaced']);
  const next: CertificateRecord = {
    ...record,
    attempt: {
      ...base(attempt),
      phase: 'stored',
      issuedAt,
      version,
      ref,
      leaf,
      ...(account === undefined ? {} : { account }),
      ...(offersRenewalInfo === undefined ? {} : { offersRenewalInfo }),
    },
    // A CA's clock may be a little ahead: consumers get the certificate when it is valid.
    ...(leaf.notBefore > at ? { retryAfter: leaf.notBefore } : {}),
  };
  return leftover === undefined ? next : owing(next, attempt.issuerRef, leftover, at);
}

/** What is owed at once: the oldest goes first where it does not fit into a record. One is tried for four weeks. */
const ABANDONED_LIMIT = 10;
const ABANDONED_LIMIT_CHARACTERS = 150_000;
const ABANDON_TRIES = 33;

/** The order is over for us; what it holds is still to be freed. */
function owing(record: CertificateRecord, issuerRef: IssuerRef, ticket: Ticket, at: Instant): CertificateRecord {
  const owed = [...(record.abandoned ?? []), { issuerRef, ticket, tries: 0, tryAt: at }];
  const kept = owed.slice(-ABANDONED_LIMIT);
  while (kept.length > 1 && JSON.stringify(kept).length > ABANDONED_LIMIT_CHARACTERS) kept.shift();
  return { ...record, abandoned: inTurn(kept) };
}

const inTurn = (orders: readonly AbandonedOrder[]): AbandonedOrder[] => [...orders].sort((a, b) => a.tryAt - b.tryAt);

/** It stays the first until it is known how the try went. */
function abandonTried(abandoned: CertificateRecord['abandoned'], at: Instant): CertificateRecord['abandoned'] {
  const [order, ...others] = abandoned ?? [];
  if (order === undefined) return others;
  const tries = order.tries + 1;
  return [{ ...order, tries, tryAt: at + retryDelayMs(tries) }, ...others];
}

function notAbandoned(abandoned: CertificateRecord['abandoned']): CertificateRecord['abandoned'] {
  const [order, ...others] = abandoned ?? [];
  return order === undefined || order.tries >= ABANDON_TRIES ? others : inTurn([order, ...others]);
}

function withAbandoned(record: CertificateRecord, abandoned: CertificateRecord['abandoned'] = []): CertificateRecord {
  return abandoned.length === 0 ? omit(record, 'abandoned') : { ...record, abandoned };
}

/** The attempt is over. What it has at the CA is owed from now on. */
function withoutAttempt(record: CertificateRecord, at: Instant): CertificateRecord {
  const { attempt } = record;
  const rest = omit(record, 'attempt');
  return attempt?.phase === 'orderPlaced' ? owing(rest, attempt.issuerRef, attempt.ticket, at) : rest;
}

const isAtCa = ({ attempt }: CertificateRecord): boolean =>
  attempt?.phase === 'orderPlaced' || attempt?.phase === 'stored';

const hasFailed = ({ attempt, failures }: CertificateRecord): boolean =>
  attempt !== undefined && failures.last !== undefined && failures.last.at >= attempt.startedAt;

const TOO_OLD: FailureFacts = {
  class: 'transient',
  code: 'AttemptTooOld',
  message: 'the attempt took too long to be worth finishing; a new one will be made',
  endsAttempt: true,
};

function beginAttempt(
  record: CertificateRecord,
  { attempt, reason }: Extract<Happening, { event: 'AttemptStarted' }>,
  at: Instant,
): Attempt {
  if (record.attempt !== undefined) throw illegal(record, 'an attempt is already under way');
  const { issuerRef, secretName, dnsNames } = record.spec;
  const asked = { specDigest: specDigest(record.spec), issuerRef, secretName, dnsNames };
  const answers = record.request === undefined ? {} : { answers: record.request.at };
  return { phase: 'started', id: attempt, reason, startedAt: at, ...answers, ...asked };
}

type AttemptBase = Omit<Extract<Attempt, { phase: 'started' }>, 'phase'>;

/** What an attempt keeps through all its phases. */
function base({
  id,
  reason,
  startedAt,
  answers,
  specDigest,
  issuerRef,
  secretName,
  dnsNames,
}: AttemptBase): AttemptBase {
  const kept = { id, reason, startedAt, specDigest, issuerRef, secretName, dnsNames };
  return answers === undefined ? kept : { ...kept, answers };
}

/** A version in the store that the ledger did not know of. Consumers count generations: they never go back. */
function adopted(
  record: CertificateRecord,
  { version, generation }: { readonly version: CurrentVersion; readonly generation: number },
): Pick<CertificateRecord, 'current' | 'generation'> {
  return { current: version, generation: Math.max(record.generation, generation) };
}

function promoted(record: CertificateRecord, at: Instant): CertificateRecord {
  const attempt = attemptIn(record, ['stored']);
  // A request that came while this attempt was under way asks for the next one.
  const answered = record.request !== undefined && record.request.at === attempt.answers;
  return {
    ...omit(record, 'attempt', 'waitUntil', 'retryAfter', 'held', ...(answered ? (['request'] as const) : [])),
    generation: record.generation + 1,
    current: versionInUse(attempt, at),
    ...(record.current === undefined ? {} : { previous: lastServed(record, record.current) }),
    failures: NO_FAILURES,
    outbox: [...record.outbox, announceRotation(record, attempt)],
  };
}

/** What comes back should the new version not do: nothing that was never seen to do itself. */
function lastServed({ rollout, previous }: CertificateRecord, current: CurrentVersion): CurrentVersion {
  const isProved = rollout?.state !== 'underWay' && rollout?.state !== 'halted';
  return isProved ? current : (previous ?? current);
}

function rolloutOpened(record: CertificateRecord, hooks: readonly HookRef[], at: Instant): CertificateRecord {
  if (hooks.length === 0) return omit(record, 'rollout', 'held');
  const { generation } = record;
  return { ...record, rollout: { generation, hooks: [...hooks], state: 'underWay', at } };
}

/**
 * Consumers count generations: what is current changed, so there is another one. A write whose answer was lost is noted once
 * more, and swaps nothing back.
 */
function rolledBack(
  record: CertificateRecord,
  { undone, cause }: Extract<Happening, { event: 'RolledBack' }>,
  at: Instant,
): CertificateRecord {
  const { current, previous } = record;
  if (current?.version !== undone) return record;
  if (previous === undefined) throw illegal(record, 'there is no version before it');
  const back = { ...record, current: previous, previous: current };
  return nextGeneration({ ...back, held: hold(record, current, previous, cause, at) }, 'rolledBack');
}

function promotedAgain(
  record: CertificateRecord,
  { version, ref }: Extract<Happening, { event: 'PromotedAgain' }>,
): CertificateRecord {
  const { current, previous, held } = record;
  if (current?.version === version) return record;
  if (current === undefined || held?.version.version !== version) throw illegal(record, 'that version is not held');
  // What became of it while it was held is noted there.
  const again = previous?.version === version ? previous : held.version;
  const forth = { ...record, current: again, previous: current };
  return { ...nextGeneration(forth, 'underWay'), outbox: [...record.outbox, announceRetry(record, again, ref)] };
}

/** The roll-out that is under way goes on with it. */
function nextGeneration(
  record: CertificateRecord,
  state: NonNullable<CertificateRecord['rollout']>['state'],
): CertificateRecord {
  const generation = record.generation + 1;
  return {
    ...record,
    generation,
    ...(record.rollout === undefined ? {} : { rollout: { ...record.rollout, generation, state } }),
  };
}

function deploymentEnded(
  record: CertificateRecord,
  { outcome, cause }: Extract<Happening, { event: 'DeploymentEnded' }>,
  at: Instant,
): CertificateRecord {
  const { current, rollout } = record;
  if (current === undefined || rollout === undefined) return record;
  const ended = { ...record, rollout: { ...rollout, state: outcome, at } };
  if (outcome === 'deployed') return omit(ended, 'held');
  return { ...ended, held: record.held ?? hold(record, current, current, cause, at) };
}

function hold(
  record: CertificateRecord,
  version: CurrentVersion,
  served: CurrentVersion,
  cause: string,
  at: Instant,
): Held {
  // However often the same version fails: what makes up for it does not move on with each time.
  if (record.held?.version.version === version.version) return { ...record.held, cause };
  const times = { renewAt: renewAt(record, version), served: served.leaf, now: at };
  return { version, since: at, issueAt: issueAnewAt(times, repairMs(record.spec.durationSeconds)), cause };
}

function failed(record: CertificateRecord, failure: FailureFacts, at: Instant): CertificateRecord {
  const count = record.failures.count + 1;
  const blocked = isBlocking({ ...failure, count });
  const { durationSeconds } = record.spec;
  const notAfter = record.current?.leaf.notAfter;
  const nextAttemptAt = retryAt({ ...failure, count }, at, { notAfter, durationSeconds });
  return {
    ...afterFailure(record, failure, blocked, at),
    failures: { count, blocked, last: { class: failure.class, code: failure.code, message: failure.message, at } },
    waitUntil: nextAttemptAt,
    ...(failure.retryAfterSeconds === undefined ? {} : { retryAfter: earliestRetry(at, failure.retryAfterSeconds) }),
    outbox: [...record.outbox, announceFailure(record, failure, { count, blocked, nextAttemptAt })],
  };
}

/** What becomes of the attempt. */
function afterFailure(
  record: CertificateRecord,
  failure: FailureFacts,
  blocked: boolean,
  at: Instant,
): CertificateRecord {
  const { attempt } = record;
  if (attempt === undefined) return record;
  // A version that is already stored is kept: promoting it later costs nothing, another one costs an order.
  const over = failure.endsAttempt === true || (blocked && attempt.phase !== 'stored');
  const next = isRefusal(failure) ? withOrderGivenBack(record) : record;
  if (over) return omit(withoutAttempt(next, at), 'retryAfter');
  // The call that was accounted for was made: another try is another call.
  return attempt.phase === 'orderIntended' ? { ...next, attempt: { ...attempt, accountedUnder: NOT_ACCOUNTED } } : next;
}

/** A call that was accounted for came to nothing, or was not made at all: the daily cap has nothing to count. */
function withOrderGivenBack(record: CertificateRecord): CertificateRecord {
  const { attempt, orders } = record;
  if (attempt?.phase !== 'orderIntended' || attempt.accountedUnder !== leaseToken(record)) return record;
  return { ...record, orders: orders.slice(0, -1), attempt: { ...attempt, accountedUnder: NOT_ACCOUNTED } };
}

/** No lease has this token. */
const NOT_ACCOUNTED = -1;

/** The CA said no, or never heard: nothing was ordered, and the daily cap has nothing to count. */
const isRefusal = ({ mayHaveActed, code }: FailureFacts): boolean => mayHaveActed !== true && code !== GATE_REFUSED;

function attemptIn<Phase extends Attempt['phase']>(
  record: CertificateRecord,
  phases: readonly Phase[],
): Extract<Attempt, { phase: Phase }> {
  const { attempt } = record;
  if (attempt !== undefined && (phases as readonly string[]).includes(attempt.phase)) {
    return attempt as Extract<Attempt, { phase: Phase }>;
  }
  throw illegal(record, `expected phase ${phases.join(' or ')}, found ${attempt?.phase ?? 'no attempt'}`);
}

/** What one CA asked for is nothing to another. */
function respecified(record: CertificateRecord, spec: CertificateSpec): CertificateRecord {
  const isSameCa = issuerIdOf(spec.issuerRef) === issuerIdOf(record.spec.issuerRef);
  const patient = withoutPatience(record);
  return { ...(isSameCa ? patient : omit(patient, 'retryAfter')), spec };
}

/** A deploy or a person asks for another look now: our own patience ends, the CA's does not. */
function withoutPatience(record: CertificateRecord): CertificateRecord {
  return { ...omit(record, 'waitUntil'), failures: { ...record.failures, blocked: false } };
}

const illegal = (record: CertificateRecord, why: string): Error =>
  new Error(`illegal transition of ${record.id}: ${why}`);

type OptionalKey<T> = { [K in keyof T]-?: undefined extends T[K] ? K : never }[keyof T];

function omit<T extends object>(value: T, ...keys: readonly OptionalKey<T>[]): T {
  const copy = { ...value };
  for (const key of keys) delete copy[key];
  return copy;
}

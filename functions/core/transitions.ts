import { isBlocking, retryAt } from './backoff.ts';
import { recentOrders } from './cap.ts';
import type { AttemptId, CertificateSpec, IssuerId, LeafFacts, VersionId } from './certificate.ts';
import type { AbandonCause } from './decide.ts';
import type { FailureFacts } from './errors.ts';
import { type Authorship, auditEntry } from './audit.ts';
import { announceFailure, announceRotation } from './announcements.ts';
import type { RenewalReason } from './events.ts';
import type { Ticket } from './ports.ts';
import { type Attempt, type CertificateRecord, type CurrentVersion, HISTORY_LIMIT } from './record.ts';
import { specDigest } from './spec-change.ts';
import type { Instant } from './time.ts';

/** Everything that can happen to a certificate. */
export type Happening =
  | { readonly event: 'Respecified'; readonly spec: CertificateSpec; readonly fields: readonly string[] }
  | { readonly event: 'Retired' }
  | { readonly event: 'Reinstated'; readonly spec: CertificateSpec }
  | { readonly event: 'Reconsidered'; readonly cause: string }
  | { readonly event: 'RenewalRequested'; readonly by: string }
  | {
      readonly event: 'StoreInspected';
      readonly found?: { readonly version: CurrentVersion; readonly generation: number };
    }
  | {
      readonly event: 'AttemptStarted';
      readonly attempt: AttemptId;
      readonly reason: RenewalReason;
      readonly issuer: IssuerId;
    }
  | { readonly event: 'OrderIntended'; readonly csr: string; readonly notAfter: Instant }
  | { readonly event: 'OrderPlaced'; readonly ticket: Ticket; readonly checkAt: Instant }
  | { readonly event: 'OrderPending'; readonly ticket: Ticket; readonly checkAt: Instant }
  | { readonly event: 'VersionStored'; readonly version: VersionId; readonly ref: string; readonly leaf: LeafFacts }
  | { readonly event: 'VersionPromoted' }
  | { readonly event: 'AttemptFailed'; readonly failure: FailureFacts }
  | { readonly event: 'AttemptAbandoned'; readonly cause: AbandonCause }
  | { readonly event: 'Deferred'; readonly until: Instant; readonly cause: string }
  | { readonly event: 'Announced' };

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
      return { ...withoutPatience(record), spec: happening.spec };
    case 'Retired':
      return { ...record, retiredAt: at };
    case 'Reinstated':
      return { ...omit(withoutPatience(record), 'retiredAt'), spec: happening.spec };
    case 'Reconsidered':
      return withoutPatience(record);
    case 'RenewalRequested':
      return { ...withoutPatience(record), request: { by: happening.by, at } };
    case 'StoreInspected':
      return happening.found === undefined
        ? { ...record, storeInspected: true }
        : { ...record, storeInspected: true, current: happening.found.version, generation: happening.found.generation };
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
      };
      return { ...record, orders: [...recentOrders(record.orders, at), at], attempt };
    }
    case 'OrderPlaced':
    case 'OrderPending': {
      const attempt = attemptIn(record, ['orderIntended', 'orderPlaced']);
      return {
        ...record,
        attempt: { ...attempt, phase: 'orderPlaced', ticket: happening.ticket },
        retryAfter: happening.checkAt,
      };
    }
    case 'VersionStored': {
      const { version, ref, leaf } = happening;
      const { intendedAt: issuedAt, ...attempt } = attemptIn(record, ['orderIntended', 'orderPlaced']);
      return { ...record, attempt: { ...base(attempt), phase: 'stored', issuedAt, version, ref, leaf } };
    }
    case 'VersionPromoted':
      return promoted(record);
    case 'AttemptFailed':
      return failed(record, happening.failure, at);
    case 'AttemptAbandoned':
      // Only an order that the CA sat on is a failure; one never placed is simply asked for afresh.
      return happening.cause === 'TooOld' && isAtCa(record) ? failed(record, TOO_OLD, at) : omit(record, 'attempt');
    case 'Deferred':
      return { ...record, waitUntil: happening.until };
    case 'Announced':
      return { ...record, outbox: [] };
  }
}

const isAtCa = ({ attempt }: CertificateRecord): boolean =>
  attempt?.phase === 'orderPlaced' || attempt?.phase === 'stored';

const TOO_OLD: FailureFacts = {
  class: 'transient',
  code: 'AttemptTooOld',
  message: 'the attempt took too long to be worth finishing; a new one will be made',
  endsAttempt: true,
};

function beginAttempt(
  record: CertificateRecord,
  { attempt, reason, issuer }: Extract<Happening, { event: 'AttemptStarted' }>,
  at: Instant,
): Attempt {
  if (record.attempt !== undefined) throw illegal(record, 'an attempt is already under way');
  return { phase: 'started', id: attempt, reason, startedAt: at, specDigest: specDigest(record.spec), issuer };
}

/** What an attempt keeps through all its phases. */
const base = ({ id, reason, startedAt, specDigest, issuer }: Omit<Attempt, 'phase'>): Omit<Attempt, 'phase'> => ({
  id,
  reason,
  startedAt,
  specDigest,
  issuer,
});

function promoted(record: CertificateRecord): CertificateRecord {
  const attempt = attemptIn(record, ['stored']);
  const current: CurrentVersion = {
    version: attempt.version,
    secretName: record.spec.secretName,
    leaf: attempt.leaf,
    specDigest: attempt.specDigest,
    issuedAt: attempt.issuedAt,
  };
  return {
    ...omit(record, 'attempt', 'waitUntil', 'retryAfter', 'request'),
    generation: record.generation + 1,
    current,
    ...(record.current === undefined ? {} : { previous: record.current }),
    failures: NO_FAILURES,
    outbox: [...record.outbox, announceRotation(record, attempt)],
  };
}

function failed(record: CertificateRecord, failure: FailureFacts, at: Instant): CertificateRecord {
  const count = record.failures.count + 1;
  const blocked = isBlocking({ class: failure.class, count });
  const nextAttemptAt = retryAt({ ...failure, count }, at, record.current?.leaf.notAfter);
  // A version that is already stored is kept: promoting it later costs nothing, another one costs an order.
  const over = record.attempt?.phase !== 'stored' && (blocked || failure.endsAttempt === true);
  const expired = failure.code === TOO_OLD.code;
  return {
    ...(over || expired ? omit(record, 'attempt', 'retryAfter') : record),
    failures: { count, blocked, last: { class: failure.class, code: failure.code, message: failure.message, at } },
    waitUntil: nextAttemptAt,
    ...(failure.retryAfterSeconds === undefined ? {} : { retryAfter: at + failure.retryAfterSeconds * 1_000 }),
    outbox: [...record.outbox, announceFailure(record, failure, { count, blocked, nextAttemptAt })],
  };
}

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

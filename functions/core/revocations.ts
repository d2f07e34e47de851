import { announceRevocation, announceRevocationFailure } from './announcements.ts';
import { earliestRetry, retryDelayMs } from './backoff.ts';
import type { RevocationReason, VersionId } from './certificate.ts';
import type { FailureFacts } from './errors.ts';
import { type CertificateRecord, type CurrentVersion, isRenewed, type OwedRevocation } from './record.ts';
import type { Instant } from './time.ts';

/** One is tried for four weeks. */
const REVOCATION_TRIES = 33;

/** Of them so many are no accident any more: two hours. */
const REVOCATION_TRIES_TO_TELL = 4;

export const isRevocationFailing = ({ revocations = [] }: CertificateRecord): boolean =>
  revocations.some(({ tries }) => tries >= REVOCATION_TRIES_TO_TELL);

export interface RevocationRequest {
  readonly version: VersionId;
  readonly reason: RevocationReason;
  readonly by: string;
}

/**
 * The revocation that is tried next. One of a leaf in use waits for its successor, unless none is to come; and while the successor
 * is on its way to where it is served, the leaf before it is what clients see.
 */
export function nextRevocation(record: CertificateRecord): OwedRevocation | undefined {
  if (record.rollout?.state === 'underWay') return undefined;
  const free = (record.revocations ?? []).filter(
    ({ version }) => version !== record.current?.version || !isRenewed(record),
  );
  return free.sort((a, b) => a.tryAt - b.tryAt)[0];
}

/** Asking twice is asking once. Undefined: the ledger knows no such version. */
export function owingRevocation(
  record: CertificateRecord,
  { version, reason, by }: RevocationRequest,
  at: Instant,
): CertificateRecord | undefined {
  const leaf = [record.current, record.previous].find((known) => known?.version === version);
  if (leaf === undefined || leaf.revocation !== undefined) return leaf === undefined ? undefined : record;
  const { secretName, issuerRef } = leaf;
  const owed = { version, secretName, issuerRef, leaf: leaf.leaf, reason, by, tries: 0, tryAt: at };
  return {
    ...marked(record, version, { reason, requestedAt: at }),
    revocations: [...(record.revocations ?? []), owed],
  };
}

export const revocationTried = (record: CertificateRecord, version: VersionId, at: Instant): CertificateRecord =>
  changed(record, version, (owed) => {
    const tries = owed.tries + 1;
    return [{ ...owed, tries, tryAt: at + retryDelayMs(tries) }];
  });

export function revoked(record: CertificateRecord, version: VersionId, at: Instant): CertificateRecord {
  const owed = owedFor(record, version);
  if (owed === undefined) return record;
  const mark = [record.current, record.previous].find((known) => known?.version === version)?.revocation;
  return {
    ...changed(mark === undefined ? record : marked(record, version, { ...mark, revokedAt: at }), version, () => []),
    outbox: [...record.outbox, announceRevocation(record, owed)],
  };
}

/** Told at first, and when it is given up: after {@link REVOCATION_TRIES}, or once the leaf has expired. */
export function notRevoked(
  record: CertificateRecord,
  version: VersionId,
  failure: FailureFacts,
  at: Instant,
): CertificateRecord {
  const owed = owedFor(record, version);
  if (owed === undefined) return record;
  const givenUp = owed.tries >= REVOCATION_TRIES || at >= owed.leaf.notAfter;
  const later = { ...owed, tryAt: Math.max(owed.tryAt, earliestRetry(at, failure.retryAfterSeconds ?? 0)) };
  const news = givenUp || owed.tries === 1 ? [announceRevocationFailure(record, later, failure, givenUp)] : [];
  return {
    ...changed(record, version, () => (givenUp ? [] : [later])),
    outbox: [...record.outbox, ...news],
  };
}

const owedFor = ({ revocations = [] }: CertificateRecord, version: VersionId): OwedRevocation | undefined =>
  revocations.find((owed) => owed.version === version);

function changed(
  record: CertificateRecord,
  version: VersionId,
  change: (owed: OwedRevocation) => readonly OwedRevocation[],
): CertificateRecord {
  const { revocations = [], ...rest } = record;
  const left = revocations.flatMap((owed) => (owed.version === version ? change(owed) : owed));
  return left.length === 0 ? rest : { ...rest, revocations: left };
}

function marked(
  record: CertificateRecord,
  version: VersionId,
  revocation: NonNullable<CurrentVersion['revocation']>,
): CertificateRecord {
  const { current, previous } = record;
  return {
    ...record,
    ...(current?.version === version ? { current: { ...current, revocation } } : {}),
    ...(previous?.version === version ? { previous: { ...previous, revocation } } : {}),
  };
}

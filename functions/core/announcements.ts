import type { FailureFacts } from './errors.ts';
import type { Announcement, Revoked, Rotated } from './events.ts';
import type { VersionId } from './certificate.ts';
import type { Attempt, CertificateRecord, CurrentVersion, OwedRevocation } from './record.ts';
import type { Instant } from './time.ts';

/** What is told of a promotion, read off the record as it was before it. */
export function announceRotation(
  record: CertificateRecord,
  attempt: Extract<Attempt, { phase: 'stored' }>,
): Announcement {
  const { dnsNames, id, reason } = attempt;
  return rotated(record, attempt, { dnsNames, attempt: id, reason });
}

/** The same of a version that was taken back and is current once more, to be tried again. */
export const announceRetry = (record: CertificateRecord, version: CurrentVersion, ref: string): Announcement =>
  rotated(record, { ...version, ref }, { dnsNames: record.spec.dnsNames, reason: 'DeploymentRetried' });

function rotated(
  record: CertificateRecord,
  {
    version,
    ref,
    secretName,
    issuerRef,
    leaf,
  }: Pick<CurrentVersion, 'version' | 'secretName' | 'issuerRef' | 'leaf'> & {
    readonly ref: string;
  },
  cause: Pick<Rotated, 'dnsNames' | 'attempt' | 'reason'>,
): Announcement {
  const { serialNumber, sha256Fingerprint, notBefore, notAfter } = leaf;
  const previous = replacedVersion(record, secretName);
  return {
    type: 'Certificate Rotated',
    detail: {
      schemaVersion: '1',
      certificate: record.id,
      generation: record.generation + 1,
      issuerRef,
      labels: record.spec.labels,
      serialNumber,
      sha256Fingerprint,
      notBefore,
      notAfter,
      store: {
        kind: 'SecretsManager',
        ref,
        version,
        ...(previous === undefined ? {} : { previousVersion: previous }),
      },
      ...cause,
    },
  };
}

/** The version that a promotion in `secretName` replaces: a changed secret name begins a new history. */
export function replacedVersion({ current }: CertificateRecord, secretName: string): VersionId | undefined {
  return current?.secretName === secretName ? current.version : undefined;
}

/** The daily cap is worth telling, once: something made this certificate order far more often than it lives. */
export function announceDeferral(
  record: CertificateRecord,
  { until, cause }: { readonly until: Instant; readonly cause: string },
): readonly Announcement[] {
  if (cause !== 'DailyCap' || record.history.at(-1)?.event === 'Deferred') return [];
  const failure: FailureFacts = {
    class: 'transient',
    code: 'DailyCapReached',
    message: `${record.orders.length} orders in 24 hours; no further one before the oldest is a day old`,
  };
  const count = Math.max(1, record.failures.count);
  return [announceFailure(record, failure, { count, blocked: false, nextAttemptAt: until })];
}

export function announceFailure(
  record: CertificateRecord,
  { class: failureClass, code, message }: FailureFacts,
  outlook: { readonly count: number; readonly blocked: boolean; readonly nextAttemptAt: number },
): Announcement {
  return {
    type: 'Certificate Renewal Failed',
    detail: {
      schemaVersion: '1',
      certificate: record.id,
      generation: record.generation,
      issuerRef: record.spec.issuerRef,
      ...(record.attempt === undefined ? {} : { attempt: record.attempt.id, reason: record.attempt.reason }),
      failure: { class: failureClass, code, message },
      failures: outlook.count,
      blocked: outlook.blocked,
      nextAttemptAt: outlook.nextAttemptAt,
      ...(record.current === undefined ? {} : { notAfter: record.current.leaf.notAfter }),
    },
  };
}

export const announceRevocation = (record: CertificateRecord, owed: OwedRevocation): Announcement => ({
  type: 'Certificate Revoked',
  detail: revocationOf(record, owed),
});

export const announceRevocationFailure = (
  record: CertificateRecord,
  owed: OwedRevocation,
  { class: failureClass, code, message }: FailureFacts,
  givenUp: boolean,
): Announcement => ({
  type: 'Certificate Revocation Failed',
  detail: {
    ...revocationOf(record, owed),
    failure: { class: failureClass, code, message },
    tries: Math.max(1, owed.tries),
    ...(givenUp ? {} : { nextAttemptAt: owed.tryAt }),
  },
});

function revocationOf({ id }: CertificateRecord, { issuerRef, leaf, version, reason, by }: OwedRevocation): Revoked {
  const { serialNumber, sha256Fingerprint } = leaf;
  const which = { issuerRef, serialNumber, sha256Fingerprint, version };
  return { schemaVersion: '1', certificate: id, ...which, reason, requestedBy: by };
}

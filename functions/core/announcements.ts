import type { FailureFacts } from './errors.ts';
import type { Announcement } from './events.ts';
import type { Attempt, CertificateRecord } from './record.ts';

/** What is told of a promotion, read off the record as it was before it. */
export function announceRotation(
  record: CertificateRecord,
  attempt: Extract<Attempt, { phase: 'stored' }>,
): Announcement {
  const previous = record.current?.secretName === record.spec.secretName ? record.current.version : undefined;
  return {
    type: 'Certificate Rotated',
    detail: {
      schemaVersion: '1',
      certificate: record.id,
      generation: record.generation + 1,
      issuerRef: record.spec.issuerRef,
      dnsNames: record.spec.dnsNames,
      ...attempt.leaf,
      store: {
        kind: 'SecretsManager',
        ref: attempt.ref,
        version: attempt.version,
        ...(previous === undefined ? {} : { previousVersion: previous }),
      },
      attempt: attempt.id,
      reason: attempt.reason,
    },
  };
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

import { ConflictError } from './errors.ts';
import type { CertificateRecord } from './record.ts';
import type { Instant } from './time.ts';

export type LeasedRecord = CertificateRecord & { readonly lease: NonNullable<CertificateRecord['lease']> };

/** Claims the record for one worker. Throws ConflictError `LeaseHeld` while another one's claim runs. */
export function claimLease(record: CertificateRecord, owner: string, now: Instant, ttlMs: number): LeasedRecord {
  const held = record.lease;
  if (held !== undefined && held.expiresAt > now) {
    throw new ConflictError('LeaseHeld', `${record.id} is being worked on by ${held.owner}`);
  }
  // The token survives release (see releaseLease), so it grows over the record's whole life.
  return { ...record, lease: { owner, token: (held?.token ?? 0) + 1, expiresAt: now + ttlMs } };
}

/** The claim ends; its token stays behind, so that the next one is greater. */
export function releaseLease(record: LeasedRecord): LeasedRecord {
  return { ...record, lease: { ...record.lease, expiresAt: 0 } };
}

/** Throws ConflictError `LeaseLost` unless `record` still carries `claim`. */
export function assertLease(record: CertificateRecord, claim: LeasedRecord['lease']): asserts record is LeasedRecord {
  if (record.lease?.token !== claim.token || record.lease.owner !== claim.owner) {
    throw new ConflictError('LeaseLost', `${record.id}: the lease ran out and another worker took over`);
  }
}

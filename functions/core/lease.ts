import { ConflictError } from './errors.ts';
import type { Lease } from './record.ts';
import type { Instant } from './time.ts';

/** What one worker at a time may hold. */
export interface Leasable {
  readonly id: string;
  readonly lease?: Lease | undefined;
}

export type Leased<R extends Leasable> = R & { readonly lease: Lease };

/** Claims the record for one worker. Throws ConflictError `LeaseHeld` while another one's claim runs. */
export function claimLease<R extends Leasable>(record: R, owner: string, now: Instant, ttlMs: number): Leased<R> {
  const held = record.lease;
  if (held !== undefined && held.expiresAt > now) {
    throw new ConflictError('LeaseHeld', `${record.id} is being worked on by ${held.owner}`);
  }
  // The token survives release (see releaseLease), so it grows over the record's whole life.
  return { ...record, lease: { owner, token: (held?.token ?? 0) + 1, expiresAt: now + ttlMs } };
}

/** The claim ends; its token stays behind, so that the next one is greater. */
export function releaseLease<R extends Leasable>(record: Leased<R>): Leased<R> {
  return { ...record, lease: { ...record.lease, expiresAt: 0 } };
}

/** Throws ConflictError `LeaseLost` unless `record` still carries `claim`. */
export function assertLease<R extends Leasable>(record: R, claim: Lease): asserts record is Leased<R> {
  if (record.lease?.token !== claim.token || record.lease.owner !== claim.owner) {
    throw new ConflictError('LeaseLost', `${record.id}: the lease ran out and another worker took over`);
  }
}

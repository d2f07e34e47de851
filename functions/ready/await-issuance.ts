import type { CertificateId, VersionId } from '../core/certificate.ts';
import { PermanentError, TransientError } from '../core/errors.ts';
import type { Inventory } from '../core/ports.ts';
import type { CertificateRecord } from '../core/record.ts';
import type { Instant } from '../core/time.ts';

/** Between two looks: a first issuance takes seconds from a private CA, and a minute or two by ACME. */
const SECONDS_BETWEEN_LOOKS = 5;

export interface WaitingParts {
  readonly inventory: Pick<Inventory, 'read'>;
  readonly clock: () => Instant;
  readonly pause: (seconds: number) => Promise<void>;
}

export interface Issued {
  readonly version: VersionId;
  readonly generation: number;
}

/**
 * Looks until a certificate has a version in use. Throws PermanentError `CertificateRetired` or `IssuanceBlocked` as soon as
 * waiting is in vain, TransientError `NotIssuedInTime` with the last failure after `deadline`.
 */
export async function awaitIssuance(id: CertificateId, deadline: Instant, parts: WaitingParts): Promise<Issued> {
  for (;;) {
    const record = (await parts.inventory.read(id))?.value;
    if (record?.current !== undefined) return { version: record.current.version, generation: record.generation };
    refuseInVain(id, record);
    if (parts.clock() >= deadline) {
      throw new TransientError('NotIssuedInTime', `${id} was not issued in time; ${soFar(record)}`);
    }
    await parts.pause(SECONDS_BETWEEN_LOOKS);
  }
}

function refuseInVain(id: CertificateId, record: CertificateRecord | undefined): void {
  if (record?.retiredAt !== undefined) {
    throw new PermanentError('CertificateRetired', `${id} is no longer in the manifest, and will not be issued`);
  }
  if (record?.failures.blocked === true) {
    throw new PermanentError('IssuanceBlocked', `${id} cannot be issued; ${soFar(record)}`);
  }
}

function soFar(record: CertificateRecord | undefined): string {
  if (record === undefined) return 'it is not in the inventory';
  const { last } = record.failures;
  return last === undefined ? 'nothing has failed so far' : `the last failure: ${last.code}: ${last.message}`;
}

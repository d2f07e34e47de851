import type { CertificateRecord } from '../../functions/core/record.ts';
import type { Rehearsal } from './rehearsal.ts';

/** What was seen from outside: as a consumer reads secrets, and as the twin saw the wire. */
export interface Proof {
  readonly chainsVerified: number;
  readonly awsCalls: number;
  /** To the embedded ACME CAs; those to a server that the user runs are not seen. */
  readonly acmeRequests: number;
  readonly callsDenied: number;
  readonly privateKeysOutsideTheStore: number;
  readonly faults: readonly string[];
}

/** `seen`: faults that were found already. */
export async function prove(
  rehearsal: Rehearsal,
  records: readonly CertificateRecord[],
  seen: readonly string[],
): Promise<Proof> {
  const now = rehearsal.now();
  const chainFaults: string[] = [];
  for (const record of records) {
    const fault =
      record.current === undefined ? `${record.id} has no certificate` : await rehearsal.faultOf(record, now);
    if (fault !== undefined) chainFaults.push(fault);
  }
  const { calls, acmeRequests, keyFindings, problems } = rehearsal.witnessed();
  const denied = calls.filter(({ errorCode }) => errorCode?.startsWith('AccessDenied') === true);
  return {
    chainsVerified: records.length - chainFaults.length,
    awsCalls: calls.length,
    acmeRequests,
    callsDenied: denied.length,
    privateKeysOutsideTheStore: keyFindings.length,
    faults: [
      ...seen,
      ...chainFaults,
      ...keyFindings,
      ...problems,
      ...denied.map(({ operation }) => `${operation} was denied`),
    ],
  };
}

import { dueAt } from '../../functions/core/decide.ts';
import type { CertificateRecord } from '../../functions/core/record.ts';
import { type CertificateState, standingOf, stateOf } from '../../functions/core/standing.ts';
import { type Instant, toTimestamp } from '../../functions/core/time.ts';
import { fleetRow, type FleetRow } from '../twin/fleet-table.ts';
import { remedyFor } from './remedies.ts';

/** One certificate as `status --json` prints it. */
export interface StatusRow extends Omit<FleetRow, 'state' | 'lastFailure'> {
  readonly state: CertificateState;
  /** When it is looked at next; absent: never, unless something changes. */
  readonly nextLook?: string;
  readonly lastError?: {
    readonly code: string;
    readonly message: string;
    readonly at: string;
    readonly remedy: string;
    /** In a row. */
    readonly failures: number;
  };
  /** Asked for, and still owed by the CA. */
  readonly revocations?: readonly { readonly version: string; readonly reason: string; readonly tries: number }[];
}

export function statusRow(record: CertificateRecord, now: Instant): StatusRow {
  const { state: _state, lastFailure: _lastFailure, ...row } = fleetRow(record);
  const { failures, revocations = [] } = record;
  const due = dueAt(record);
  return {
    ...row,
    state: stateOf(standingOf(record), now),
    ...(due === undefined ? {} : { nextLook: toTimestamp(due) }),
    ...(failures.last === undefined || failures.count === 0
      ? {}
      : {
          lastError: {
            code: failures.last.code,
            message: failures.last.message,
            at: toTimestamp(failures.last.at),
            remedy: remedyFor(failures.last.code),
            failures: failures.count,
          },
        }),
    ...(revocations.length === 0
      ? {}
      : { revocations: revocations.map(({ version, reason, tries }) => ({ version, reason, tries })) }),
  };
}

/** What a script, or a person at night, should not overlook. */
export const needsAttention = ({ state }: Pick<StatusRow, 'state'>): boolean =>
  state === 'expired' || state === 'blocked' || state === 'failing' || state === 'not deployed';

import type { Announcement } from './events.ts';
import type { CertificateRecord, Transition } from './record.ts';
import { SECOND_MS } from './time.ts';

/** CloudWatch's namespace for all of them; the dimension `service` is the deployment. */
export const METRIC_NAMESPACE = 'Everleaf';

/**
 * Every metric there is, in CloudWatch's units. None has a dimension for certificates or issuers: CloudWatch bills each, and a
 * fleet has thousands. Which one it was is in the log and in the inventory.
 */
export const METRICS = {
  Heartbeat: { unit: 'Count', tells: 'looks for certificates that are due, of those that came to their end' },
  CertificatesDue: { unit: 'Count', tells: 'certificates that wanted a look' },
  CertificatesTold: { unit: 'Count', tells: 'of those, how many were told to the queue' },
  OldestDue: {
    unit: 'Seconds',
    tells: 'how long the certificate that waits longest has been due: the latency of the pipeline',
  },
  RenewalsSucceeded: { unit: 'Count', tells: 'new versions that became current' },
  RenewalsFailed: { unit: 'Count', tells: 'tries that failed, of any certificate and for any reason' },
  RenewalTime: { unit: 'Seconds', tells: 'from the start of an attempt until its version was current' },
  OrdersPlaced: { unit: 'Count', tells: 'calls that may have led to a certificate' },
  OrdersCapped: { unit: 'Count', tells: 'orders put off because the certificate had placed too many in a day' },
  CircuitOpen: { unit: 'Count', tells: 'calls to a CA that were not made because its last ones had failed' },
  CaResponseTime: { unit: 'Milliseconds', tells: 'how long a CA took to answer one step of an order' },
  IssuerBudgetLeft: {
    unit: 'Percent',
    tells: 'how much of its orders the issuer with the least has left, of those that somebody waits for',
  },
  RolloutsSucceeded: { unit: 'Count', tells: 'versions that every endpoint was seen to serve' },
  RolloutsFailed: { unit: 'Count', tells: 'deployments that were rolled back, halted or left incomplete' },
  Surveys: { unit: 'Count', tells: 'looks at the whole fleet, of those that came to their end' },
  Certificates: { unit: 'Count', tells: 'certificates that are renewed' },
  CertificatesNotIssued: { unit: 'Count', tells: 'declared for over an hour, and never issued' },
  CertificatesFailing: { unit: 'Count', tells: 'whose tries have failed four times in a row or more, and go on' },
  CertificatesBlocked: { unit: 'Count', tells: 'that only a person or a changed manifest can get on' },
  CertificatesNotDeployed: { unit: 'Count', tells: 'whose last deployment failed: rolled back, halted or incomplete' },
  RevocationsFailing: {
    unit: 'Count',
    tells: 'certificates, removed ones too, with a leaf that a CA has refused to revoke four times or more',
  },
  CertificatesExpired: { unit: 'Count', tells: 'in use past their expiry' },
  LifetimeLeft: { unit: 'Percent', tells: 'the share of its lifetime that the certificate nearest to expiry has left' },
  RenewalTimeLeft: {
    unit: 'Percent',
    tells: 'the share of the time between planned renewal and expiry that the certificate with the least has left',
  },
} as const satisfies Readonly<Record<string, { readonly unit: MetricUnit; readonly tells: string }>>;

export type MetricUnit = 'Count' | 'Percent' | 'Seconds' | 'Milliseconds';
export type MetricName = keyof typeof METRICS;

/** Where measurements go. Values are in the unit that {@link METRICS} gives the name. */
export interface Meter {
  readonly record: (name: MetricName, value: number) => void;
}

/** What one line of the audit trail of `record` is worth measuring. */
export function measure({ history }: CertificateRecord, { event, cause, attempt, at }: Transition, meter: Meter): void {
  switch (event) {
    case 'OrderIntended':
    case 'OrderIntendedAgain':
      return meter.record('OrdersPlaced', 1);
    case 'AttemptFailed':
      return meter.record('RenewalsFailed', 1);
    case 'Deferred':
      return cause === 'DailyCap' ? meter.record('OrdersCapped', 1) : undefined;
    case 'VersionPromoted': {
      meter.record('RenewalsSucceeded', 1);
      const start = history.findLast((entry) => entry.event === 'AttemptStarted' && entry.attempt === attempt);
      // A trail that had to be cut no longer says.
      return start === undefined ? undefined : meter.record('RenewalTime', (at - start.at) / SECOND_MS);
    }
  }
}

/** How roll-outs ended, by what is told of them. */
export function measureRollouts(announcements: readonly Announcement[], meter: Meter): void {
  for (const { type } of announcements) {
    if (type === 'Certificate Deployed') meter.record('RolloutsSucceeded', 1);
    if (type === 'Certificate Deployment Failed' || type === 'Certificate Rolled Back')
      meter.record('RolloutsFailed', 1);
  }
}

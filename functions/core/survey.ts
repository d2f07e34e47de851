import type { Meter } from './metrics.ts';
import type { Standing } from './standing.ts';
import { HOUR_MS, type Instant } from './time.ts';

/** The certificates named one by one, those with the least time left first. */
const NAMED = 20;

/** Failures in a row that are no accident any more: by the usual backoff, two hours of them. */
const FAILURES_TO_TELL = 4;

/** A certificate that was declared may take so long to be issued. */
const FIRST_ISSUANCE_MS = HOUR_MS;

/** One certificate of {@link FleetSurvey.nearest}. Shares are per cent. */
export interface NearExpiry extends Standing {
  readonly inUse: NonNullable<Standing['inUse']>;
  readonly lifetimeLeft: number;
  readonly renewalTimeLeft: number;
}

/** What a look at every certificate told. */
export interface FleetSurvey {
  readonly certificates: number;
  readonly failing: number;
  readonly blocked: number;
  readonly notIssued: number;
  readonly expired: number;
  readonly notDeployed: number;
  readonly revocationFailing: number;
  /** Those that have the least of their renewal time left, then those that expire first. */
  readonly nearest: readonly NearExpiry[];
  /** Least of all, per cent; 100 where nothing is in use. */
  readonly lifetimeLeft: number;
  readonly renewalTimeLeft: number;
}

/** Looks at certificates one after another, in memory for a few of them, however many there are. */
export async function surveyFleet(standings: AsyncIterable<Standing>, now: Instant): Promise<FleetSurvey> {
  const counts = {
    certificates: 0,
    failing: 0,
    blocked: 0,
    notIssued: 0,
    expired: 0,
    notDeployed: 0,
    revocationFailing: 0,
  };
  let lifetimeLeft = 100;
  let nearest: NearExpiry[] = [];
  for await (const each of standings) {
    if (each.isRevocationFailing === true) counts.revocationFailing += 1;
    if (each.isRetired) continue;
    counts.certificates += 1;
    const { inUse, failures } = each;
    if (failures.blocked) counts.blocked += 1;
    else if (failures.count >= FAILURES_TO_TELL) counts.failing += 1;
    if (inUse === undefined) {
      if (now - each.knownSince > FIRST_ISSUANCE_MS) counts.notIssued += 1;
      continue;
    }
    if (inUse.notAfter <= now) counts.expired += 1;
    if (each.isUndeployed) counts.notDeployed += 1;
    const near = { ...each, inUse, ...sharesLeft(inUse, now) };
    lifetimeLeft = Math.min(lifetimeLeft, near.lifetimeLeft);
    nearest.push(near);
    if (nearest.length >= 2 * NAMED) nearest = inOrder(nearest);
  }
  nearest = inOrder(nearest);
  return { ...counts, nearest, lifetimeLeft, renewalTimeLeft: nearest[0]?.renewalTimeLeft ?? 100 };
}

const inOrder = (certificates: readonly NearExpiry[]): NearExpiry[] =>
  [...certificates]
    .sort((a, b) => a.renewalTimeLeft - b.renewalTimeLeft || a.inUse.notAfter - b.inUse.notAfter)
    .slice(0, NAMED);

function sharesLeft(
  { notBefore, notAfter, renewAt }: NonNullable<Standing['inUse']>,
  now: Instant,
): { lifetimeLeft: number; renewalTimeLeft: number } {
  return {
    lifetimeLeft: percent(notAfter - now, notAfter - notBefore),
    renewalTimeLeft: percent(notAfter - now, notAfter - renewAt),
  };
}

/** Between nothing and all of it; of no time at all, nothing is left. */
const percent = (left: number, whole: number): number =>
  whole <= 0 ? (left > 0 ? 100 : 0) : Math.min(100, Math.max(0, (100 * left) / whole));

export function measureSurvey(survey: FleetSurvey, meter: Meter): void {
  meter.record('Certificates', survey.certificates);
  meter.record('CertificatesFailing', survey.failing);
  meter.record('CertificatesBlocked', survey.blocked);
  meter.record('CertificatesNotIssued', survey.notIssued);
  meter.record('CertificatesExpired', survey.expired);
  meter.record('CertificatesNotDeployed', survey.notDeployed);
  meter.record('RevocationsFailing', survey.revocationFailing);
  meter.record('LifetimeLeft', survey.lifetimeLeft);
  meter.record('RenewalTimeLeft', survey.renewalTimeLeft);
  meter.record('Surveys', 1);
}

import { SHORT_LIFETIME_MS } from '../../functions/core/schedule.ts';
import { DAY_MS } from '../../functions/core/time.ts';
import {
  ACM_PCA_RENEWAL,
  ACME_LOOK,
  ACME_RENEWAL,
  type Counted,
  IDLE_TICK,
  RECORD_BYTES,
  RESOURCES,
  STANDING_BYTES,
  SURVEY,
} from './counted.ts';
import { costOf } from './prices.ts';

export interface Fleet {
  readonly certificates: number;
  readonly lifetimeDays: number;
  readonly issuer: 'acm-pca' | 'acme';
}

/** US dollars a month, by what is paid for. */
export type Bill = Readonly<Record<(typeof LINES)[number], number>>;

export const LINES = [
  'secrets',
  'calls of the secret store',
  'inventory',
  'functions',
  'events and queue',
  'monitoring',
  'key',
] as const;

export const DAYS_PER_MONTH = 365 / 12;
const TICKS_PER_MONTH = DAYS_PER_MONTH * 24 * 60;
const SURVEYS_PER_MONTH = DAYS_PER_MONTH * 24 * 12;
/** An ACME CA says when to ask again: every six hours, as a rule. */
const LOOKS_PER_MONTH = DAYS_PER_MONTH * 4;
const GIGABYTE = 1e9;

/** Not counted, because the twin cannot: assumed, and rather too much. */
export const ASSUMED = {
  seconds: { tick: 1, survey: 1, surveyPerThousand: 0.2, acmPcaRenewal: 10, acmeRenewal: 30, look: 2 },
  /** Lambda's own lines of each invocation. */
  platformLogBytes: 600,
  /** Lambda asks an idle queue by five connections that each wait for twenty seconds. */
  idleQueueRequests: (5 * TICKS_PER_MONTH * 60) / 20,
  /** EventBridge sends, Lambda receives and deletes. */
  queueRequestsPerHint: 3,
  /** KMS is asked for a data key for what is written, after what is there was decrypted; and for each read. */
  keyRequests: { 'secretsmanager PutSecretValue': 2, 'secretsmanager GetSecretValue': 1 },
  logMonths: 3,
} as const;

/** Renewals of one certificate, by the schedule's default: two thirds into its life, half into a short one. */
export function renewalsPerMonth(lifetimeDays: number): number {
  const share = lifetimeDays * DAY_MS < SHORT_LIFETIME_MS ? 1 / 2 : 2 / 3;
  return DAYS_PER_MONTH / (lifetimeDays * share);
}

/** Something that a function does, so many times a month. */
interface Work {
  readonly times: number;
  readonly counted: Counted;
  readonly gigabyteSeconds: number;
}

/** What AWS asks for running Everleaf: without the CA, and without what consumers read. */
export function monthlyBill({ certificates, lifetimeDays, issuer }: Fleet): Bill {
  const { seconds } = ASSUMED;
  const { Detect, Issue, Survey } = RESOURCES.memoryMiB;
  const issuing = (times: number, counted: Counted, secondsEach: number): Work => ({
    times,
    counted,
    gigabyteSeconds: (Issue / 1_024) * secondsEach,
  });
  const renewals = certificates * renewalsPerMonth(lifetimeDays);
  const perCertificate =
    issuer === 'acm-pca'
      ? [issuing(renewals, ACM_PCA_RENEWAL, seconds.acmPcaRenewal)]
      : [
          issuing(renewals, ACME_RENEWAL, seconds.acmeRenewal),
          issuing(certificates * LOOKS_PER_MONTH, ACME_LOOK, seconds.look),
        ];
  const surveySeconds = seconds.survey + (certificates / 1_000) * seconds.surveyPerThousand;
  const scheduled = [
    { times: TICKS_PER_MONTH, counted: IDLE_TICK, gigabyteSeconds: (Detect / 1_024) * seconds.tick },
    { times: SURVEYS_PER_MONTH, counted: surveyOf(certificates), gigabyteSeconds: (Survey / 1_024) * surveySeconds },
  ];
  const hints = perCertificate.reduce((sum, { times }) => sum + times, 0);
  const ticks = TICKS_PER_MONTH + SURVEYS_PER_MONTH;
  const work = [...scheduled, ...perCertificate];
  const total = (each: (work: Work) => number): number => work.reduce((sum, one) => sum + one.times * each(one), 0);
  const calls = (prefix: string) =>
    total(({ counted }) =>
      Object.entries(counted.calls).reduce((sum, [name, times]) => sum + (name.startsWith(prefix) ? times : 0), 0),
    );
  const keyRequests = Object.entries(ASSUMED.keyRequests).reduce((sum, [call, each]) => sum + each * calls(call), 0);
  const logGigabytes = total(({ counted }) => counted.logBytes + ASSUMED.platformLogBytes) / GIGABYTE;
  const storedGigabytes = (certificates * (RECORD_BYTES + STANDING_BYTES)) / GIGABYTE;
  return {
    secrets: costOf('secret', certificates),
    'calls of the secret store': costOf('secretCall', calls('secretsmanager ')) + costOf('keyRequest', keyRequests),
    inventory:
      costOf(
        'readUnit',
        total(({ counted }) => counted.readUnits),
      ) +
      costOf(
        'writeUnit',
        total(({ counted }) => counted.writeUnits),
      ) +
      costOf('tableGigabyte', storedGigabytes) +
      costOf('backupGigabyte', storedGigabytes),
    functions:
      costOf(
        'invocation',
        total(() => 1),
      ) +
      costOf(
        'gigabyteSecond',
        total(({ gigabyteSeconds }) => gigabyteSeconds),
      ),
    'events and queue':
      costOf('event', calls('events PutEvents') + ticks) +
      costOf('queueRequest', ASSUMED.idleQueueRequests + hints * ASSUMED.queueRequestsPerHint),
    monitoring:
      costOf('metric', RESOURCES.customMetrics) +
      costOf('alarm', RESOURCES.alarms) +
      costOf('compositeAlarm', RESOURCES.compositeAlarms) +
      costOf('dashboard', RESOURCES.dashboards) +
      // Of what comes within one second X-Ray samples a part: this is the most.
      costOf(
        'trace',
        total(() => 1),
      ) +
      costOf('logGigabyte', logGigabytes) +
      costOf('keptLogGigabyte', logGigabytes * ASSUMED.logMonths),
    key: costOf('key', RESOURCES.keys),
  };
}

/** A survey reads every certificate's entry, eventually consistent: half a unit for 4 KB. */
function surveyOf(certificates: number): Counted {
  const read = (certificates * STANDING_BYTES) / 4_096 / 2;
  return { ...SURVEY, readUnits: Math.max(SURVEY.readUnits, read) };
}

export const sumOf = (bill: Bill): number => Object.values(bill).reduce((sum, usd) => sum + usd, 0);

/** AWS Private CA's own price for the same fleet, whoever orders. Short-lived mode signs for seven days at most. */
export function privateCaPrice({ certificates, lifetimeDays }: Omit<Fleet, 'issuer'>): number {
  const issued = certificates * renewalsPerMonth(lifetimeDays);
  if (lifetimeDays <= 7) return costOf('shortLivedCa', 1) + costOf('shortLivedCertificate', issued);
  const [first, next] = [Math.min(issued, 1_000), Math.min(Math.max(issued - 1_000, 0), 9_000)];
  return (
    costOf('privateCa', 1) +
    costOf('privateCertificate', first) +
    costOf('privateCertificateNext', next) +
    costOf('privateCertificateRest', Math.max(issued - 10_000, 0))
  );
}

/** ACM signs for 198 days and renews 45 days before they end. */
const EXPORTABLE_RENEWAL_DAYS = 198 - 45;

export const exportablePrice = (certificates: number, kind: 'exportableName' | 'exportableWildcard'): number =>
  costOf(kind, (certificates * DAYS_PER_MONTH) / EXPORTABLE_RENEWAL_DAYS);

/** A cluster for cert-manager alone: its control plane, and two small nodes. */
export const clusterPrice = (): number => {
  const hours = DAYS_PER_MONTH * 24;
  return costOf('cluster', hours) + costOf('node', 2 * hours);
};

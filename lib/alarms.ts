import { Duration, Names } from 'aws-cdk-lib';
import {
  Alarm,
  AlarmRule,
  ComparisonOperator,
  CompositeAlarm,
  type IMetric,
  MathExpression,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { EventBus, Rule } from 'aws-cdk-lib/aws-events';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct, type IDependable } from 'constructs';
import type { EverleafFunction } from './everleaf-function.ts';
import { deploymentMetric, failedInvocations } from './metrics.ts';
import { SURVEY_PERIOD } from './survey.ts';

export interface AlarmsProps {
  readonly deployment: string;
  /** What begins to measure: no alarm is there before it. */
  readonly after: IDependable;
  /** By what each does, as its alarm is named. */
  readonly functions: Readonly<Record<string, EverleafFunction>>;
  readonly bus: EventBus;
  /** By what each brings, as its alarms are named. */
  readonly deliveries: Readonly<Record<string, Delivery>>;
  /** Told when the page begins and ends. */
  readonly pageTopics: readonly ITopic[];
  /** Told when any of the others begins and ends. */
  readonly noticeTopics: readonly ITopic[];
}

/** The way from the bus to a function. */
export interface Delivery {
  readonly rule: Rule;
  readonly queue: Queue;
  readonly deadLetters: Queue;
}

/** One way in which this can fail, and how it shows. */
interface Symptom {
  /** For people, as a sentence without its point. */
  readonly what: string;
  readonly metric: IMetric;
  readonly breaches: readonly ['<' | '>=', number];
  /** What it means when nothing was measured. Absent: that all is well. */
  readonly missing?: TreatMissingData;
  /** What a period counts as in which nothing was measured. */
  readonly unmeasured?: number;
}

/**
 * CloudWatch looks further back than an alarm's periods, and goes by what it finds there for as long as there is enough of it, whatever
 * the alarm says of missing data (CloudWatch User Guide, "How alarm state is evaluated when data is missing"). What is filled in is there at once.
 */
const filled = (metric: IMetric, value: number): MathExpression => {
  const period = metric.toMetricConfig().metricStat?.period;
  if (period === undefined) throw new Error('only a metric itself can be filled in');
  return new MathExpression({ expression: `FILL(measured, ${value})`, usingMetrics: { measured: metric }, period });
};

/** Ticks may be late; so long without one is silence. */
const SILENCE = Duration.minutes(15);
const MINUTES_5 = Duration.minutes(5);
const HOUR = Duration.hours(1);

/**
 * One alarm for each way of failing, with its entry in the runbook. Some mean that a certificate is going to expire unless
 * somebody does something: those make the one alarm that pages. The others tell of it while there is time.
 */
export class Alarms extends Construct {
  /** Every one but the page. */
  readonly all: readonly Alarm[];
  /** Rings when somebody has to get up. */
  readonly page: CompositeAlarm;

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    const paging = this.#create(pagingSymptoms(props.deployment));
    const telling = this.#create({ ...tellingSymptoms(props.deployment), ...partSymptoms(props) });
    this.all = [...paging, ...telling];
    this.page = new CompositeAlarm(this, 'Page', {
      // The CDK would make its name of ids alone, and two stacks of one account may have the same.
      compositeAlarmName: `${Names.uniqueResourceName(this, { maxLength: 200, separator: '-' })}-Page`,
      alarmDescription: describe('Page', 'Certificates expire unless somebody does something'),
      alarmRule: AlarmRule.anyOf(...paging),
    });
    this.node.addDependency(props.after);
    for (const topic of props.pageTopics) notify(this.page, topic);
    for (const topic of props.noticeTopics) for (const alarm of this.all) notify(alarm, topic);
  }

  #create(symptoms: Readonly<Record<string, Symptom>>): readonly Alarm[] {
    return Object.entries(symptoms).map(
      ([name, { what, metric, breaches, missing = TreatMissingData.NOT_BREACHING, unmeasured }]) =>
        new Alarm(this, name, {
          alarmDescription: describe(name, what),
          metric: unmeasured === undefined ? metric : filled(metric, unmeasured),
          threshold: breaches[1],
          comparisonOperator:
            breaches[0] === '<'
              ? ComparisonOperator.LESS_THAN_THRESHOLD
              : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
          evaluationPeriods: 1,
          treatMissingData: missing,
        }),
    );
  }
}

/** Nobody renews, nobody looks, or what they did was not enough. */
function pagingSymptoms(deployment: string): Readonly<Record<string, Symptom>> {
  const metric = deploymentMetric(deployment);
  const silent = { breaches: ['<', 1], missing: TreatMissingData.BREACHING, unmeasured: 0 } as const;
  return {
    ExpiryNear: {
      what: 'A certificate has less than half of the time left that was planned for its renewal',
      metric: metric('RenewalTimeLeft', 'Minimum', SURVEY_PERIOD),
      breaches: ['<', 50],
      // The silence of the survey has an alarm of its own.
      missing: TreatMissingData.IGNORE,
    },
    CertificateExpired: {
      what: 'A certificate in use has expired',
      metric: metric('CertificatesExpired', 'Maximum', SURVEY_PERIOD),
      breaches: ['>=', 1],
      missing: TreatMissingData.IGNORE,
    },
    HeartbeatMissing: {
      what: 'Nothing has looked for due certificates',
      metric: metric('Heartbeat', 'Sum', SILENCE),
      ...silent,
    },
    SurveyMissing: {
      what: 'Nobody knows how near expiry is: the fleet has not been looked at',
      metric: metric('Surveys', 'Sum', SILENCE),
      ...silent,
    },
  };
}

/** Something is wrong with certificates, or with those who sign them. */
function tellingSymptoms(deployment: string): Readonly<Record<string, Symptom>> {
  const metric = deploymentMetric(deployment);
  const anyCertificate = (name: Parameters<typeof metric>[0]) =>
    ({
      metric: metric(name, 'Maximum', SURVEY_PERIOD),
      breaches: ['>=', 1],
      missing: TreatMissingData.IGNORE,
    }) as const;
  return {
    CertificateBlocked: {
      what: 'A certificate is renewed no more until somebody changes something',
      ...anyCertificate('CertificatesBlocked'),
    },
    RenewalFailing: { what: 'The renewal of a certificate keeps failing', ...anyCertificate('CertificatesFailing') },
    NotDeployed: {
      what: 'A certificate could not be brought to where it is served, and is held',
      ...anyCertificate('CertificatesNotDeployed'),
    },
    NotIssued: {
      what: 'A certificate was declared over an hour ago and is not issued',
      ...anyCertificate('CertificatesNotIssued'),
    },
    RevocationFailing: {
      what: 'A CA keeps refusing to revoke a leaf',
      ...anyCertificate('RevocationsFailing'),
    },
    RenewalLate: {
      what: 'A certificate has been due for an hour and nobody has taken it up',
      metric: metric('OldestDue', 'Minimum', MINUTES_5),
      breaches: ['>=', HOUR.toSeconds()],
    },
    CircuitOpen: {
      what: 'A CA failed so often that it is left alone for a while',
      metric: metric('CircuitOpen', 'Sum', HOUR),
      breaches: ['>=', 1],
      unmeasured: 0,
    },
    IssuerBudgetLow: {
      what: 'An issuer had less than a tenth of its orders left whenever it was asked in the last hour',
      // All through the hour; nobody waits for one that was not measured.
      metric: metric('IssuerBudgetLeft', 'Maximum', HOUR),
      breaches: ['<', 10],
      unmeasured: 100,
    },
    DailyCapReached: {
      what: 'A certificate was ordered so often in a day that it has to wait',
      metric: metric('OrdersCapped', 'Sum', HOUR),
      breaches: ['>=', 1],
      unmeasured: 0,
    },
  };
}

/** A part of the pipeline fails as a whole. */
function partSymptoms({ functions, deliveries, bus }: AlarmsProps): Readonly<Record<string, Symptom>> {
  const symptoms: Record<string, Symptom> = {};
  for (const [name, { lambda }] of Object.entries(functions)) {
    symptoms[`${name}Errors`] = {
      what: `The ${name.toLowerCase()} function failed`,
      metric: lambda.metricErrors({ period: MINUTES_5 }),
      breaches: ['>=', 1],
      unmeasured: 0,
    };
  }
  for (const [name, { rule, queue, deadLetters }] of Object.entries(deliveries)) {
    symptoms[`${name}DeliveryFailed`] = {
      what: 'A rule could not hand an event over to its queue',
      metric: failedInvocations(rule, bus, MINUTES_5),
      breaches: ['>=', 1],
      unmeasured: 0,
    };
    symptoms[`${name}QueueStuck`] = {
      what: 'A message has waited for longer than any delay that it can carry',
      metric: queue.metricApproximateAgeOfOldestMessage({ period: MINUTES_5 }),
      breaches: ['>=', Duration.minutes(30).toSeconds()],
    };
    symptoms[`${name}DeadLetters`] = {
      what: 'Messages were given up on',
      metric: deadLetters.metricApproximateNumberOfMessagesVisible({ period: MINUTES_5 }),
      breaches: ['>=', 1],
    };
  }
  return symptoms;
}

const notify = (alarm: Alarm | CompositeAlarm, topic: ITopic): void => {
  alarm.addAlarmAction(new SnsAction(topic));
  alarm.addOkAction(new SnsAction(topic));
};

/** `ExpiryNear` is `expiry-near` in the runbook. */
const describe = (name: string, what: string): string =>
  `${what}. See docs/runbook.md#${name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase()}`;

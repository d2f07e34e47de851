import { Duration } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IMetric,
  type IWidget,
  LogQueryVisualizationType,
  LogQueryWidget,
  PeriodOverride,
  Row,
  SingleValueWidget,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { Alarms, Delivery } from './alarms.ts';
import type { EverleafFunction } from './everleaf-function.ts';
import { deploymentMetric } from './metrics.ts';
import { SURVEY_PERIOD } from './survey.ts';

export interface DashboardProps {
  readonly deployment: string;
  readonly alarms: Alarms;
  readonly functions: Readonly<Record<string, EverleafFunction>>;
  readonly deliveries: Readonly<Record<string, Delivery>>;
  readonly survey: EverleafFunction;
  readonly issue: EverleafFunction;
}

/** CloudWatch's grid. */
const COLUMNS = 24;
const GRAPH_HEIGHT = 6;
const TABLE_HEIGHT = 8;
const PER_CENT = { min: 0, max: 100, label: '%', showUnits: false };
const COUNT = { min: 0, showUnits: false };

/** Whether anything is about to expire, and why: from the top of the page down to the parts of the pipeline. */
export class FleetDashboard extends Construct {
  constructor(scope: Construct, id: string, props: DashboardProps) {
    super(scope, id);
    const dashboard = new Dashboard(this, 'Dashboard', {
      defaultInterval: Duration.days(1),
      periodOverride: PeriodOverride.INHERIT,
    });
    for (const row of [answers(props), tables(props), renewals(props), waits(props)]) {
      dashboard.addWidgets(new Row(...row));
    }
  }
}

/** Is anything about to expire? */
function answers({ deployment, alarms }: DashboardProps): IWidget[] {
  const metric = deploymentMetric(deployment);
  const last = (title: string, metrics: readonly IMetric[], width: number): IWidget =>
    new SingleValueWidget({ title, metrics: [...metrics], width, height: 4, setPeriodToTimeRange: false });
  return [
    new TextWidget({
      markdown: `# Everleaf ${deployment}\nWhich alarm means what, and what to type: docs/runbook.md`,
      width: COLUMNS,
      height: 2,
    }),
    new AlarmStatusWidget({ title: 'Alarms', alarms: [alarms.page, ...alarms.all], width: 10, height: 4 }),
    last(
      'Least time left',
      [
        metric('RenewalTimeLeft', 'Minimum', SURVEY_PERIOD).with({ label: 'for its renewal, %' }),
        metric('LifetimeLeft', 'Minimum', SURVEY_PERIOD).with({ label: 'of its life, %' }),
      ],
      6,
    ),
    last(
      'Certificates',
      [
        metric('Certificates', 'Maximum', SURVEY_PERIOD).with({ label: 'renewed' }),
        metric('CertificatesFailing', 'Maximum', SURVEY_PERIOD).with({ label: 'failing' }),
        metric('CertificatesBlocked', 'Maximum', SURVEY_PERIOD).with({ label: 'blocked' }),
        metric('CertificatesNotIssued', 'Maximum', SURVEY_PERIOD).with({ label: 'not issued' }),
        metric('CertificatesNotDeployed', 'Maximum', SURVEY_PERIOD).with({ label: 'undeployed' }),
        metric('CertificatesExpired', 'Maximum', SURVEY_PERIOD).with({ label: 'expired' }),
      ],
      8,
    ),
  ];
}

/** Which, and why. Each survey names the nearest; the last one's are shown. */
function tables({ survey, issue }: DashboardProps): IWidget[] {
  const { logGroupName: surveyed } = survey.lambda.logGroup;
  const { logGroupName: issued } = issue.lambda.logGroup;
  const view = LogQueryVisualizationType.TABLE;
  return [
    new LogQueryWidget({
      title: 'Nearest to expiry',
      logGroupNames: [surveyed],
      view,
      width: COLUMNS / 2,
      height: TABLE_HEIGHT,
      queryLines: [
        'filter message = "near expiry" and toMillis(@timestamp) > (now() - 420) * 1000',
        'stats latest(state) as State, latest(notAfter) as NotAfter, latest(renewalTimeLeft) as TimeLeft, latest(failure) as Failure by certificate',
        'sort TimeLeft asc, NotAfter asc',
        'limit 20',
      ],
    }),
    new LogQueryWidget({
      title: 'Last failures',
      logGroupNames: [issued],
      view,
      width: COLUMNS / 2,
      height: TABLE_HEIGHT,
      queryLines: [
        'filter message = "renewal failed"',
        'fields @timestamp, certificate, failure.code as Code, failure.message as Why',
        'sort @timestamp desc',
        'limit 20',
      ],
    }),
  ];
}

/** Does it renew? */
function renewals({ deployment }: DashboardProps): IWidget[] {
  const metric = deploymentMetric(deployment);
  const hourly = Duration.hours(1);
  return [
    graph('Time left, least of all', PER_CENT, [
      metric('RenewalTimeLeft', 'Minimum', SURVEY_PERIOD).with({ label: 'for its renewal' }),
      metric('LifetimeLeft', 'Minimum', SURVEY_PERIOD).with({ label: 'of its life' }),
    ]),
    graph('Renewals an hour', COUNT, [
      metric('RenewalsSucceeded', 'Sum', hourly).with({ label: 'succeeded' }),
      metric('RenewalsFailed', 'Sum', hourly).with({ label: 'failed' }),
      metric('OrdersPlaced', 'Sum', hourly).with({ label: 'orders placed' }),
      metric('RolloutsSucceeded', 'Sum', hourly).with({ label: 'deployed' }),
      metric('RolloutsFailed', 'Sum', hourly).with({ label: 'deployment failed' }),
    ]),
    graph('CAs’ response time', { ...COUNT, label: 'ms' }, [
      metric('CaResponseTime', 'p50', SURVEY_PERIOD).with({ label: 'half' }),
      metric('CaResponseTime', 'p99', SURVEY_PERIOD).with({ label: '99 of 100' }),
    ]),
  ];
}

/** Where does it wait? */
function waits({ deployment, deliveries, functions }: DashboardProps): IWidget[] {
  const metric = deploymentMetric(deployment);
  const ages = Object.entries(deliveries).map(([name, { queue }]) =>
    queue.metricApproximateAgeOfOldestMessage({ label: `${name.toLowerCase()} queue`, period: SURVEY_PERIOD }),
  );
  return [
    graph('Longest wait', { ...COUNT, label: 's' }, [
      metric('OldestDue', 'Maximum', SURVEY_PERIOD).with({ label: 'due' }),
      ...ages,
      metric('RenewalTime', 'Maximum', SURVEY_PERIOD).with({ label: 'from start to current' }),
    ]),
    graph('What CAs still take', PER_CENT, [
      metric('IssuerBudgetLeft', 'Minimum', SURVEY_PERIOD).with({ label: 'orders left' }),
    ]),
    graph(
      'Functions that failed',
      COUNT,
      Object.entries(functions).map(([name, { lambda }]) =>
        lambda.metricErrors({ label: name.toLowerCase(), period: SURVEY_PERIOD }),
      ),
    ),
  ];
}

const graph = (title: string, leftYAxis: object, left: IMetric[]): IWidget =>
  new GraphWidget({ title, left, leftYAxis, width: COLUMNS / 3, height: GRAPH_HEIGHT });

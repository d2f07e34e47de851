import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { EverleafFunction } from './everleaf-function.ts';
import type { Queue } from 'aws-cdk-lib/aws-sqs';

export interface AlarmsProps {
  readonly functions: Readonly<Record<'Detect' | 'Issue' | 'Sync', EverleafFunction>>;
  readonly deadLetters: Queue;
}

/** Ticks may be late; this many minutes without one is silence. */
const HEARTBEAT_MINUTES = 15;

/** One alarm for each way of failing that a service metric shows. Each has its entry in the runbook. */
export class Alarms extends Construct {
  constructor(scope: Construct, id: string, { functions, deadLetters }: AlarmsProps) {
    super(scope, id);
    for (const [name, { lambda }] of Object.entries(functions)) {
      new Alarm(this, `${name}Errors`, {
        alarmDescription: describe(`The ${name.toLowerCase()} function failed`, `${name.toLowerCase()}-errors`),
        metric: lambda.metricErrors({ period: Duration.minutes(5) }),
        threshold: 1,
        evaluationPeriods: 1,
        comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treatMissingData: TreatMissingData.NOT_BREACHING,
      });
    }
    new Alarm(this, 'HeartbeatMissing', {
      alarmDescription: describe('Nothing has looked for due certificates', 'heartbeat-missing'),
      metric: functions.Detect.lambda.metricInvocations({ period: Duration.minutes(HEARTBEAT_MINUTES) }),
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      treatMissingData: TreatMissingData.BREACHING,
    });
    new Alarm(this, 'DeadLetters', {
      alarmDescription: describe('Messages were given up on', 'dead-letters'),
      metric: deadLetters.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(5) }),
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
  }
}

const describe = (what: string, runbookEntry: string): string => `${what}. See docs/runbook.md#${runbookEntry}`;

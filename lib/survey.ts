import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import { EverleafFunction, type FunctionRuntime } from './everleaf-function.ts';
import type { InventoryTable } from './inventory-table.ts';

export interface SurveyProps {
  readonly deployment: string;
  readonly inventory: InventoryTable;
  readonly runtime: FunctionRuntime;
}

/** How often the whole fleet is looked at: a share of the shortest lives that CAs sign, and the period of the alarms on it. */
export const SURVEY_PERIOD = Duration.minutes(5);

/** Whether anything is about to expire, measured apart from the pipeline that is to prevent it. */
export class Survey extends Construct {
  readonly function: EverleafFunction;

  constructor(scope: Construct, id: string, { deployment, inventory, runtime }: SurveyProps) {
    super(scope, id);
    this.function = new EverleafFunction(this, 'Survey', {
      name: 'survey',
      description: 'Everleaf: measures how the fleet is doing',
      timeout: Duration.minutes(2),
      memoryMiB: 256,
      runtime,
      environment: { TABLE_NAME: inventory.table.tableName, DEPLOYMENT: deployment },
    });
    inventory.allowSurvey(this.function);
    // The next one is the retry.
    this.function.lambda.configureAsyncInvoke({ retryAttempts: 0 });
    new Rule(this, 'Schedule', {
      description: 'Everleaf: measure how the fleet is doing',
      schedule: Schedule.rate(SURVEY_PERIOD),
      targets: [new LambdaFunction(this.function.lambda)],
    });
  }
}

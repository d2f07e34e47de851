import { Duration } from 'aws-cdk-lib';
import { type EventBus, Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import { EverleafFunction, type FunctionRuntime } from './everleaf-function.ts';
import type { InventoryTable } from './inventory-table.ts';

export interface DetectionProps {
  readonly deployment: string;
  readonly inventory: InventoryTable;
  readonly bus: EventBus;
  readonly every: Duration;
  readonly runtime: FunctionRuntime;
}

/** Hints a tick sends at the most, 25 a second; what is left is due at the next tick as well. Bounds what a queue that is behind receives. */
const HINTS_PER_TICK = 1_500;

/** The heartbeat: on a schedule, tell of everything that is due. */
export class Detection extends Construct {
  readonly function: EverleafFunction;
  readonly schedule: Rule;

  constructor(scope: Construct, id: string, { deployment, inventory, bus, every, runtime }: DetectionProps) {
    super(scope, id);
    this.function = new EverleafFunction(this, 'Detect', {
      name: 'detect',
      description: 'Everleaf: tells of every certificate that wants a look',
      timeout: Duration.minutes(1),
      memoryMiB: 256,
      runtime,
      environment: {
        TABLE_NAME: inventory.table.tableName,
        BUS_NAME: bus.eventBusName,
        DEPLOYMENT: deployment,
        HINTS_PER_TICK: String(HINTS_PER_TICK),
        SECONDS_BETWEEN_TICKS: String(every.toSeconds()),
      },
    });
    inventory.allowDue(this.function);
    this.function.allow(['events:PutEvents'], [bus.eventBusArn]);
    // The next tick is the retry.
    this.function.lambda.configureAsyncInvoke({ retryAttempts: 0 });
    this.schedule = new Rule(this, 'Schedule', {
      description: 'Everleaf: look for certificates that are due',
      schedule: Schedule.rate(every),
      targets: [new LambdaFunction(this.function.lambda)],
    });
  }
}

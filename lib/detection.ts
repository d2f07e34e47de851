import { Duration } from 'aws-cdk-lib';
import { type EventBus, Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import { EverleafFunction } from './everleaf-function.ts';
import type { InventoryTable } from './inventory-table.ts';

export interface DetectionProps {
  readonly inventory: InventoryTable;
  readonly bus: EventBus;
  readonly every: Duration;
}

/** Hints a tick sends at the most; what is left is due at the next tick as well. Bounds what a queue that is behind receives. */
const HINTS_PER_TICK = 1_000;

/** The heartbeat: on a schedule, tell of everything that is due. */
export class Detection extends Construct {
  readonly function: EverleafFunction;

  constructor(scope: Construct, id: string, { inventory, bus, every }: DetectionProps) {
    super(scope, id);
    this.function = new EverleafFunction(this, 'Detect', {
      name: 'detect',
      description: 'Everleaf: tells of every certificate that wants a look',
      timeout: Duration.minutes(1),
      memoryMiB: 256,
      environment: {
        TABLE_NAME: inventory.table.tableName,
        BUS_NAME: bus.eventBusName,
        HINTS_PER_TICK: String(HINTS_PER_TICK),
      },
    });
    inventory.allowDue(this.function);
    this.function.allow(['events:PutEvents'], [bus.eventBusArn]);
    // The next tick is the retry.
    this.function.lambda.configureAsyncInvoke({ retryAttempts: 0 });
    new Rule(this, 'Schedule', {
      description: 'Everleaf: look for certificates that are due',
      schedule: Schedule.rate(every),
      targets: [new LambdaFunction(this.function.lambda)],
    });
  }
}

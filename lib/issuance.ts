import { Duration } from 'aws-cdk-lib';
import type { EventBus, Rule } from 'aws-cdk-lib/aws-events';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { IssuerSpec } from '../functions/core/certificate.ts';
import type { CertificateStore } from './certificate-store.ts';
import { EverleafFunction, type FunctionRuntime } from './everleaf-function.ts';
import type { InventoryTable } from './inventory-table.ts';
import { allowGrants, issuerGrants } from './plugin-grants.ts';
import { consume, hintsFrom, workQueue } from './work-queue.ts';

export interface IssuanceProps {
  readonly deployment: string;
  readonly inventory: InventoryTable;
  readonly store: CertificateStore;
  readonly bus: EventBus;
  readonly issuers: readonly IssuerSpec[];
  /** Certificates worked on side by side: batches of ten times this. */
  readonly maxConcurrency: number;
  readonly runtime: FunctionRuntime;
}

const TIMEOUT = Duration.minutes(2);
/** Messages taken together; they are worked on side by side. */
const BATCH_SIZE = 10;

/** From the hint that a certificate is due to its new version being current: rule, queue, function. */
export class Issuance extends Construct {
  readonly function: EverleafFunction;
  readonly queue: Queue;
  readonly deadLetters: Queue;
  readonly rule: Rule;

  constructor(scope: Construct, id: string, props: IssuanceProps) {
    super(scope, id);
    const { inventory, store, bus } = props;
    const work = workQueue(this, TIMEOUT);
    this.deadLetters = work.deadLetters;
    this.queue = work.queue;
    this.function = new EverleafFunction(this, 'Issue', {
      name: 'issue',
      description: 'Everleaf: takes a certificate from due to current',
      timeout: TIMEOUT,
      hintsItself: true,
      memoryMiB: 512,
      runtime: props.runtime,
      environment: {
        TABLE_NAME: inventory.table.tableName,
        BUS_NAME: bus.eventBusName,
        QUEUE_URL: this.queue.queueUrl,
        DEPLOYMENT: props.deployment,
        ...store.environment(),
      },
    });
    consume(work, this.function, { batchSize: BATCH_SIZE, maxConcurrency: props.maxConcurrency });
    inventory.allowReadWrite(this.function);
    if (props.issuers.some(({ orderLimit }) => orderLimit !== undefined)) inventory.allowBudgets(this.function);
    store.allowReadWrite(this.function);
    this.function.allow(['events:PutEvents'], [bus.eventBusArn]);
    allowGrants(this.function, issuerGrants(props.issuers));
    this.rule = hintsFrom(
      this,
      { bus, queue: this.queue },
      {
        detailType: ['Certificate Renewal Due'],
        description: 'Everleaf: certificates that want a look, to the queue',
      },
    );
  }
}

import { Duration } from 'aws-cdk-lib';
import type { IVpc } from 'aws-cdk-lib/aws-ec2';
import type { EventBus, Rule } from 'aws-cdk-lib/aws-events';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { hookPlugin } from '../functions/catalogue.ts';
import type { DeployHookSpec } from '../functions/core/rollout/hook-spec.ts';
import type { CertificateStore } from './certificate-store.ts';
import { EverleafFunction, type FunctionRuntime } from './everleaf-function.ts';
import type { InventoryTable } from './inventory-table.ts';
import { allowGrants, hookGrants } from './plugin-grants.ts';
import { consume, hintsFrom, workQueue } from './work-queue.ts';

export interface DeploymentProps {
  readonly deployment: string;
  readonly inventory: InventoryTable;
  readonly store: CertificateStore;
  readonly bus: EventBus;
  readonly hooks: readonly DeployHookSpec[];
  /** Where endpoints and clusters are that only a VPC reaches. */
  readonly vpc?: IVpc | undefined;
  readonly runtime: FunctionRuntime;
}

const TIMEOUT = Duration.minutes(2);
/** Roll-outs taken together: each works on several targets at a time itself. */
const BATCH_SIZE = 2;
const MAX_CONCURRENCY = 10;

/** From a rotation to its being served: rule, queue, function. Only where the manifest has hooks. */
export class Deployment extends Construct {
  readonly function: EverleafFunction;
  readonly queue: Queue;
  readonly deadLetters: Queue;
  readonly rule: Rule;

  constructor(scope: Construct, id: string, props: DeploymentProps) {
    super(scope, id);
    const { inventory, store, bus, hooks, vpc, runtime } = props;
    const work = workQueue(this, TIMEOUT);
    this.queue = work.queue;
    this.deadLetters = work.deadLetters;
    this.function = new EverleafFunction(this, 'Deploy', {
      name: 'deploy',
      description: 'Everleaf: takes a version to where it is served, and proves it',
      timeout: TIMEOUT,
      hintsItself: true,
      memoryMiB: 512,
      environment: {
        TABLE_NAME: inventory.table.tableName,
        BUS_NAME: bus.eventBusName,
        QUEUE_URL: this.queue.queueUrl,
        DEPLOYMENT: props.deployment,
      },
      vpc,
      runtime,
    });
    consume(work, this.function, { batchSize: BATCH_SIZE, maxConcurrency: MAX_CONCURRENCY });
    inventory.allowReadWrite(this.function);
    store.allowSwitch(this.function);
    if (hooks.some(({ plugin }) => hookPlugin(plugin).writesKeys)) store.allowReadKeys(this.function);
    this.function.allow(['events:PutEvents'], [bus.eventBusArn]);
    allowGrants(this.function, hookGrants(hooks));
    this.rule = hintsFrom(
      this,
      { bus, queue: this.queue },
      {
        detailType: ['Certificate Rotated', 'Certificate Deployment Due'],
        description: 'Everleaf: certificates whose roll-out wants a look, to the queue',
      },
    );
  }
}

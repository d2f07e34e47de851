import { Duration, Stack } from 'aws-cdk-lib';
import { type EventBus, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { IssuerSpec } from '../functions/core/certificate.ts';
import { EVENT_SOURCE } from '../functions/core/events.ts';
import type { CertificateStore } from './certificate-store.ts';
import { EverleafFunction } from './everleaf-function.ts';
import type { InventoryTable } from './inventory-table.ts';
import { issuerGrants } from './issuer-grants.ts';

export interface IssuanceProps {
  readonly deployment: string;
  readonly inventory: InventoryTable;
  readonly store: CertificateStore;
  readonly bus: EventBus;
  readonly issuers: readonly IssuerSpec[];
  /** Certificates worked on side by side: batches of ten times this. */
  readonly maxConcurrency: number;
}

const TIMEOUT = Duration.minutes(2);
/** Messages taken together; they are worked on side by side. */
const BATCH_SIZE = 10;
/** Deliveries before a message counts as poison. */
const MAX_RECEIVES = 3;

/** From the hint that a certificate is due to its new version being current: rule, queue, function. */
export class Issuance extends Construct {
  readonly function: EverleafFunction;
  readonly queue: Queue;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, props: IssuanceProps) {
    super(scope, id);
    this.deadLetters = new Queue(this, 'DeadLetters', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    this.queue = new Queue(this, 'Queue', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      // AWS asks for six times the consumer's timeout.
      visibilityTimeout: Duration.seconds(6 * TIMEOUT.toSeconds()),
      // A hint is stale within the hour: the schedule repeats it.
      retentionPeriod: Duration.hours(1),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: MAX_RECEIVES },
    });
    this.function = this.#createFunction(props);
    new Rule(this, 'Due', {
      description: 'Everleaf: certificates that want a look, to the queue',
      eventBus: props.bus,
      eventPattern: { source: [EVENT_SOURCE], detailType: ['Certificate Renewal Due'] },
      targets: [new SqsQueue(this.queue, { message: RuleTargetInput.fromEventPath('$.detail') })],
    });
  }

  #createFunction(props: IssuanceProps): EverleafFunction {
    const { inventory, store, bus } = props;
    const issue = new EverleafFunction(this, 'Issue', {
      name: 'issue',
      description: 'Everleaf: takes a certificate from due to current',
      timeout: TIMEOUT,
      memoryMiB: 512,
      environment: {
        TABLE_NAME: inventory.table.tableName,
        BUS_NAME: bus.eventBusName,
        QUEUE_URL: this.queue.queueUrl,
        DEPLOYMENT: props.deployment,
        KMS_KEY_ARN: store.key.keyArn,
      },
    });
    this.#consume(issue, props.maxConcurrency);
    inventory.allowReadWrite(issue);
    store.allowReadWrite(issue);
    issue.allow(['events:PutEvents'], [bus.eventBusArn]);
    issue.allow(['sqs:SendMessage'], [this.queue.queueArn]);
    for (const { actions, resources, conditions } of issuerGrants(props.issuers)) {
      issue.allow(
        actions,
        resources.map((arn) => inPartition(this, arn)),
        conditions,
      );
    }
    return issue;
  }

  /** Not CDK's SqsEventSource: its grant holds two actions that Lambda's poller never uses. */
  #consume(issue: EverleafFunction, maxConcurrency: number): void {
    issue.allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], [this.queue.queueArn]);
    const mapping = issue.lambda.addEventSourceMapping('Queue', {
      eventSourceArn: this.queue.queueArn,
      batchSize: BATCH_SIZE,
      maxConcurrency,
      reportBatchItemFailures: true,
    });
    // Lambda checks at creation that the role may read the queue.
    mapping.node.addDependency(issue.role);
  }
}

/** Route 53 is in no Region and no account's own: only the partition (China, GovCloud) tells its ARNs apart. */
const inPartition = (scope: Construct, arn: string): string =>
  arn.replace(/^arn:aws:route53:/, `arn:${Stack.of(scope).partition}:route53:`);

import { Duration } from 'aws-cdk-lib';
import { type EventBus, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { EVENT_SOURCE } from '../functions/core/events.ts';
import type { EverleafFunction } from './everleaf-function.ts';

/** Deliveries before a message counts as poison. */
const MAX_RECEIVES = 3;

/** Hints for one function, and those that were given up on. */
export interface WorkQueue {
  readonly queue: Queue;
  readonly deadLetters: Queue;
}

/** Both queues in `scope`, as `Queue` and `DeadLetters`; `timeout` is that of the function that will consume them. */
export function workQueue(scope: Construct, timeout: Duration): WorkQueue {
  const deadLetters = new Queue(scope, 'DeadLetters', {
    encryption: QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    retentionPeriod: Duration.days(14),
  });
  const queue = new Queue(scope, 'Queue', {
    encryption: QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    // AWS asks for six times the consumer's timeout.
    visibilityTimeout: Duration.seconds(6 * timeout.toSeconds()),
    // A hint is stale within the hour: the schedule repeats it.
    retentionPeriod: Duration.hours(1),
    deadLetterQueue: { queue: deadLetters, maxReceiveCount: MAX_RECEIVES },
  });
  return { queue, deadLetters };
}

/** Events of these kinds become hints in the queue. */
export function hintsFrom(
  scope: Construct,
  { bus, queue }: { readonly bus: EventBus; readonly queue: Queue },
  { detailType, description }: { readonly detailType: string[]; readonly description: string },
): Rule {
  return new Rule(scope, 'Due', {
    description,
    eventBus: bus,
    eventPattern: { source: [EVENT_SOURCE], detailType },
    targets: [new SqsQueue(queue, { message: RuleTargetInput.fromEventPath('$.detail') })],
  });
}

/**
 * Hands the queue's messages to the function, and lets it put some there itself. Not CDK's SqsEventSource: its grant holds two
 * actions that Lambda's poller never uses.
 */
export function consume(
  { queue }: WorkQueue,
  by: EverleafFunction,
  limits: { readonly batchSize: number; readonly maxConcurrency: number },
): void {
  by.allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:SendMessage'], [queue.queueArn]);
  const mapping = by.lambda.addEventSourceMapping('Queue', {
    eventSourceArn: queue.queueArn,
    ...limits,
    reportBatchItemFailures: true,
  });
  // Lambda checks at creation that the role may read the queue.
  mapping.node.addDependency(by.role);
}

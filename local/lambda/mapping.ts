import { z } from 'zod';
import type { Account } from '../account.ts';
import type { Roles } from '../iam/roles.ts';
import { md5, type Message, type Queue } from '../services/sqs/queue.ts';
import type { Queues } from '../services/sqs/queues.ts';
import { systemAttributes } from '../services/sqs/message.ts';
import { optional } from '../stack/properties.ts';
import type { Resource, ResourceKind } from '../stack/resource.ts';
import type { Functions } from './functions.ts';

const MappingProperties = z.strictObject({
  EventSourceArn: z.string().startsWith('arn:aws:sqs:', 'the twin maps SQS queues only'),
  FunctionName: z.string(),
  BatchSize: z.coerce.number().int().min(1).max(10_000).default(10),
  Enabled: z.coerce.boolean().default(true),
  FunctionResponseTypes: z.array(z.literal('ReportBatchItemFailures')).default([]),
  ScalingConfig: z.strictObject({ MaximumConcurrency: z.coerce.number() }).optional(),
  ...optional('MaximumBatchingWindowInSeconds', 'Tags'),
});
const BatchResponse = z.looseObject({
  batchItemFailures: z.array(z.looseObject({ itemIdentifier: z.string() })).nullish(),
});

interface Mapping {
  readonly queue: Queue;
  readonly functionArn: string;
  readonly batchSize: number;
  readonly concurrency: number;
  readonly reportsFailures: boolean;
  running: number;
  stopped: boolean;
}

/** Lambda's pollers: they bring what is visible in a queue to a function, and delete what it dealt with. */
export class EventSourceMappings {
  readonly #account: Account;
  readonly #roles: Roles;
  readonly #queues: Queues;
  readonly #functions: Functions;
  /** By logical id: how to stop each. */
  readonly #stops = new Map<string, () => void>();

  constructor(account: Account, roles: Roles, queues: Queues, functions: Functions) {
    this.#account = account;
    this.#roles = roles;
    this.#queues = queues;
    this.#functions = functions;
  }

  readonly kinds: Readonly<Record<string, ResourceKind>> = {
    'AWS::Lambda::EventSourceMapping': {
      apply: (resource) => this.#apply(resource),
      remove: ({ logicalId }) => this.#stop(logicalId),
    },
  };

  close(): void {
    for (const logicalId of this.#stops.keys()) this.#stop(logicalId);
  }

  #apply({ logicalId, properties }: Resource): void {
    const template = MappingProperties.parse(properties);
    const queue = this.#queues.byArn(template.EventSourceArn);
    const target = this.#functions.find(template.FunctionName);
    this.#requireGrants(queue, { roleArn: target.roleArn, sessionName: target.name });
    const { visibilityTimeoutSeconds } = queue.settings;
    if (visibilityTimeoutSeconds < target.timeoutSeconds) {
      throw new Error(
        `Queue visibility timeout: ${visibilityTimeoutSeconds} seconds is less than Function timeout: ${target.timeoutSeconds} seconds`,
      );
    }
    this.#stop(logicalId);
    if (!template.Enabled) return;
    const mapping: Mapping = {
      queue,
      functionArn: target.arn,
      batchSize: template.BatchSize,
      concurrency: Math.min(target.concurrency, template.ScalingConfig?.MaximumConcurrency ?? target.concurrency),
      reportsFailures: template.FunctionResponseTypes.length > 0,
      running: 0,
      stopped: false,
    };
    const stopListening = queue.onVisible(() => this.#pump(mapping));
    this.#stops.set(logicalId, () => {
      mapping.stopped = true;
      stopListening();
    });
    this.#pump(mapping);
  }

  #requireGrants({ arn, settings }: Queue, caller: { roleArn: string; sessionName: string }): void {
    for (const action of ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes']) {
      this.#roles.authorize(caller, action, arn);
    }
    const context = { 'kms:ViaService': `sqs.${this.#account.region}.amazonaws.com` };
    if (settings.kmsKeyArn !== undefined) this.#roles.authorize(caller, 'kms:Decrypt', settings.kmsKeyArn, context);
  }

  #stop(logicalId: string): void {
    this.#stops.get(logicalId)?.();
    this.#stops.delete(logicalId);
  }

  #pump(mapping: Mapping): void {
    while (!mapping.stopped && mapping.running < mapping.concurrency) {
      const messages = mapping.queue.receive(mapping.batchSize);
      if (messages.length === 0) return;
      mapping.running += 1;
      this.#account.activity.background(async () => {
        try {
          await this.#handOver(mapping, messages);
        } finally {
          mapping.running -= 1;
          // Before this work counts as ended, so that a queue that is not empty is never taken for quiet.
          this.#pump(mapping);
        }
      });
    }
  }

  /** What failed stays in the queue, hidden until its visibility timeout has passed on the virtual clock. */
  async #handOver(mapping: Mapping, messages: readonly Message[]): Promise<void> {
    const { queue, functionArn, reportsFailures } = mapping;
    const event = { Records: messages.map((message) => this.#record(message, queue)) };
    const outcome = await this.#functions.invoke(functionArn, event);
    if (!outcome.ok) {
      this.#account.report(functionArn, `${outcome.failure.errorType}: ${outcome.failure.errorMessage}`);
      return;
    }
    const failed = reportsFailures ? failedItems(outcome.payload, messages) : new Set();
    for (const { id, receiptHandle } of messages) {
      if (!failed.has(id) && receiptHandle !== undefined) queue.delete(receiptHandle);
    }
  }

  #record(message: Message, { arn }: Queue): Record<string, unknown> {
    const attributes = Object.entries(message.attributes).map(([name, { DataType, StringValue, BinaryValue }]) => [
      name,
      { dataType: DataType, stringValue: StringValue, binaryValue: BinaryValue },
    ]);
    return {
      messageId: message.id,
      receiptHandle: message.receiptHandle,
      body: message.body,
      attributes: systemAttributes(message),
      messageAttributes: Object.fromEntries(attributes),
      md5OfBody: md5(message.body),
      eventSource: 'aws:sqs',
      eventSourceARN: arn,
      awsRegion: this.#account.region,
    };
  }
}

/** An answer that Lambda cannot make sense of fails the whole batch. */
function failedItems(payload: unknown, messages: readonly Message[]): Set<string> {
  const everything = new Set(messages.map(({ id }) => id));
  const parsed = BatchResponse.nullable().safeParse(payload);
  if (!parsed.success) return everything;
  const failed = new Set((parsed.data?.batchItemFailures ?? []).map(({ itemIdentifier }) => itemIdentifier));
  return [...failed].every((id) => everything.has(id)) ? failed : everything;
}

import { z } from 'zod';
import type { VirtualClock } from '../../clock.ts';
import { AwsError, type JsonService, type ServiceCall, unknownOperation } from '../../wire/service.ts';
import { ChangeVisibility, MoveTask, OfQueue, Receipt, Receive, Send, SendEntry } from './input.ts';
import { onTheWire } from './message.ts';
import { md5, type Queue } from './queue.ts';
import type { Queues } from './queues.ts';

const LARGEST_MESSAGE = 1024 * 1024;

/** SQS on the wire: what functions and operators ask of the queues. */
export class Sqs implements JsonService {
  readonly signingName = 'sqs';
  readonly #queues: Queues;
  readonly #clock: VirtualClock;

  constructor(queues: Queues, clock: VirtualClock) {
    this.#queues = queues;
    this.#clock = clock;
  }

  handle(call: ServiceCall): unknown {
    const operation = this.#operations[call.operation];
    if (operation === undefined) throw unknownOperation('SQS', call.operation);
    return operation(call);
  }

  readonly #operations: Readonly<Record<string, (call: ServiceCall) => unknown>> = {
    GetQueueUrl: (call) => {
      const { QueueName } = z.looseObject({ QueueName: z.string() }).parse(call.input);
      const queue = this.#queues.byUrl(`${call.accountId}/${QueueName}`);
      call.authorize('sqs:GetQueueUrl', queue.arn);
      return { QueueUrl: this.#queues.urlOf(queue) };
    },
    GetQueueAttributes: (call) => describe(this.#authorized(call, 'sqs:GetQueueAttributes')),
    PurgeQueue: (call) => this.#authorized(call, 'sqs:PurgeQueue').purge(),
    SendMessage: (call) => {
      const { QueueUrl: _, ...entry } = Send.parse(call.input);
      return send(this.#authorized(call, 'sqs:SendMessage', 'kms:GenerateDataKey', 'kms:Decrypt'), entry);
    },
    SendMessageBatch: (call) => {
      const queue = this.#authorized(call, 'sqs:SendMessage', 'kms:GenerateDataKey', 'kms:Decrypt');
      return batch(call, SendEntry, (entry) => send(queue, entry));
    },
    ReceiveMessage: (call) => this.#receive(call),
    DeleteMessage: (call) => {
      this.#authorized(call, 'sqs:DeleteMessage').delete(Receipt.parse(call.input).ReceiptHandle);
    },
    DeleteMessageBatch: (call) => {
      const queue = this.#authorized(call, 'sqs:DeleteMessage');
      return batch(call, Receipt, ({ ReceiptHandle }) => queue.delete(ReceiptHandle));
    },
    ChangeMessageVisibility: (call) => {
      const queue = this.#authorized(call, 'sqs:ChangeMessageVisibility');
      changeVisibility(queue, ChangeVisibility.parse(call.input));
    },
    ChangeMessageVisibilityBatch: (call) => {
      const queue = this.#authorized(call, 'sqs:ChangeMessageVisibility');
      return batch(call, ChangeVisibility, (entry) => changeVisibility(queue, entry));
    },
    StartMessageMoveTask: (call) => {
      const { SourceArn, DestinationArn } = MoveTask.parse(call.input);
      for (const action of ['StartMessageMoveTask', 'ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes']) {
        call.authorize(`sqs:${action}`, SourceArn);
      }
      if (DestinationArn !== undefined) call.authorize('sqs:SendMessage', DestinationArn);
      const target = DestinationArn === undefined ? undefined : this.#queues.byArn(DestinationArn);
      return { TaskHandle: md5(`${SourceArn} ${this.#queues.byArn(SourceArn).redrive(target)}`) };
    },
  };

  #authorized(call: ServiceCall, action: string, ...keyActions: string[]): Queue {
    const queue = this.#queues.byUrl(OfQueue.parse(call.input).QueueUrl);
    call.authorize(action, queue.arn);
    const { kmsKeyArn } = queue.settings;
    const context = { 'kms:ViaService': `sqs.${call.region}.amazonaws.com` };
    if (kmsKeyArn !== undefined) for (const each of keyActions) call.authorize(each, kmsKeyArn, context);
    return queue;
  }

  async #receive(call: ServiceCall): Promise<unknown> {
    const input = Receive.parse(call.input);
    const queue = this.#authorized(call, 'sqs:ReceiveMessage', 'kms:Decrypt');
    const deadline = call.now + input.WaitTimeSeconds * 1_000;
    let messages = queue.receive(input.MaxNumberOfMessages, input.VisibilityTimeout);
    while (messages.length === 0 && this.#clock.now() < deadline) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          stopListening();
          cancelAlarm();
          resolve();
        };
        const stopListening = queue.onVisible(wake);
        const cancelAlarm = this.#clock.at(deadline, wake);
      });
      messages = queue.receive(input.MaxNumberOfMessages, input.VisibilityTimeout);
    }
    const wanted = [...input.AttributeNames, ...input.MessageSystemAttributeNames];
    return messages.length === 0
      ? {}
      : { Messages: messages.map((message) => onTheWire(message, wanted, input.MessageAttributeNames)) };
  }
}

function send(queue: Queue, entry: Omit<z.infer<typeof Send>, 'QueueUrl'>): Record<string, string> {
  if (Buffer.byteLength(entry.MessageBody) > LARGEST_MESSAGE) {
    throw new AwsError('InvalidParameterValue', `a message has at most ${LARGEST_MESSAGE} bytes`);
  }
  const message = queue.send({
    body: entry.MessageBody,
    attributes: entry.MessageAttributes,
    delaySeconds: entry.DelaySeconds,
    groupId: entry.MessageGroupId,
  });
  return { MessageId: message.id, MD5OfMessageBody: md5(message.body) };
}

function changeVisibility(queue: Queue, entry: z.infer<typeof ChangeVisibility>): void {
  if (queue.changeVisibility(entry.ReceiptHandle, entry.VisibilityTimeout)) return;
  throw new AwsError('MessageNotInflight', 'the receipt handle is not one of a message in flight');
}

/** Each entry succeeds or fails by itself. */
function batch<Entry extends { Id: string }>(
  call: ServiceCall,
  schema: z.ZodType<Entry>,
  act: (entry: Entry) => Record<string, string> | void,
): { Successful: unknown[]; Failed: unknown[] } {
  const { Entries } = z.looseObject({ Entries: z.array(schema).min(1).max(10) }).parse(call.input);
  if (new Set(Entries.map(({ Id }) => Id)).size < Entries.length) {
    throw new AwsError('BatchEntryIdsNotDistinct', 'two entries of the batch have the same Id');
  }
  const Successful: unknown[] = [];
  const Failed: unknown[] = [];
  for (const entry of Entries) {
    try {
      Successful.push({ Id: entry.Id, ...act(entry) });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      Failed.push({ Id: entry.Id, Code: error.code, Message: error.message, SenderFault: true });
    }
  }
  return { Successful, Failed };
}

function describe(queue: Queue): { Attributes: Record<string, string> } {
  const { visible, inFlight, delayed } = queue.counts();
  const { visibilityTimeoutSeconds, delaySeconds, redrive } = queue.settings;
  return {
    Attributes: {
      QueueArn: queue.arn,
      ApproximateNumberOfMessages: String(visible),
      ApproximateNumberOfMessagesNotVisible: String(inFlight),
      ApproximateNumberOfMessagesDelayed: String(delayed),
      VisibilityTimeout: String(visibilityTimeoutSeconds),
      DelaySeconds: String(delaySeconds),
      ...(redrive !== undefined && {
        RedrivePolicy: JSON.stringify({
          deadLetterTargetArn: redrive.arn,
          maxReceiveCount: redrive.maxReceiveCount,
        }),
      }),
    },
  };
}

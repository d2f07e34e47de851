import { createHash, randomUUID } from 'node:crypto';
import type { VirtualClock } from '../../clock.ts';

export interface MessageAttribute {
  readonly DataType: string;
  readonly StringValue?: string | undefined;
  readonly BinaryValue?: string | undefined;
}
export type MessageAttributes = Readonly<Record<string, MessageAttribute>>;

export interface Message {
  readonly id: string;
  readonly body: string;
  readonly attributes: MessageAttributes;
  readonly groupId: string | undefined;
  readonly sentAt: number;
  receiveCount: number;
  firstReceivedAt: number | undefined;
  /** Hidden until then: delayed when it was never received, else in flight. */
  visibleAt: number;
  receiptHandle: string | undefined;
  /** Where it was before it came here as a dead letter. */
  readonly deadLetterOf: Queue | undefined;
}

export interface QueueSettings {
  readonly visibilityTimeoutSeconds: number;
  readonly delaySeconds: number;
  readonly kmsKeyArn: string | undefined;
  /** After that many receives a message goes there instead. */
  readonly redrive: { readonly arn: string; readonly maxReceiveCount: number } | undefined;
}

export interface Outgoing {
  readonly body: string;
  readonly attributes?: MessageAttributes;
  readonly delaySeconds?: number | undefined;
  readonly groupId?: string | undefined;
}

/** A standard queue. Delays and visibility timeouts run on the virtual clock. */
export class Queue {
  readonly arn: string;
  readonly name: string;
  settings: QueueSettings;
  readonly #clock: VirtualClock;
  readonly #deadLetterQueue: (arn: string) => Queue;
  readonly #messages = new Map<string, Message>();
  readonly #listeners = new Set<() => void>();

  constructor(arn: string, settings: QueueSettings, clock: VirtualClock, deadLetterQueue: (arn: string) => Queue) {
    this.arn = arn;
    this.name = arn.slice(arn.lastIndexOf(':') + 1);
    this.settings = settings;
    this.#clock = clock;
    this.#deadLetterQueue = deadLetterQueue;
  }

  send({ body, attributes = {}, delaySeconds = this.settings.delaySeconds, groupId }: Outgoing): Message {
    return this.#put({ body, attributes, groupId, deadLetterOf: undefined }, delaySeconds);
  }

  /** What is visible now, at most `limit`; each is hidden from the next receiver for the visibility timeout. */
  receive(limit: number, visibilitySeconds = this.settings.visibilityTimeoutSeconds): Message[] {
    const now = this.#clock.now();
    const received: Message[] = [];
    for (const message of this.#messages.values()) {
      if (received.length === limit) break;
      if (message.visibleAt > now || this.#isPoison(message)) continue;
      message.receiveCount += 1;
      message.firstReceivedAt ??= now;
      message.receiptHandle = `${message.id}/${randomUUID()}`;
      this.#hide(message, visibilitySeconds);
      received.push(message);
    }
    return received;
  }

  /** A handle of an earlier receive deletes nothing, and says so to nobody: as SQS. */
  delete(receiptHandle: string): void {
    const message = this.#byReceipt(receiptHandle);
    if (message !== undefined) this.#messages.delete(message.id);
  }

  changeVisibility(receiptHandle: string, seconds: number): boolean {
    const message = this.#byReceipt(receiptHandle);
    if (message === undefined) return false;
    this.#hide(message, seconds);
    if (seconds === 0) this.#notify();
    return true;
  }

  /** Every message that waits here, hidden ones too, the oldest first. */
  messages(): readonly Readonly<Message>[] {
    return [...this.#messages.values()];
  }

  purge(): void {
    this.#messages.clear();
  }

  /** Brings dead letters back: to `target`, or each to where it came from. */
  redrive(target: Queue | undefined): number {
    const now = this.#clock.now();
    const moving = [...this.#messages.values()].filter(({ visibleAt }) => visibleAt <= now);
    for (const message of moving) {
      const home = target ?? message.deadLetterOf;
      if (home === undefined) continue;
      this.#messages.delete(message.id);
      home.send(message);
    }
    return moving.length;
  }

  counts(): { visible: number; inFlight: number; delayed: number } {
    const now = this.#clock.now();
    const hidden = this.messages().filter(({ visibleAt }) => visibleAt > now);
    const inFlight = hidden.filter(({ receiveCount }) => receiveCount > 0).length;
    return { visible: this.#messages.size - hidden.length, inFlight, delayed: hidden.length - inFlight };
  }

  /** Calls `listener` whenever a message may have become visible; the answer stops that. */
  onVisible(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  #put(content: Pick<Message, 'body' | 'attributes' | 'groupId' | 'deadLetterOf'>, delaySeconds: number): Message {
    const now = this.#clock.now();
    const message: Message = {
      ...content,
      id: randomUUID(),
      sentAt: now,
      receiveCount: 0,
      firstReceivedAt: undefined,
      visibleAt: now,
      receiptHandle: undefined,
    };
    this.#messages.set(message.id, message);
    if (delaySeconds > 0) this.#hide(message, delaySeconds);
    else this.#notify();
    return message;
  }

  /** SQS moves a message when it would be received once too often, not when the last receive fails. */
  #isPoison(message: Message): boolean {
    const { redrive } = this.settings;
    if (redrive === undefined || message.receiveCount < redrive.maxReceiveCount) return false;
    this.#messages.delete(message.id);
    const { body, attributes, groupId } = message;
    this.#deadLetterQueue(redrive.arn).#put({ body, attributes, groupId, deadLetterOf: this }, 0);
    return true;
  }

  #hide(message: Message, seconds: number): void {
    message.visibleAt = this.#clock.now() + seconds * 1_000;
    if (seconds > 0) this.#clock.at(message.visibleAt, () => this.#messages.has(message.id) && this.#notify());
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }

  #byReceipt(receiptHandle: string): Message | undefined {
    const message = this.#messages.get(receiptHandle.split('/')[0] ?? '');
    return message?.receiptHandle === receiptHandle ? message : undefined;
  }
}

export function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

import { md5, type Message } from './queue.ts';

/** What SQS itself says of a message; Lambda hands it on with every record. */
export function systemAttributes(message: Message): Record<string, string> {
  return {
    ApproximateReceiveCount: String(message.receiveCount),
    SentTimestamp: String(message.sentAt),
    SenderId: 'AIDATWIN',
    ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt ?? message.sentAt),
    ...(message.groupId !== undefined && { MessageGroupId: message.groupId }),
    ...(message.deadLetterOf !== undefined && { DeadLetterQueueSourceArn: message.deadLetterOf.arn }),
  };
}

/** A message as ReceiveMessage answers it, with the attributes that were asked for. */
export function onTheWire(
  message: Message,
  system: readonly string[],
  names: readonly string[],
): Record<string, unknown> {
  const pick = <T>(all: Readonly<Record<string, T>>, wanted: readonly string[]): Record<string, T> =>
    Object.fromEntries(
      Object.entries(all).filter(([name]) => wanted.some((each) => ['All', '.*', name].includes(each))),
    );
  return {
    MessageId: message.id,
    ReceiptHandle: message.receiptHandle,
    Body: message.body,
    MD5OfBody: md5(message.body),
    Attributes: pick(systemAttributes(message), system),
    MessageAttributes: pick(message.attributes, names),
  };
}

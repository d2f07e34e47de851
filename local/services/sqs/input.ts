import { z } from 'zod';

const Attributes = z
  .record(
    z.string(),
    z.object({ DataType: z.string(), StringValue: z.string().optional(), BinaryValue: z.string().optional() }),
  )
  .default({});
export const SendEntry = z.strictObject({
  Id: z.string().default('only'),
  MessageBody: z.string().min(1),
  DelaySeconds: z.number().int().min(0).max(900).optional(),
  MessageAttributes: Attributes,
  MessageGroupId: z.string().optional(),
});
export const OfQueue = z.looseObject({ QueueUrl: z.string() });
export const Send = SendEntry.extend({ QueueUrl: z.string() });
export const Receive = z.strictObject({
  QueueUrl: z.string(),
  MaxNumberOfMessages: z.number().int().min(1).max(10).default(1),
  VisibilityTimeout: z.number().int().min(0).max(43_200).optional(),
  WaitTimeSeconds: z.number().int().min(0).max(20).default(0),
  AttributeNames: z.array(z.string()).default([]),
  MessageSystemAttributeNames: z.array(z.string()).default([]),
  MessageAttributeNames: z.array(z.string()).default([]),
});
export const Receipt = z.looseObject({ Id: z.string().default('only'), ReceiptHandle: z.string() });
export const ChangeVisibility = Receipt.extend({ VisibilityTimeout: z.number().int().min(0).max(43_200) });
export const MoveTask = z.strictObject({ SourceArn: z.string(), DestinationArn: z.string().optional() });

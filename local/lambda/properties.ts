import { z } from 'zod';
import { optional } from '../stack/properties.ts';

export const FunctionProperties = z.strictObject({
  Code: z.strictObject(
    { S3Bucket: z.string(), S3Key: z.string() },
    'the twin runs code from assets only, not inline code or images',
  ),
  Handler: z.string(),
  Role: z.string(),
  Runtime: z.string().startsWith('nodejs', 'the twin runs Node.js functions only'),
  Environment: z.strictObject({ Variables: z.record(z.string(), z.coerce.string()).default({}) }).optional(),
  MemorySize: z.coerce.number().default(128),
  Timeout: z.coerce.number().default(3),
  ReservedConcurrentExecutions: z.coerce.number().min(1).optional(),
  DeadLetterConfig: z.strictObject({ TargetArn: z.string() }).optional(),
  LoggingConfig: z
    .looseObject({
      LogGroup: z.string().optional(),
      LogFormat: z.string().default('Text'),
      ApplicationLogLevel: z.string().optional(),
    })
    .optional(),
  TracingConfig: z.strictObject({ Mode: z.string() }).optional(),
  ...optional('FunctionName', 'Description', 'Architectures', 'EphemeralStorage', 'RecursiveLoop', 'Tags'),
});
export const PermissionProperties = z.strictObject({
  Action: z.string(),
  FunctionName: z.string(),
  Principal: z.string(),
  SourceArn: z.string().optional(),
  SourceAccount: z.string().optional(),
});
export const InvokeConfigProperties = z.strictObject({
  FunctionName: z.string(),
  Qualifier: z.literal('$LATEST'),
  MaximumRetryAttempts: z.coerce.number().optional(),
  DestinationConfig: z.strictObject({ OnFailure: z.strictObject({ Destination: z.string() }).optional() }).optional(),
  ...optional('MaximumEventAgeInSeconds'),
});

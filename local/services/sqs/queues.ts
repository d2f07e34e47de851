import { z } from 'zod';
import type { Account } from '../../account.ts';
import { judge, parsePolicy, type Statement } from '../../iam/policy.ts';
import { optional } from '../../stack/properties.ts';
import type { Resource, ResourceKind } from '../../stack/resource.ts';
import { AwsError } from '../../wire/service.ts';
import type { Keys } from '../kms.ts';
import { type Outgoing, Queue, type QueueSettings } from './queue.ts';

const QueueProperties = z.strictObject({
  VisibilityTimeout: z.coerce.number().default(30),
  DelaySeconds: z.coerce.number().default(0),
  KmsMasterKeyId: z.string().optional(),
  FifoQueue: z.literal(false, 'the twin has standard queues only').optional(),
  RedrivePolicy: z.strictObject({ deadLetterTargetArn: z.string(), maxReceiveCount: z.coerce.number() }).optional(),
  ...optional(
    'QueueName',
    'MessageRetentionPeriod',
    'MaximumMessageSize',
    'ReceiveMessageWaitTimeSeconds',
    'KmsDataKeyReusePeriodSeconds',
    'SqsManagedSseEnabled',
    'RedriveAllowPolicy',
    'Tags',
  ),
});
const QueuePolicyProperties = z.strictObject({ PolicyDocument: z.unknown(), Queues: z.array(z.string()) });

/** The queues of the template and their own policies. */
export class Queues {
  readonly #account: Account;
  readonly #keys: Keys;
  readonly #byArn = new Map<string, Queue>();
  /** By the policy's logical id: a queue may have one only, but an update may move it. */
  readonly #policies = new Map<string, { readonly urls: readonly string[]; readonly statements: Statement[] }>();

  constructor(account: Account, keys: Keys) {
    this.#account = account;
    this.#keys = keys;
  }

  readonly kinds: Readonly<Record<string, ResourceKind>> = {
    'AWS::SQS::Queue': {
      apply: (resource) => this.#applyQueue(resource),
      remove: ({ attributes }) => void this.#byArn.delete(attributes['Arn'] ?? ''),
    },
    'AWS::SQS::QueuePolicy': {
      apply: ({ logicalId, properties }) => {
        const { PolicyDocument, Queues: urls } = QueuePolicyProperties.parse(properties);
        this.#policies.set(logicalId, { urls, statements: parsePolicy(PolicyDocument, logicalId) });
      },
      remove: ({ logicalId }) => void this.#policies.delete(logicalId),
    },
  };

  byArn(arn: string): Queue {
    const queue = this.#byArn.get(arn);
    if (queue === undefined) throw new AwsError('QueueDoesNotExist', `there is no queue ${arn}`);
    return queue;
  }

  byUrl(url: string): Queue {
    return this.byArn(`arn:aws:sqs:${this.#account.region}:${url.split('/').slice(-2).join(':')}`);
  }

  urlOf({ name }: Queue): string {
    return `${this.#account.endpoint}/${this.#account.accountId}/${name}`;
  }

  /** A message that an AWS service sends by itself: the queue's own policy decides, and the key's when it is encrypted. */
  sendAsService(queueArn: string, service: string, sourceArn: string, message: Outgoing): void {
    const queue = this.byArn(queueArn);
    const url = this.urlOf(queue);
    const statements = [...this.#policies.values()].flatMap((policy) =>
      policy.urls.includes(url) ? policy.statements : [],
    );
    const context = {
      'aws:SourceArn': sourceArn,
      'aws:SourceAccount': this.#account.accountId,
      'aws:SecureTransport': 'true',
    };
    if (judge(statements, { action: 'sqs:SendMessage', resource: queueArn, context, service }) !== 'allowed') {
      throw new AwsError('NO_PERMISSIONS', `the policy of ${queueArn} does not let ${service} send for ${sourceArn}`);
    }
    const { kmsKeyArn } = queue.settings;
    if (kmsKeyArn !== undefined) this.#keys.requireService(kmsKeyArn, 'kms:GenerateDataKey', service, context);
    queue.send(message);
  }

  #applyQueue({ attributes, properties }: Resource): void {
    const { VisibilityTimeout, DelaySeconds, KmsMasterKeyId, RedrivePolicy } = QueueProperties.parse(properties);
    const arn = attributes['Arn'] ?? '';
    const settings: QueueSettings = {
      visibilityTimeoutSeconds: VisibilityTimeout,
      delaySeconds: DelaySeconds,
      kmsKeyArn: this.#keys.arnOf(KmsMasterKeyId),
      redrive: RedrivePolicy && {
        arn: RedrivePolicy.deadLetterTargetArn,
        maxReceiveCount: RedrivePolicy.maxReceiveCount,
      },
    };
    const existing = this.#byArn.get(arn);
    if (existing === undefined) {
      this.#byArn.set(arn, new Queue(arn, settings, this.#account.clock, (target) => this.byArn(target)));
    } else existing.settings = settings;
  }
}

import { z } from 'zod';
import type { Context } from '../iam/condition.ts';
import { judge, parsePolicy, type Statement } from '../iam/policy.ts';
import { optional } from '../stack/properties.ts';
import type { ResourceKind } from '../stack/resource.ts';
import { AwsError } from '../wire/service.ts';

const KeyProperties = z.strictObject({
  KeyPolicy: z.unknown(),
  ...optional('Description', 'Enabled', 'EnableKeyRotation', 'PendingWindowInDays', 'KeySpec', 'KeyUsage', 'Tags'),
});

/** Customer managed keys: they encrypt nothing here, but their grants and policies decide as they would. */
export class Keys {
  readonly #policies = new Map<string, Statement[]>();

  readonly kinds: Readonly<Record<string, ResourceKind>> = {
    'AWS::KMS::Key': {
      apply: ({ logicalId, properties, attributes }) => {
        const { KeyPolicy } = KeyProperties.parse(properties);
        this.#policies.set(attributes['Arn'] ?? '', parsePolicy(KeyPolicy, logicalId));
      },
      remove: ({ attributes }) => void this.#policies.delete(attributes['Arn'] ?? ''),
    },
  };

  /** A key of this stack, by id or ARN. AWS's own keys (`alias/aws/sqs`) need no grant: undefined. */
  arnOf(keyId: string | undefined): string | undefined {
    return [...this.#policies.keys()].find(
      (arn) => keyId !== undefined && (arn === keyId || arn.endsWith(`/${keyId}`)),
    );
  }

  requireService(keyArn: string, action: string, service: string, context: Context): void {
    const verdict = judge(this.#policies.get(keyArn) ?? [], { action, resource: keyArn, context, service });
    if (verdict === 'allowed') return;
    throw new AwsError('KMS.AccessDeniedException', `the policy of key ${keyArn} does not let ${service} use it`);
  }
}

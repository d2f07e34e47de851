import type { ServiceCall } from '../../wire/service.ts';
import type { TagList } from './input.ts';
import type { Secret } from './secret.ts';

/** Condition keys that IAM sees with a call. */
export type Context = Readonly<Record<string, string | readonly string[]>>;

export function resourceTags(tags: ReadonlyMap<string, string>): Context {
  const keys = ['aws:ResourceTag', 'secretsmanager:ResourceTag'];
  return Object.fromEntries([...tags].flatMap(([key, value]) => keys.map((prefix) => [`${prefix}/${key}`, value])));
}

export function requestTags(tags: TagList): Context {
  const values = Object.fromEntries(tags.map(({ Key, Value }) => [`aws:RequestTag/${Key}`, Value]));
  return tags.length === 0 ? {} : { ...values, 'aws:TagKeys': tags.map(({ Key }) => Key) };
}

/** Keys for those parameters that were sent. */
export function parameters(sent: Readonly<Record<string, string | undefined>>): Context {
  const present = Object.entries(sent).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(present.map(([name, value]) => [`secretsmanager:${name}`, value]));
}

/** Secrets Manager uses the key in the caller's name. AWS's own key, the default, needs no grant. */
export function useKey(call: ServiceCall, { facts }: Secret, versionId: string, ...actions: string[]): void {
  const { arn, kmsKeyId } = facts;
  if (kmsKeyId === undefined || kmsKeyId === 'alias/aws/secretsmanager') return;
  const resource = kmsKeyId.startsWith('alias/') ? kmsKeyId : `key/${kmsKeyId}`;
  const keyArn = kmsKeyId.startsWith('arn:') ? kmsKeyId : `arn:aws:kms:${call.region}:${call.accountId}:${resource}`;
  for (const action of actions) {
    call.authorize(action, keyArn, {
      'kms:ViaService': `secretsmanager.${call.region}.amazonaws.com`,
      'kms:CallerAccount': call.accountId,
      'kms:EncryptionContext:SecretARN': arn,
      'kms:EncryptionContext:SecretVersionId': versionId,
    });
  }
}

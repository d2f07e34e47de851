import { emailAddressFault } from '../../core/manifest/names.ts';
import { error, warning, type Path, type Problem } from '../../core/manifest/finding.ts';
import { isObjectName } from '../../core/manifest/metadata.ts';
import { reading, type Reading } from '../../core/manifest/reading.ts';
import { showValue } from '../../core/manifest/show-value.ts';
import type { AcmeOptions } from './options.ts';
import type { AcmeFields } from './shape.ts';

type Account = Pick<AcmeOptions, 'email' | 'accountKey' | 'makesAccountKey' | 'externalAccountBinding'>;

const ACME: Path = ['spec', 'acme'];
const ACCOUNT_KEY: Path = [...ACME, 'privateKeySecretRef'];
const BINDING: Path = [...ACME, 'externalAccountBinding'];
const DEFAULT_KEY = 'tls.key';

/** As whom the CA knows us: whose account it is, where its key rests, and what ties it to a customer of the CA. */
export function readAccount(fields: AcmeFields, namespace: string | undefined): Reading<Account> {
  const { email = '', privateKeySecretRef, externalAccountBinding: binding, disableAccountKeyGeneration } = fields;
  // Empty text is Go's way to leave a field out.
  const key =
    privateKeySecretRef.key === undefined || privateKeySecretRef.key === '' ? DEFAULT_KEY : privateKeySecretRef.key;
  const accountKey = { namespace, name: privateKeySecretRef.name, key };
  const account: Account = {
    ...(email === '' ? {} : { email }),
    accountKey,
    makesAccountKey: disableAccountKeyGeneration !== true,
    ...(binding === undefined
      ? {}
      : { externalAccountBinding: { keyId: binding.keyID, secret: { namespace, ...binding.keySecretRef } } }),
  };
  return reading(account, [
    ...emailProblems(email),
    ...secretProblems(accountKey, ACCOUNT_KEY),
    ...(binding === undefined ? [] : bindingProblems(binding, accountKey.name)),
  ]);
}

function emailProblems(email: string): Problem[] {
  const fault = email === '' ? undefined : emailAddressFault(email);
  if (fault === undefined) return [];
  return [error('InvalidName', [...ACME, 'email'], `${showValue(email)} ${fault.message}`, fault.remedy)];
}

/** What Kubernetes takes as the key of a Secret's data. */
const DATA_KEY = /^[-._a-zA-Z0-9]{1,253}$/;

/** Fields that secrets of ours have beside what people asked for. */
const OUR_FIELD = /^everleaf(?:\.|$)/;

function secretProblems({ name, key }: { readonly name: string; readonly key: string }, path: Path): Problem[] {
  const nameProblem = error(
    'InvalidName',
    [...path, 'name'],
    `${showValue(name)} cannot be a secret's name.`,
    'Use lower-case letters, digits, hyphens and dots, no slash: prefix and namespace are put in front of it.',
  );
  const keyProblem = error(
    'InvalidName',
    [...path, 'key'],
    `${showValue(key)} cannot be the name of a field in a secret.`,
    `Use letters, digits, hyphens, dots and underscores, as in \`${DEFAULT_KEY}\`.`,
  );
  return [
    ...(isObjectName(name) ? [] : [nameProblem]),
    ...(DATA_KEY.test(key) && !OUR_FIELD.test(key) ? [] : [keyProblem]),
  ];
}

type Binding = NonNullable<AcmeFields['externalAccountBinding']>;

function bindingProblems({ keyID, keySecretRef, keyAlgorithm = 'HS256' }: Binding, accountSecret: string): Problem[] {
  const path = [...BINDING, 'keySecretRef'];
  const noId = error(
    'MissingField',
    [...BINDING, 'keyID'],
    '`keyID` is empty.',
    'Write the id that the CA gave with the key.',
  );
  const shared = error(
    'SharedSecret',
    [...path, 'name'],
    `Secret \`${keySecretRef.name}\` is to hold the account key, too.`,
    'Give each a secret of its own: one is put there by a person, the other is made.',
  );
  const algorithm = warning(
    'NoMeaningHere',
    [...BINDING, 'keyAlgorithm'],
    `\`keyAlgorithm: ${keyAlgorithm}\` has no effect: bindings are signed with HS256, here as by cert-manager.`,
    'Remove the line.',
  );
  return [
    ...(keyID === '' ? [noId] : []),
    ...secretProblems(keySecretRef, path),
    ...(keySecretRef.name === accountSecret ? [shared] : []),
    ...(keyAlgorithm === 'HS256' ? [] : [algorithm]),
  ];
}

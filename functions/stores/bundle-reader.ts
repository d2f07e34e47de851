import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CLIENT_SETTINGS } from '../aws/client.ts';
import { awsFailure } from '../aws/failures.ts';
import { PermanentError } from '../core/errors.ts';
import type { KeyedBundle, Release } from '../core/rollout/ports.ts';
import { readKeyedBundle } from './bundle.ts';
import { isNotFound, onceVisible } from './once-visible.ts';

/** For hooks whose target is given the key itself. Only there may a function read it that issues nothing. */
export function bundleReader(
  client = new SecretsManagerClient({ ...CLIENT_SETTINGS }),
): (release: Release) => Promise<KeyedBundle> {
  return async ({ certificate, ref, version }) => {
    const text = await read(client, ref, version);
    const bundle = readKeyedBundle(text, certificate);
    if (bundle !== undefined) return bundle;
    throw new PermanentError(
      'StoredVersionLost',
      `version ${version} of secret ${ref} holds no bundle of ${certificate}`,
    );
  };
}

async function read(client: SecretsManagerClient, ref: string, version: string): Promise<string | undefined> {
  try {
    const command = new GetSecretValueCommand({ SecretId: ref, VersionId: version });
    const { SecretString } = await onceVisible(() => client.send(command));
    return SecretString;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw awsFailure(error, `reading secret ${ref}`);
  }
}

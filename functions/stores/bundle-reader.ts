import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CLIENT_SETTINGS } from '../aws/client.ts';
import { awsFailure } from '../aws/failures.ts';
import { PermanentError } from '../core/errors.ts';
import type { KeyedBundle, Release } from '../core/rollout/ports.ts';
import { readKeyedBundle } from './bundle.ts';

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
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: ref, VersionId: version }));
    return SecretString;
  } catch (error) {
    throw awsFailure(error, `reading secret ${ref}`);
  }
}

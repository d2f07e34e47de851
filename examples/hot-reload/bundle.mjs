import { setTimeout as wait } from 'node:timers/promises';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

const client = new SecretsManagerClient({});

/** What is current of a certificate's secret: `tls.crt` (the leaf, then its intermediates), `tls.key`, `ca.crt`, PEM each. */
async function readBundle(secretId) {
  const { SecretString, VersionId: version } = await client.send(new GetSecretValueCommand({ SecretId: secretId }));
  const { 'tls.crt': certificate, 'tls.key': key, 'ca.crt': authorities = '' } = JSON.parse(SecretString);
  // A secret whose first certificate is not issued yet has no `tls.crt`.
  if (typeof certificate !== 'string') throw new Error('it holds no certificate yet');
  return { version, certificate, key, authorities };
}

/**
 * Reads it again and again, and hands it over each time: what is to be done is for `onBundle` to see, so that nothing is missed
 * that went wrong once. A failure is told, and leaves the old certificate in use: it is still good.
 */
export async function watchBundle(secretId, everySeconds, onBundle) {
  for (;;) {
    try {
      await onBundle(await readBundle(secretId));
    } catch (error) {
      process.stderr.write(`${secretId}: ${error.message}\n`);
    }
    await wait(everySeconds * 1_000);
  }
}

import { createServer } from 'node:https';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

const { CERTIFICATE_SECRET: SecretId, HOST = '0.0.0.0', PORT = '8443' } = process.env;

/** The key is in memory only: not in the task's environment, where whoever may describe the task would see it. */
async function readCertificate() {
  const { SecretString } = await new SecretsManagerClient().send(new GetSecretValueCommand({ SecretId }));
  const { 'tls.crt': cert, 'tls.key': key } = JSON.parse(SecretString);
  return { cert, key };
}

const server = createServer(await readCertificate(), (request, response) => response.end('hello\n'));
server.listen(Number(PORT), HOST, () => console.log(`listening on ${server.address().port}`));

// New connections get the new certificate, those that are open keep theirs: no restart.
process.on('SIGHUP', async () => server.setSecureContext(await readCertificate()));
process.on('SIGTERM', () => server.close());

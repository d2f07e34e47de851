import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Twin } from '../../local/twin.ts';
import { bundleMaker, ReleasedSecret } from './releases.ts';
import { synthesizeOnce } from './roles.ts';

export interface BareTwin {
  readonly twin: Twin;
  /** A secret whose versions are certificates for the name that was asked for. */
  readonly newSecret: (name: string) => Promise<ReleasedSecret>;
  /** For a program that is to find this account in its environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly close: () => Promise<void>;
}

/** An account with nothing of the product in it. */
export async function startBareTwin(dnsName: string): Promise<BareTwin> {
  const assembly = synthesizeOnce((stack) => void new Queue(stack, 'Queue'));
  const twin = await Twin.start({ assemblyDir: assembly.directory });
  assembly.remove();
  const { endpoint, account, operatorCredentials: credentials } = twin;
  const secrets = new SecretsManagerClient({ endpoint, region: account.region, credentials });
  const { make } = await bundleMaker(dnsName, twin.clock.now());
  return {
    twin,
    newSecret: (name) => ReleasedSecret.create(secrets, name, make),
    environment: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: account.region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
    close: async () => {
      secrets.destroy();
      await twin.close();
    },
  };
}

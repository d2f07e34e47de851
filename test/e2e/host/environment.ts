import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The account that the sample manifest's ARNs name: MiniStack takes a key id of twelve digits for that account's root user. */
export const ACCOUNT_ID = '111122223333';
export const REGION = 'us-east-1';
export const CREDENTIALS = { accessKeyId: ACCOUNT_ID, secretAccessKey: 'made-for-this-run' } as const;

/**
 * What the programs of a run see of this process's environment: all but its AWS settings and its home, where the AWS
 * configuration lies. The person's own credentials are never read, used or passed on.
 */
export function environmentOf(root: string, folder: string): NodeJS.ProcessEnv {
  const [home, temporary] = [join(folder, 'home'), join(folder, 'tmp')];
  for (const each of [home, temporary]) mkdirSync(each);
  const inherited = Object.entries(process.env).filter(([name]) => !/^(?:AWS|CDK)_|^NODE_OPTIONS$/.test(name));
  return {
    ...Object.fromEntries(inherited),
    // The functions run on whatever `node` is first: the major they are deployed on.
    PATH: [join(root, 'node_modules', '.bin'), process.env['PATH']].join(delimiter),
    HOME: home,
    // What the emulator and vitest leave behind goes with this run's folder.
    TMPDIR: temporary,
    NO_PROXY: '127.0.0.1,localhost',
    no_proxy: '127.0.0.1,localhost',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: join(home, 'no-config'),
    AWS_SHARED_CREDENTIALS_FILE: join(home, 'no-credentials'),
  };
}

/** Added for those who call AWS: the CDK command and the tests. */
export function awsSettings(endpoint: string, certificateFile: string): NodeJS.ProcessEnv {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_CA_BUNDLE: certificateFile,
    NODE_EXTRA_CA_CERTS: trustedBeside(certificateFile),
    CDK_DISABLE_CLI_TELEMETRY: 'true',
  };
}

/** A file of the emulator's certificate and those that this machine trusts already, without which npm may not reach its registry. */
function trustedBeside(certificateFile: string): string {
  const own = process.env['NODE_EXTRA_CA_CERTS'];
  if (own === undefined || !existsSync(own)) return certificateFile;
  const together = `${certificateFile}.trusted`;
  writeFileSync(together, `${readFileSync(certificateFile, 'utf8')}\n${readFileSync(own, 'utf8')}`);
  return together;
}

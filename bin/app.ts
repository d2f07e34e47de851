import { App, type Environment, Stack } from 'aws-cdk-lib';
import { EverleafError } from '../functions/core/errors.ts';
import { Everleaf } from '../lib/everleaf.ts';
import { propsOf, readSettings } from './app-settings.ts';

/**
 * The CDK app, for people who only have manifests. Settings are context values, in cdk.json or on the command line:
 * `npx cdk deploy -c manifest=certificates -c deployment=prod`. docs/deploy.md has a table of them.
 */
function main(): void {
  const app = new App();
  const settings = readSettings(app);
  const stack = new Stack(app, settings.stackName ?? 'Everleaf', {
    description: 'Everleaf: keeps TLS certificates valid',
    env: environmentFor(settings.region),
  });
  new Everleaf(stack, 'Everleaf', propsOf(settings, stack));
  app.synth();
}

/** Account and Region are the person's own, as the CDK command finds them; without an account the stack fits any. */
function environmentFor(wanted: string | undefined): Environment {
  const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION } = process.env;
  const region = wanted ?? CDK_DEFAULT_REGION;
  if (account !== undefined && region !== undefined) return { account, region };
  return wanted === undefined ? {} : { region: wanted };
}

try {
  main();
} catch (error) {
  if (!(error instanceof EverleafError)) throw error;
  // A fault in the manifest or a setting, at its place, is for the person who wrote it: a stack trace would only bury it.
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

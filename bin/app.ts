import { App, type Environment } from 'aws-cdk-lib';
import { EverleafError } from '../functions/core/errors.ts';
import { EverleafStack } from '../lib/everleaf-stack.ts';

/**
 * The CDK app, for people who only have manifests. Settings are context values, in cdk.json or on the command line:
 * `npx cdk deploy -c manifest=certificates -c deployment=prod`.
 */
function main(): void {
  const app = new App();
  const manifest = contextText(app, 'manifest') ?? 'certificates';
  const stackName = contextText(app, 'stackName') ?? 'Everleaf';
  const deployment = contextText(app, 'deployment') ?? stackName;
  new EverleafStack(app, stackName, { manifest, deployment, env: environmentFromCli() });
  app.synth();
}

function contextText(app: App, name: string): string | undefined {
  const value: unknown = app.node.tryGetContext(name);
  if (value === undefined || (typeof value === 'string' && value !== '')) return value;
  throw new TypeError(`context value "${name}" is ${JSON.stringify(value)}; it must be a text that is not empty`);
}

/** Set by the CDK command from the person's credentials; absent without an account, where the stack fits any. */
function environmentFromCli(): Environment {
  const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = process.env;
  return account === undefined || region === undefined ? {} : { account, region };
}

try {
  main();
} catch (error) {
  if (!(error instanceof EverleafError)) throw error;
  // A fault in the manifest, at its place, is for the person who wrote it: a stack trace would only bury it.
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

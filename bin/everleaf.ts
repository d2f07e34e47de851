#!/usr/bin/env node
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { Format } from './commands/validate.ts';
import packageJson from '../package.json' with { type: 'json' };
import { EXIT_CODES, EXIT_USAGE, exitCodeOf } from './commands/exit-codes.ts';
import { addCompletion } from './program/completion.ts';
import { interruption } from './program/interruption.ts';
import { addOperatorCommands } from './program/operate.ts';

interface TwinFlags {
  readonly manifest?: string;
  readonly renew?: string;
  readonly keep: boolean;
  readonly json: boolean;
  readonly dns?: number;
  readonly rotateUnderLoad?: boolean;
}

function program(): Command {
  const everleaf = new Command('everleaf')
    .description('Keeps TLS certificates valid and served: cert-manager manifests in, rotated secrets and events out.')
    .version(packageJson.version)
    .showHelpAfterError('(add --help for what there is)')
    .addHelpText('after', EXIT_CODES)
    .exitOverride();

  everleaf
    .command('twin')
    .description('run the whole pipeline on this machine, against a stand-in for an AWS account')
    .option('--manifest <dir>', 'folder of cert-manager documents to run (default: certificates)')
    .option('--renew <name>', 'also renew this certificate on request (name or namespace/name)')
    .option('--keep', 'stay up afterwards and print commands that work against the twin', false)
    .option('--json', 'print one JSON document on stdout; progress goes to stderr', false)
    .option('--dns <port>', 'answer DNS on this port of 127.0.0.1, for an ACME server of your own to ask', portOf)
    .addOption(
      new Option(
        '--rotate-under-load',
        'rotate services several times while clients connect as fast as they can, and say what they saw',
      ).conflicts(['renew', 'keep', 'dns']),
    )
    .addHelpText(
      'after',
      `
Synthesizes the CDK app, brings its template to life on 127.0.0.1, runs the very bundles that would be deployed, and moves
the clock to the first renewal. Needs no AWS account and reads no AWS credentials. Nothing is left behind.

Examples:
  everleaf twin                              the sample certificates
  everleaf twin --manifest my-certificates   your own
  everleaf twin --renew payments/orders      and one on request
  everleaf twin --rotate-under-load          four services of examples/rotate-under-load, or those of your DeployHooks
  everleaf twin --json | jq '.certificates[].notAfter'
  everleaf twin --manifest pebble --dns 8053 issuers whose server is on loopback: pebble -dnsserver 127.0.0.1:8053${EXIT_CODES}`,
    )
    .action(async ({ dns, ...others }: TwinFlags) => {
      // Loaded on demand: help should not wait for the CDK.
      const { twin } = await import('./commands/twin.ts');
      const dnsPort = dns === undefined ? {} : { dnsPort: dns };
      process.exitCode = await twin({ ...others, ...dnsPort, signal: interruption() }, process);
    });

  everleaf
    .command('validate')
    .description('say what a deploy would refuse, with file, line, column and remedy')
    .argument('<dir>', 'folder of cert-manager documents; - reads them from stdin')
    .addOption(
      new Option('--format <format>', 'text for people, json for programs, github for annotations')
        .choices(['text', 'json', 'github'])
        .default('text'),
    )
    .addOption(new Option('--json', 'the same as --format json').implies({ format: 'json' }))
    .addHelpText(
      'after',
      `
Examples:
  everleaf validate certificates
  kustomize build overlays/prod | everleaf validate -
  everleaf validate certificates --format github   annotations on a pull request${EXIT_CODES}`,
    )
    .action(async (dir: string, options: { format: Format }) => {
      const { validate } = await import('./commands/validate.ts');
      process.exitCode = await validate(dir, options, process);
    });

  everleaf
    .command('plan')
    .description('say what a deploy would issue, re-issue, retire and leave alone, and why')
    .argument('<dir>', 'folder of cert-manager documents')
    .option('--stack <name>', 'the deployed stack to compare with (none: a fresh account)')
    .option('--table <name>', "its inventory, where there is no stack to ask: the stack's output TableName")
    .option('--endpoint <url>', 'where they are, if not at AWS: what `twin --keep` prints')
    .option('--json', 'print one JSON document', false)
    .addHelpText(
      'after',
      `
Reads with your own credentials (cloudformation:DescribeStacks; dynamodb:Scan and dynamodb:GetItem on the table), and
writes nothing.

Examples:
  everleaf plan certificates                    on an account that has none
  everleaf plan certificates --stack Everleaf   against what is deployed
  everleaf plan certificates --json | jq '.changes[] | select(.action != "leave")'${EXIT_CODES}`,
    )
    .action(async (dir: string, options: { stack?: string; table?: string; endpoint?: string; json: boolean }) => {
      const { plan } = await import('./commands/plan.ts');
      process.exitCode = await plan(dir, options, process);
    });

  everleaf
    .command('rbac')
    .description('print the Kubernetes Roles that the EKS hooks of a manifest need in a cluster, and no more')
    .argument('<dir>', 'folder with the DeployHook documents')
    .option('--cluster <name>', 'the cluster, where the hooks name several')
    .addHelpText(
      'after',
      `
The Roles are bound to the group everleaf: give the deploy function's role an access entry of the cluster with that group.

Examples:
  everleaf rbac certificates | kubectl apply --filename -
  everleaf rbac certificates --cluster production${EXIT_CODES}`,
    )
    .action(async (dir: string, options: { cluster?: string }) => {
      const { rbac } = await import('./commands/rbac.ts');
      process.exitCode = rbac(dir, options, process);
    });
  addOperatorCommands(everleaf);
  addCompletion(everleaf);
  return everleaf;
}

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new InvalidArgumentError('It must be a number from 1 to 65535.');
}

// `aws` and `cdk` know both; the SDK knows the first alone.
const { AWS_DEFAULT_REGION } = process.env;
if (AWS_DEFAULT_REGION !== undefined) process.env['AWS_REGION'] ??= AWS_DEFAULT_REGION;

// Whoever reads no further, as `head`, has seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  await program().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // commander has said what is wrong; help and version come this way, too.
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_USAGE;
  } else {
    const code = exitCodeOf(error);
    if (code === undefined || !(error instanceof Error)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = code;
  }
}

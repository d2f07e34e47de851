import { type Command, InvalidArgumentError, Option } from 'commander';
import { REVOCATION_REASONS, type RevocationReason } from '../../functions/core/certificate.ts';
import { EXIT_CODES } from '../commands/exit-codes.ts';
import type { WritingOptions } from '../commands/renew.ts';
import type { StackOptions } from '../operator/account.ts';
import { interruption } from './interruption.ts';

type Writing = Omit<WritingOptions, 'signal'>;

const ACCOUNT = `
Credentials and Region are those of every AWS tool: AWS_PROFILE, AWS_REGION and the like. docs/command.md has all of this, with
what each command prints as JSON; docs/policies has what it may need.`;

/** The commands for a deployment that runs. Each loads what it needs when it is called: help waits for no SDK. */
export function addOperatorCommands(everleaf: Command): void {
  addReading(everleaf);
  addWriting(everleaf);
  addRecovery(everleaf);
}

const onStack = (command: Command): Command =>
  command
    .option('--stack <name>', 'the deployed stack', 'Everleaf')
    .option('--endpoint <url>', 'where AWS is, if not at AWS: what `twin --keep` prints')
    .option('--json', 'print JSON', false);

const selecting = (command: Command): Command =>
  command
    .option('--issuer <name>', 'those of this issuer')
    .option('--expiring-within <span>', 'those whose certificate in use ends within 7d, 12h, …');

const writing = (command: Command): Command =>
  onStack(command)
    .option('--dry-run', 'say what it would do, and do nothing', false)
    .option('--yes', 'do not ask: for scripts', false)
    .option('--wait', 'stay until it has come about, and say what happens', false)
    .option('--timeout <span>', 'how long --wait stays', '10m');

function addReading(everleaf: Command): void {
  selecting(onStack(everleaf.command('status')))
    .description('how certificates stand: state, not after, next renewal, last error with its remedy')
    .argument('[names...]', 'certificates, namespace/name or name; all, if none')
    .option('--watch', 'look again every five seconds, until Ctrl-C', false)
    .addHelpText(
      'after',
      `${ACCOUNT}

Examples:
  everleaf status                              all of them; ends with 1 where one is expired, blocked or failing
  everleaf status payments/orders              one, in full
  everleaf status --expiring-within 7d --json | jq '.certificates[].name'${EXIT_CODES}`,
    )
    .action(
      async (
        names: string[],
        options: StackOptions & { issuer?: string; expiringWithin?: string; watch: boolean; json: boolean },
      ) => {
        const { status } = await import('../commands/status.ts');
        process.exitCode = await status({ ...options, names, signal: interruption() }, process);
      },
    );

  onStack(everleaf.command('history'))
    .description('every transition of a certificate: who, why, when, which version')
    .argument('<name>', 'a certificate, namespace/name or name')
    .addHelpText('after', `${ACCOUNT}${EXIT_CODES}`)
    .action(async (name: string, options: StackOptions & { json: boolean }) => {
      const { history } = await import('../commands/history.ts');
      process.exitCode = await history(name, options, process);
    });

  onStack(everleaf.command('doctor'))
    .description('whether the next certificate can be issued: permissions, quotas, zones, CAs, clock')
    .argument('[dir]', 'folder of cert-manager documents, before they are deployed; what is deployed, if none')
    .addHelpText(
      'after',
      `${ACCOUNT}\nChanges nothing. CAs and names are looked at from where this machine is.${EXIT_CODES}`,
    )
    .action(async (folder: string | undefined, options: StackOptions & { json: boolean }) => {
      const { doctor } = await import('../commands/doctor.ts');
      process.exitCode = await doctor(folder, options, process);
    });
}

function addWriting(everleaf: Command): void {
  selecting(writing(everleaf.command('renew')))
    .description('ask for a new certificate now, whatever the schedule says')
    .argument('[names...]', 'certificates, namespace/name or name')
    .addHelpText(
      'after',
      `${ACCOUNT}

Examples:
  everleaf renew payments/orders --wait
  everleaf renew --expiring-within 7d --dry-run
  everleaf renew --issuer letsencrypt --yes${EXIT_CODES}`,
    )
    .action(async (names: string[], options: Writing & { issuer?: string; expiringWithin?: string }) => {
      const { renew } = await import('../commands/renew.ts');
      process.exitCode = await renew({ ...options, names, signal: interruption() }, process);
    });

  writing(everleaf.command('retry'))
    .description('try again now what failed: no more patience than its CA asks for')
    .argument('[names...]', 'certificates, namespace/name or name')
    .option('--issuer <name>', 'everything of this issuer that has failed; its circuit is closed as well')
    .option('--all', 'everything that has failed', false)
    .addHelpText('after', `${ACCOUNT}${EXIT_CODES}`)
    .action(async (names: string[], options: Writing & { issuer?: string; all: boolean }) => {
      const { retry } = await import('../commands/retry.ts');
      process.exitCode = await retry({ ...options, names, signal: interruption() }, process);
    });

  writing(everleaf.command('revoke'))
    .description('a replacement first, then the CA revokes the old leaf')
    .argument('<name>', 'a certificate, namespace/name or name')
    .addOption(new Option('--reason <reason>', 'why (RFC 5280)').choices(REVOCATION_REASONS).makeOptionMandatory())
    .option('--serial <hex>', 'the leaf with this serial number, of the last two; the one in use, if absent')
    .addHelpText(
      'after',
      `${ACCOUNT}
The pipeline does both, under its own role: whoever asks needs no right at the CA.

Examples:
  everleaf revoke payments/orders --reason keyCompromise --wait
  everleaf revoke payments/orders --reason superseded --dry-run${EXIT_CODES}`,
    )
    .action(async (name: string, options: Writing & { reason: RevocationReason; serial?: string }) => {
      const { revoke } = await import('../commands/revoke.ts');
      process.exitCode = await revoke(name, { ...options, signal: interruption() }, process);
    });
}

function addRecovery(everleaf: Command): void {
  onStack(everleaf.command('purge'))
    .description('delete the secret and the record of a certificate that was removed from the manifest')
    .argument('<name>', 'a certificate, namespace/name or name')
    .option('--recovery-days <days>', 'for how long the secret can be restored, 7 to 30', recoveryDays, 30)
    .option('--dry-run', 'say what would go, and do nothing', false)
    .option('--yes', 'do not ask: for scripts', false)
    .addHelpText('after', `${ACCOUNT}${EXIT_CODES}`)
    .action(
      async (
        name: string,
        options: StackOptions & { recoveryDays: number; dryRun: boolean; yes: boolean; json: boolean },
      ) => {
        const { purge } = await import('../commands/purge.ts');
        process.exitCode = await purge(name, options, process);
      },
    );

  onStack(everleaf.command('rebuild'))
    .description(
      'restore records that the inventory has lost, from the manifest and the tagged secrets; issues nothing',
    )
    .argument('<dir>', 'the folder of cert-manager documents that is deployed')
    .option('--dry-run', 'say what would be restored, and do nothing', false)
    .addHelpText('after', `${ACCOUNT}${EXIT_CODES}`)
    .action(async (folder: string, options: StackOptions & { dryRun: boolean; json: boolean }) => {
      const { rebuild } = await import('../commands/rebuild.ts');
      process.exitCode = await rebuild(folder, { ...options, signal: interruption() }, process);
    });
}

/** Secrets Manager's bounds. */
function recoveryDays(text: string): number {
  const days = Number(text);
  if (Number.isInteger(days) && days >= 7 && days <= 30) return days;
  throw new InvalidArgumentError('It must be a whole number from 7 to 30.');
}

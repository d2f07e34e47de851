import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CLIENT_SETTINGS } from '../../functions/aws/client.ts';
import type { CertificateId } from '../../functions/core/certificate.ts';
import type { CertificateRecord } from '../../functions/core/record.ts';
import { deploymentSecrets } from '../../functions/stores/deployment-secrets.ts';
import { secretNameOf } from '../../functions/stores/secret-name.ts';
import { type Account, type StackOptions, withAccount } from '../operator/account.ts';
import { confirm } from '../operator/confirm.ts';
import { permittedBy } from '../operator/denied.ts';
import { selected } from '../operator/selection.ts';
import type { Terminal } from '../terminal.ts';
import { EXIT_FINDINGS, EXIT_FINE } from './exit-codes.ts';

export interface PurgeOptions extends StackOptions {
  /** In which a deleted secret can be restored, 7 to 30. */
  readonly recoveryDays: number;
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly json: boolean;
}

/**
 * `everleaf purge NAME`: a retired certificate's secret is scheduled for deletion, then its record is forgotten. In this order:
 * what is interrupted in between is still a record, and a second run finishes.
 */
export async function purge(name: string, options: PurgeOptions, io: Terminal): Promise<number> {
  return permittedBy('recovery', () =>
    withAccount(options, async (account) => {
      const [record] = await selected(account, { names: [name] }, io.stderr);
      const objection = record === undefined ? 'it is gone already' : objectionTo(record);
      if (record === undefined || objection !== undefined) {
        io.stderr.write(`${record?.id ?? name}: ${objection ?? ''}\n`);
        return EXIT_FINDINGS;
      }
      const secrets = secretsOf(record, account);
      io.stderr.write(`${plan(record, secrets, options)}\n`);
      if (options.dryRun) {
        io.stderr.write('Nothing was done.\n');
        return EXIT_FINE;
      }
      if (!(await confirm(record.id, options.yes, io))) return EXIT_FINDINGS;
      return carryOut(record.id, account, options, io);
    }),
  );
}

function objectionTo({ retiredAt, origin, revocations = [] }: CertificateRecord): string | undefined {
  if (retiredAt === undefined && origin === 'managed') {
    return 'it is in the manifest; remove it there, deploy, and purge it then';
  }
  if (revocations.length > 0) {
    return 'somebody asked for a revocation that its CA has not done yet; everleaf status says why';
  }
  return undefined;
}

/** A changed `secretName` left the earlier secret behind. */
function secretsOf({ id, spec, current, previous }: CertificateRecord, { stack }: Account): readonly string[] {
  const names = [spec.secretName, current?.secretName, previous?.secretName].filter((name) => name !== undefined);
  return [...new Set(names)].map((secretName) => secretNameOf(stack.deployment, { certificate: id, secretName }));
}

const plan = ({ id, abandoned = [] }: CertificateRecord, secrets: readonly string[], { recoveryDays }: PurgeOptions) =>
  [
    `${id}: to be removed for good:`,
    ...secrets.map(
      (secret) => `  secret ${secret}, with every version of its key; it can be restored for ${recoveryDays} days`,
    ),
    '  its record in the inventory, with its history',
    ...(abandoned.length === 0 ? [] : [`  what ${abandoned.length} orders still hold at their CA is left to expire`]),
  ].join('\n');

const halfWay = (secrets: readonly string[]): string =>
  [
    `Stopped half-way: deleted ${secrets.join(', ') || 'nothing'}; the record is still there. Run it again to finish.`,
    ...(secrets.length === 0 ? [] : ['Should the certificate be wanted again:']),
    ...secrets.map((secret) => `  aws secretsmanager restore-secret --secret-id ${secret}`),
  ].join('\n');

async function carryOut(
  id: CertificateId,
  account: Account,
  { recoveryDays, json }: PurgeOptions,
  { stdout, stderr }: Terminal,
): Promise<number> {
  const { stack, inventory, endpoint } = account;
  // A deploy may have brought it back while somebody was asked.
  const stored = await inventory.read(id);
  const objection = stored === undefined ? 'it is gone already' : objectionTo(stored.value);
  if (stored === undefined || objection !== undefined) {
    stderr.write(`${id}: meanwhile ${objection ?? ''}\n`);
    return EXIT_FINDINGS;
  }
  const client = new SecretsManagerClient({ ...CLIENT_SETTINGS, ...endpoint });
  const removed: { secret: string; outcome: 'scheduled' | 'gone' }[] = [];
  try {
    const store = deploymentSecrets(stack.deployment, client);
    for (const secret of secretsOf(stored.value, account)) {
      removed.push({ secret, outcome: await store.remove(secret, id, recoveryDays) });
    }
    await inventory.remove(id, stored.revision);
  } catch (error) {
    stderr.write(`${halfWay(removed.map(({ secret }) => secret))}\n`);
    throw error;
  } finally {
    client.destroy();
  }
  if (json) stdout.write(`${JSON.stringify({ purged: id, secrets: removed }, null, 2)}\n`);
  else {
    for (const { secret, outcome } of removed) {
      stdout.write(
        `✔ secret ${secret}: ${outcome === 'gone' ? 'was gone' : `deleted, to be had back for ${recoveryDays} days`}\n`,
      );
    }
    stdout.write(`✔ ${id}: forgotten\n`);
  }
  return EXIT_FINE;
}

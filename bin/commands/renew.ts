import { nextOrderAt } from '../../functions/core/cap.ts';
import type { CertificateRecord } from '../../functions/core/record.ts';
import { isRenewed } from '../../functions/core/record.ts';
import type { Instant } from '../../functions/core/time.ts';
import { type Account, type StackOptions, withAccount } from '../operator/account.ts';
import { confirm } from '../operator/confirm.ts';
import { permittedBy } from '../operator/denied.ts';
import { follow } from '../operator/follow.ts';
import { moment } from '../operator/moments.ts';
import { asking, printReport, request } from '../operator/requests.ts';
import { isEverything, selected, type Selection, spanOf } from '../operator/selection.ts';
import type { Terminal } from '../terminal.ts';
import { EXIT_FINDINGS, EXIT_FINE, UsageError } from './exit-codes.ts';

/** Of every command that writes into records. */
export interface WritingOptions extends StackOptions {
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly json: boolean;
  /** Stays until it has come about. */
  readonly wait: boolean;
  /** For so long: `10m`. */
  readonly timeout: string;
  readonly signal: AbortSignal;
}

export interface RenewOptions extends WritingOptions, Selection {}

/** `everleaf renew`: asks for new certificates now, whatever the schedule says. */
export async function renew(options: RenewOptions, io: Terminal): Promise<number> {
  if (isEverything(options))
    throw new UsageError('which ones? Name certificates, or give --issuer or --expiring-within');
  return permittedBy('operator', () =>
    withAccount(options, async (account) => {
      const records = await selected(account, options, io.stderr);
      if (records.length === 0) {
        io.stderr.write('No certificate is selected.\n');
        return EXIT_FINDINGS;
      }
      if (options.dryRun) return showRenewals(records, account, options, io);
      if (options.names.length === 0) {
        io.stderr.write(`${plural(records.length)} would be ordered anew (--dry-run lists them).\n`);
        if (!(await confirm(String(records.length), options.yes, io))) return EXIT_FINDINGS;
      }
      const report = await request(
        account,
        records,
        asking(account, (record) => renewalOf(record, account)),
        {
          signal: options.signal,
          stderr: io.stderr,
        },
      );
      const code = printReport(report, 'asked to be renewed', options.json, io);
      if (!options.wait || code !== EXIT_FINE) return code;
      const before = records.filter(({ id }) => report.done.includes(id));
      return follow(
        account,
        { ...options, before, timeoutMs: spanOf(options.timeout), verdict: renewedSince(before) },
        io,
      );
    }),
  );
}

const plural = (count: number): string =>
  `${count.toLocaleString('en')} ${count === 1 ? 'certificate' : 'certificates'}`;

const renewalOf = (record: CertificateRecord, { person }: Account) =>
  isRenewed(record)
    ? { event: 'RenewalRequested' as const, by: person.arn }
    : 'it was removed from the manifest, and nothing renews it';

function showRenewals(
  records: readonly CertificateRecord[],
  account: Account,
  { json }: RenewOptions,
  { stdout }: Terminal,
): number {
  const now = account.person.clock();
  const lines = records.map((record) => {
    const wish = renewalOf(record, account);
    const from = earliest(record, now);
    return {
      certificate: record.id,
      wouldRenew: typeof wish !== 'string',
      because: typeof wish === 'string' ? wish : from === undefined ? 'at once' : `not before ${moment(from, now)}`,
    };
  });
  if (json) stdout.write(`${JSON.stringify({ dryRun: true, certificates: lines }, null, 2)}\n`);
  else {
    for (const { certificate, wouldRenew, because } of lines) {
      stdout.write(`${wouldRenew ? '±' : '–'} ${certificate}: ${because}\n`);
    }
    stdout.write('Nothing was done.\n');
  }
  return EXIT_FINE;
}

/** What a request does not end: the daily cap, and what the CA asked for. */
function earliest({ orders, spec, retryAfter = 0 }: CertificateRecord, now: Instant): Instant | undefined {
  const from = Math.max(retryAfter, nextOrderAt(orders, spec.durationSeconds, now));
  return from > now ? from : undefined;
}

export function renewedSince(before: readonly CertificateRecord[]) {
  const were = new Map(before.map((record) => [record.id, record]));
  return (record: CertificateRecord): 'done' | 'failed' | undefined => {
    const was = were.get(record.id);
    if (was === undefined || record.generation > was.generation) return 'done';
    return record.failures.count > was.failures.count ? 'failed' : undefined;
  };
}

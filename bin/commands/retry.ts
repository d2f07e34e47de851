import { CLOSED } from '../../functions/core/breaker.ts';
import { type CertificateId, issuerIdOf } from '../../functions/core/certificate.ts';
import { ConflictError } from '../../functions/core/errors.ts';
import type { CertificateRecord } from '../../functions/core/record.ts';
import type { Happening } from '../../functions/core/transitions.ts';
import { type Account, withAccount } from '../operator/account.ts';
import { confirm } from '../operator/confirm.ts';
import { permittedBy } from '../operator/denied.ts';
import { follow } from '../operator/follow.ts';
import { moment } from '../operator/moments.ts';
import { isUndeployed, retryRollout } from '../operator/rollouts.ts';
import { type Ask, asking, hint, printReport, request } from '../operator/requests.ts';
import { selected, type Selection, spanOf } from '../operator/selection.ts';
import type { Terminal } from '../terminal.ts';
import { EXIT_FINDINGS, EXIT_FINE, UsageError } from './exit-codes.ts';
import type { WritingOptions } from './renew.ts';

export interface RetryOptions extends WritingOptions, Omit<Selection, 'expiringWithin'> {
  /** Everything that has failed. */
  readonly all: boolean;
}

/** `everleaf retry`: what failed is tried again now. With an issuer, its circuit is closed, too. */
export async function retry(options: RetryOptions, io: Terminal): Promise<number> {
  const { names, issuer, all, dryRun, json, signal } = options;
  if (names.length === 0 && issuer === undefined && !all) {
    throw new UsageError('which ones? Name certificates, or give --issuer or --all');
  }
  return permittedBy('operator', () =>
    withAccount(options, async (account) => {
      const chosen = await selected(account, { names, ...(issuer === undefined ? {} : { issuer }) }, io.stderr);
      const records = names.length > 0 ? chosen : chosen.filter((record) => hasFailed(record) || isUndeployed(record));
      if (records.length === 0) {
        io.stderr.write('Nothing here has failed.\n');
        return EXIT_FINDINGS;
      }
      if (dryRun) return showRetries(records, account, json, io);
      if (names.length === 0) {
        const count = records.length.toLocaleString('en');
        io.stderr.write(`${count} would be tried again now, whatever their patience (--dry-run lists them).\n`);
        if (!(await confirm(String(records.length), options.yes, io))) return EXIT_FINDINGS;
      }
      if (issuer !== undefined) await closeCircuits(account, records);
      const report = await request(account, records, askAgain(account), { signal, stderr: io.stderr });
      const redeployed = records.filter((record) => isUndeployed(record) && report.done.includes(record.id));
      await hint(account, ids(redeployed), io.stderr, 'Certificate Deployment Due');
      const code = printReport(report, 'to be tried again now', json, io);
      const before = records.filter(({ id }) => report.done.includes(id));
      for (const { id, retryAfter = 0 } of before) {
        if (retryAfter > account.person.clock()) {
          io.stderr.write(`${id}: its CA asks to be left alone until ${moment(retryAfter, account.person.clock())}\n`);
        }
      }
      if (!options.wait || code !== EXIT_FINE) return code;
      const counts = new Map(before.map((record) => [record.id, record.failures.count]));
      const verdict = (record: CertificateRecord): 'done' | 'failed' | undefined => {
        const { id, failures } = record;
        if (failures.count === 0) return isUndeployed(record) ? undefined : 'done';
        return failures.count > (counts.get(id) ?? 0) ? 'failed' : undefined;
      };
      return follow(account, { signal, before, timeoutMs: spanOf(options.timeout), verdict }, io);
    }),
  );
}

const hasFailed = ({ failures, waitUntil }: CertificateRecord): boolean =>
  failures.count > 0 || waitUntil !== undefined;

const ids = (records: readonly CertificateRecord[]): readonly CertificateId[] => records.map(({ id }) => id);

/** A renewal that failed is made again, and a version that is held is deployed again. */
function askAgain(account: Account): Ask {
  const renewAgain = asking(account, again);
  return async (record) => {
    if (!isUndeployed(record)) return renewAgain(record);
    const deployed = await retryRollout(account.inventory, record.id, account.person);
    if (!hasFailed(record)) return deployed;
    const renewed = await renewAgain(record);
    return 'because' in renewed ? deployed : renewed;
  };
}

const again = (record: CertificateRecord): Happening | string =>
  hasFailed(record) ? { event: 'Reconsidered', cause: 'somebody asked for it' } : 'nothing has failed';

function showRetries(
  records: readonly CertificateRecord[],
  { person }: Account,
  json: boolean,
  { stdout }: Terminal,
): number {
  const lines = records.map((record) => {
    const { id, failures, waitUntil } = record;
    const waits = waitUntil === undefined ? '' : `, would be tried again ${moment(waitUntil, person.clock())}`;
    const nothing = isUndeployed(record) ? 'its deployment failed' : 'nothing has failed';
    const last = failures.last === undefined ? nothing : `${failures.last.code}: ${failures.last.message}`;
    return { certificate: id, wouldRetry: hasFailed(record) || isUndeployed(record), because: `${last}${waits}` };
  });
  if (json) stdout.write(`${JSON.stringify({ dryRun: true, certificates: lines }, null, 2)}\n`);
  else {
    for (const { certificate, wouldRetry, because } of lines) {
      stdout.write(`${wouldRetry ? '?' : '–'} ${certificate}: ${because}\n`);
    }
    stdout.write('Nothing was done.\n');
  }
  return EXIT_FINE;
}

/** Whoever says that the CA is back knows more than a circuit breaker. A worker that writes it meanwhile knows as much. */
async function closeCircuits({ inventory }: Account, records: readonly CertificateRecord[]): Promise<void> {
  for (const id of new Set(records.map(({ spec }) => issuerIdOf(spec.issuerRef)))) {
    const stored = await inventory.readIssuer(id);
    if (stored === undefined || stored.value.breaker.openUntil === undefined) continue;
    try {
      await inventory.writeIssuer({ ...stored.value, breaker: CLOSED }, stored.revision);
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
    }
  }
}

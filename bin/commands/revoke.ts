import type { RevocationReason } from '../../functions/core/certificate.ts';
import { type CertificateRecord, type CurrentVersion, isRenewed } from '../../functions/core/record.ts';
import { withAccount } from '../operator/account.ts';
import { confirm } from '../operator/confirm.ts';
import { permittedBy } from '../operator/denied.ts';
import { follow } from '../operator/follow.ts';
import { moment } from '../operator/moments.ts';
import { asking, printReport, request } from '../operator/requests.ts';
import { selected, spanOf } from '../operator/selection.ts';
import type { Terminal } from '../terminal.ts';
import { EXIT_FINDINGS, EXIT_FINE, UsageError } from './exit-codes.ts';
import type { WritingOptions } from './renew.ts';

export interface RevokeOptions extends WritingOptions {
  readonly reason: RevocationReason;
  /** Of the leaf; that of the one in use, if absent. */
  readonly serial?: string;
}

/** `everleaf revoke NAME`: a replacement first, then the CA revokes the old leaf. The pipeline does both; who asks needs no right at the CA. */
export async function revoke(name: string, options: RevokeOptions, io: Terminal): Promise<number> {
  const { reason, dryRun, yes, json, signal } = options;
  return permittedBy('operator', () =>
    withAccount(options, async (account) => {
      const records = await selected(account, { names: [name] }, io.stderr);
      const [record] = records;
      const leaf = record === undefined ? undefined : leafOf(record, options.serial);
      if (record === undefined || leaf === undefined) {
        io.stderr.write(`${name}: no certificate was ever issued, so there is none to revoke\n`);
        return EXIT_FINDINGS;
      }
      if (leaf.revocation !== undefined) {
        const { revokedAt, requestedAt } = leaf.revocation;
        const at = moment(revokedAt ?? requestedAt, account.person.clock());
        io.stderr.write(`${record.id}: ${revokedAt === undefined ? 'that was asked for' : 'it was revoked'} ${at}\n`);
        return EXIT_FINDINGS;
      }
      io.stderr.write(`${plan(record, leaf, reason)}\n`);
      if (dryRun) {
        io.stderr.write('Nothing was done.\n');
        return EXIT_FINE;
      }
      if (!(await confirm(record.id, yes, io))) return EXIT_FINDINGS;
      const { version } = leaf;
      const by = account.person.arn;
      const report = await request(
        account,
        records,
        asking(account, (latest) =>
          isKnown(latest, version)
            ? { event: 'RevocationRequested', version, reason, by }
            : 'it was rotated twice meanwhile; revoke that leaf at its CA',
        ),
        { signal, stderr: io.stderr },
      );
      const code = printReport(report, 'to be revoked', json, io);
      if (!options.wait || code !== EXIT_FINE) return code;
      const before = [record];
      return follow(
        account,
        { signal, before, timeoutMs: spanOf(options.timeout), verdict: revokedSince(record, version) },
        io,
      );
    }),
  );
}

/** A serial number as openssl, browsers or CAs print it. */
const normalized = (serial: string): string =>
  serial
    .replaceAll(/[^0-9a-fA-F]/g, '')
    .toUpperCase()
    .replace(/^0+/, '');

function leafOf({ id, current, previous }: CertificateRecord, serial: string | undefined): CurrentVersion | undefined {
  if (serial === undefined) return current;
  const known = [current, previous].filter((version) => version !== undefined);
  const found = known.find(({ leaf }) => normalized(leaf.serialNumber) === normalized(serial));
  if (found !== undefined || known.length === 0) return found;
  const serials = known.map(({ leaf }) => leaf.serialNumber).join(' and ');
  throw new UsageError(`${id}: the inventory knows its last two leaves, ${serials}; revoke an older one at its CA`);
}

const isKnown = ({ current, previous }: CertificateRecord, version: string): boolean =>
  current?.version === version || previous?.version === version;

function plan(record: CertificateRecord, { version, leaf, issuerRef }: CurrentVersion, reason: string): string {
  const revokes = `${issuerRef.name} revokes ${leaf.serialNumber} (${reason})`;
  if (record.current?.version !== version) return `${record.id}: it is not in use any more. ${revokes}, at once.`;
  return isRenewed(record)
    ? `${record.id}: a new certificate is ordered first. When it is current, ${revokes}.`
    : `${record.id}: it was removed from the manifest, so nothing replaces it. ${revokes}, at once, whoever still serves it.`;
}

function revokedSince({ failures, history }: CertificateRecord, version: string) {
  const known = history.length === 0 ? 0 : (history.at(-1)?.at ?? 0);
  return (record: CertificateRecord): 'done' | 'failed' | undefined => {
    const mark = [record.current, record.previous].find((each) => each?.version === version)?.revocation;
    if (mark?.revokedAt !== undefined) return 'done';
    const refused = record.history.some(
      (each) => each.event === 'NotRevoked' && each.version === version && each.at >= known,
    );
    return refused || record.failures.count > failures.count ? 'failed' : undefined;
  };
}

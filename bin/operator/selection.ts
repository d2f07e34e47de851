import { certificateId } from '../../functions/core/certificate.ts';
import { parseDuration } from '../../functions/core/manifest/duration.ts';
import type { CertificateRecord } from '../../functions/core/record.ts';
import { DAY_MS, type Instant, SECOND_MS } from '../../functions/core/time.ts';
import { UsageError } from '../commands/exit-codes.ts';
import { allRecords, type Account } from './account.ts';
import { ofIssuer, resolveName } from './names.ts';

/** Which certificates a command is about. All that is given has to fit. */
export interface Selection {
  readonly names: readonly string[];
  readonly issuer?: string;
  /** `7d`, `12h`. */
  readonly expiringWithin?: string;
}

export const isEverything = ({ names, issuer, expiringWithin }: Selection): boolean =>
  names.length === 0 && issuer === undefined && expiringWithin === undefined;

/** Those that are selected, by name. */
export async function selected(
  account: Account,
  { names, issuer, expiringWithin }: Selection,
  stderr: NodeJS.WritableStream,
): Promise<readonly CertificateRecord[]> {
  const spanMs = expiringWithin === undefined ? undefined : spanOf(expiringWithin);
  const named = names.length === 0 ? undefined : await byName(account, names, stderr);
  const candidates = named ?? (await allRecords(account.inventory, stderr));
  const before = spanMs === undefined ? undefined : account.person.clock() + spanMs;
  return (issuer === undefined ? candidates : ofIssuer(candidates, issuer)).filter((record) =>
    expiresBefore(record, before),
  );
}

function expiresBefore({ current }: CertificateRecord, before: Instant | undefined): boolean {
  if (before === undefined) return true;
  return current !== undefined && current.leaf.notAfter <= before;
}

/** A name in full costs one read; anything else has to be looked for. */
async function byName(
  { inventory }: Account,
  names: readonly string[],
  stderr: NodeJS.WritableStream,
): Promise<readonly CertificateRecord[]> {
  const found = await Promise.all(
    names.map(async (name) => {
      const id = certificateId.safeParse(name);
      return id.success ? (await inventory.read(id.data))?.value : undefined;
    }),
  );
  if (found.every((record) => record !== undefined)) return found;
  const records = await allRecords(inventory, stderr);
  const byId = new Map(records.map((record) => [record.id, record]));
  return names.flatMap((name) => byId.get(resolveName(name, [...byId.keys()])) ?? []);
}

/** Go's duration, and whole days. Throws UsageError. */
export function spanOf(text: string): number {
  const days = /^(\d{1,5})d$/.exec(text)?.[1];
  const seconds = days === undefined ? parseDuration(text) : undefined;
  const spanMs = days === undefined ? (seconds === undefined ? -1 : seconds * SECOND_MS) : Number(days) * DAY_MS;
  if (spanMs > 0) return spanMs;
  throw new UsageError(`"${text}" is no time span; write 7d, 12h or 90m`);
}

import { setTimeout as wait } from 'node:timers/promises';
import type { CertificateId } from '../../functions/core/certificate.ts';
import type { CertificateRecord, Transition } from '../../functions/core/record.ts';
import { SECOND_MS } from '../../functions/core/time.ts';
import { EXIT_FINDINGS, EXIT_FINE, EXIT_INTERRUPTED } from '../commands/exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import type { Account } from './account.ts';

const LOOK_EVERY_MS = SECOND_MS;

export interface FollowOptions {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** How a record came out; undefined while it is under way. */
  readonly verdict: (record: CertificateRecord) => 'done' | 'failed' | undefined;
  readonly before: readonly CertificateRecord[];
}

/** Prints what happens to certificates as it happens, until all have come out. 1 where one has failed, or time is over. */
export async function follow({ inventory, person }: Account, options: FollowOptions, io: Terminal): Promise<number> {
  const { before, signal, timeoutMs, verdict } = options;
  const seen = new Map(before.map(({ id, history }) => [id, new Set(history.map(keyOf))]));
  const open = new Set<CertificateId>(seen.keys());
  const until = person.clock() + timeoutMs;
  let failed = 0;
  while (open.size > 0 && !signal.aborted && person.clock() < until) {
    for (const id of open) {
      const record = (await inventory.read(id))?.value;
      for (const transition of record?.history ?? []) tell(id, transition, seen.get(id) ?? new Set(), io);
      const outcome = record === undefined ? 'failed' : verdict(record);
      if (outcome !== undefined) open.delete(id);
      if (outcome === 'failed') failed += 1;
    }
    if (open.size > 0) await wait(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
  }
  if (open.size > 0) {
    const why = signal.aborted ? 'Interrupted' : 'Time is over';
    io.stderr.write(`${why}; the pipeline goes on with ${[...open].join(', ')} (everleaf status)\n`);
    return signal.aborted ? EXIT_INTERRUPTED : EXIT_FINDINGS;
  }
  return failed === 0 ? EXIT_FINE : EXIT_FINDINGS;
}

const keyOf = ({ at, event, cause }: Transition): string => `${at} ${event} ${cause}`;

function tell(id: CertificateId, transition: Transition, seen: Set<string>, { stderr }: Terminal): void {
  const key = keyOf(transition);
  if (seen.has(key)) return;
  seen.add(key);
  stderr.write(`  ${id}  ${transition.event}  ${transition.cause}\n`);
}

import { toTimestamp } from '../../functions/core/time.ts';
import { HISTORY_LIMIT } from '../../functions/core/record.ts';
import { type StackOptions, withAccount } from '../operator/account.ts';
import { permittedBy } from '../operator/denied.ts';
import { selected } from '../operator/selection.ts';
import { textTable } from '../operator/text-table.ts';
import type { Terminal } from '../terminal.ts';
import { EXIT_FINE } from './exit-codes.ts';

export interface HistoryOptions extends StackOptions {
  readonly json: boolean;
}

/** A transition of the certificate, or of its roll-out. */
interface Line {
  readonly at: string;
  readonly actor: string;
  readonly event: string;
  readonly cause: string;
  readonly version?: string | undefined;
}

/** `everleaf history NAME`: every transition that its records still have: who, why, when, which version. */
export async function history(name: string, options: HistoryOptions, io: Terminal): Promise<number> {
  return permittedBy('viewer', () =>
    withAccount(options, async (account) => {
      const [record] = await selected(account, { names: [name] }, io.stderr);
      const rollout = record === undefined ? undefined : await account.inventory.readRollout(record.id);
      const transitions = [...(record?.history ?? []), ...(rollout?.value.history ?? [])]
        .toSorted((a, b) => a.at - b.at)
        .map(({ at, ...transition }): Line => ({ at: toTimestamp(at), ...transition }));
      if (options.json) {
        io.stdout.write(`${JSON.stringify({ certificate: record?.id, transitions }, null, 2)}\n`);
        return EXIT_FINE;
      }
      const rows = transitions.map(({ at, actor, event, version, cause }) => [
        at.slice(0, 19).replace('T', ' '),
        event,
        actor,
        version?.slice(0, 8) ?? '–',
        cause,
      ]);
      const note =
        (record?.history.length ?? 0) < HISTORY_LIMIT
          ? ''
          : `\n\nThe last ${HISTORY_LIMIT}; the log of the issue function has all.`;
      io.stdout.write(`${textTable(['WHEN (UTC)', 'WHAT', 'WHO', 'VERSION', 'WHY'], rows)}${note}\n`);
      return EXIT_FINE;
    }),
  );
}

import { setTimeout as wait } from 'node:timers/promises';
import { type Instant, SECOND_MS, toTimestamp } from '../../functions/core/time.ts';
import { type StackOptions, withAccount, type Account } from '../operator/account.ts';
import { permittedBy } from '../operator/denied.ts';
import { inUtc, fromNow, moment } from '../operator/moments.ts';
import { selected, type Selection } from '../operator/selection.ts';
import { needsAttention, type StatusRow, statusRow } from '../operator/status-row.ts';
import { textTable } from '../operator/text-table.ts';
import { isTerminal, type Terminal } from '../terminal.ts';
import { EXIT_FINDINGS, EXIT_FINE, EXIT_INTERRUPTED } from './exit-codes.ts';

export interface StatusOptions extends StackOptions, Selection {
  readonly watch: boolean;
  readonly json: boolean;
  /** Fires when the person wants it to end. */
  readonly signal: AbortSignal;
  /** Between two looks of `watch`. */
  readonly pause?: (signal: AbortSignal) => Promise<void>;
}

const WATCH_MS = 5 * SECOND_MS;
const everyFewSeconds = (signal: AbortSignal): Promise<void> => wait(WATCH_MS, undefined, { signal });

/** `everleaf status`: how certificates stand. 1 where one is expired, blocked or failing. */
export async function status(options: StatusOptions, io: Terminal): Promise<number> {
  return permittedBy('viewer', () =>
    withAccount(options, async (account) => {
      if (options.watch) return watch(account, options, io);
      const { standings, at } = await look(account, options, io);
      io.stdout.write(`${render(standings, at, account, options)}\n`);
      return standings.some(needsAttention) ? EXIT_FINDINGS : EXIT_FINE;
    }),
  );
}

interface Look {
  readonly standings: readonly StatusRow[];
  readonly at: Instant;
}

async function look(account: Account, options: StatusOptions, { stderr }: Terminal): Promise<Look> {
  const records = await selected(account, options, stderr);
  const at = account.person.clock();
  return { at, standings: records.map((record) => statusRow(record, at)) };
}

const CLEAR_SCREEN = '\u001b[H\u001b[2J';

/** Drawn anew on a terminal; elsewhere a line for each change, so that a log can be read. */
async function watch(account: Account, options: StatusOptions, io: Terminal): Promise<number> {
  const { signal, pause = everyFewSeconds } = options;
  const drawn = new Map<string, string>();
  while (!signal.aborted) {
    const { standings, at } = await look(account, options, io);
    if (isTerminal(io.stdout) && !options.json) {
      io.stdout.write(`${CLEAR_SCREEN}${render(standings, at, account, options)}\n`);
    } else {
      for (const standing of standings) {
        const line = options.json ? JSON.stringify(standing) : changeLine(standing);
        if (drawn.get(standing.name) !== line) io.stdout.write(options.json ? `${line}\n` : `${inUtc(at)}  ${line}\n`);
        drawn.set(standing.name, line);
      }
    }
    await pause(signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
  return EXIT_INTERRUPTED;
}

const changeLine = ({ name, state, generation, lastError }: StatusRow): string =>
  [name, state, `#${generation}`, ...(lastError === undefined ? [] : [`${lastError.code}: ${lastError.message}`])].join(
    '  ',
  );

function render(standings: readonly StatusRow[], at: Instant, { stack }: Account, options: StatusOptions): string {
  if (options.json) return JSON.stringify({ at: toTimestamp(at), stack: stack.name, certificates: standings }, null, 2);
  const [only] = standings;
  if (only !== undefined && standings.length === 1 && options.names.length === 1) return detail(only, at);
  return [table(standings, at), '', summary(standings), ...errors(standings)].join('\n');
}

const HEADINGS = ['NAME', 'STATE', 'ISSUER', 'NOT AFTER', 'NEXT RENEWAL', 'LAST ERROR'] as const;

function table(standings: readonly StatusRow[], at: Instant): string {
  return textTable(
    HEADINGS,
    standings.map(({ name, state, issuer, notAfter, nextRenewal, lastError }) => [
      name,
      state,
      issuer,
      when(notAfter, at),
      state === 'retired' ? 'never' : when(nextRenewal, at),
      lastError?.code ?? '–',
    ]),
  );
}

const when = (timestamp: string | undefined, at: Instant): string =>
  timestamp === undefined ? '–' : moment(Date.parse(timestamp), at);

function summary(standings: readonly StatusRow[]): string {
  const counts = new Map<string, number>();
  for (const { state } of standings) counts.set(state, (counts.get(state) ?? 0) + 1);
  const parts = [...counts].map(([state, count]) => `${count.toLocaleString('en')} ${state}`);
  return `${standings.length.toLocaleString('en')} certificates: ${parts.join(', ') || 'none'}. Times are in UTC.`;
}

/** Each code once, with whom it hit first: a CA that is down hits all of its certificates. */
function errors(standings: readonly StatusRow[]): readonly string[] {
  const byCode = new Map<string, StatusRow[]>();
  for (const standing of standings) {
    const { lastError } = standing;
    if (lastError !== undefined) byCode.set(lastError.code, [...(byCode.get(lastError.code) ?? []), standing]);
  }
  return [...byCode].flatMap(([code, [first, ...others]]) => [
    '',
    `${code} (${first?.name ?? ''}${others.length === 0 ? '' : ` and ${others.length.toLocaleString('en')} more`})`,
    `  ${first?.lastError?.message ?? ''}`,
    `  → ${first?.lastError?.remedy ?? ''}`,
  ]);
}

function detail(standing: StatusRow, at: Instant): string {
  const { lastError, revocations = [] } = standing;
  const lines: readonly (readonly [string, string | undefined])[] = [
    ['name', standing.name],
    ['state', standing.state],
    ['issuer', standing.issuer],
    ['names', standing.names.join(', ')],
    ['key', standing.key],
    ['secret', standing.secret],
    ['version', standing.version === undefined ? undefined : `${standing.version} #${standing.generation}`],
    ['serial number', standing.serialNumber],
    ['fingerprint', standing.sha256Fingerprint],
    ['not after', standing.notAfter === undefined ? undefined : when(standing.notAfter, at)],
    ['next renewal', standing.nextRenewal === undefined ? undefined : when(standing.nextRenewal, at)],
    ['next look', standing.nextLook === undefined ? undefined : when(standing.nextLook, at)],
    ...revocations.map(
      ({ version, reason, tries }) =>
        ['to be revoked', `${version} (${reason}${tries === 0 ? '' : `, ${tries} tries failed`})`] as const,
    ),
    ['last error', lastError === undefined ? undefined : `${lastError.code}: ${lastError.message}`],
    [
      '',
      lastError === undefined ? undefined : `${fromNow(Date.parse(lastError.at), at)}, ${lastError.failures} in a row`,
    ],
    ['remedy', lastError?.remedy],
  ];
  const shown = lines.filter((line): line is readonly [string, string] => line[1] !== undefined);
  const width = Math.max(...shown.map(([label]) => label.length));
  return shown.map(([label, text]) => `${label.padEnd(width)}  ${text}`).join('\n');
}

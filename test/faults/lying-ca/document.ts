import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { MINUTE_MS, SECOND_MS } from '../../../functions/core/time.ts';
import { FORBIDDEN_URLS } from './acme/urls.ts';
import { type Cell, nameOf } from './cell.ts';
import { FAULTS } from './faults.ts';
import type { Report } from './run-cell.ts';
import { inWords, visitsOf } from './words.ts';

type Reports = ReadonlyMap<string, Report>;

const INTRODUCTION = `# A CA that lies

What becomes of a certificate when its CA fails, lies or falls silent: the complete renewal, with the real adapter, against
a real server on loopback that does one thing wrong for a whole day, always or once, and is honest again then. Printed by
\`npm run lying-ca\`, which fails where what it sees is not what stands here; \`npm run lying-ca -- --update\` writes it anew.

- **healed**: there is a new certificate in spite of it. **waits**: it is tried again, and nobody has to do anything; without a
  code nothing has failed, and the CA is being waited for. **blocked**: a person is told, and it is looked at again daily.
- **asked** and **signed**: requests that the CA got in that day, hints delivered to the second, and certificates that it signed;
  with the most that is allowed. **looks** are the times at which it was asked, counted from the first.
- **current**: so long after a certificate was wanted, where it healed; else so long after the CA's recovery, by the schedule
  alone. A day is the most.
- A URL stands in each place of an answer that a client may follow: at \`certificate\` as an alternate chain's, at
  \`renewalInfo\` as the page that explains it. **—**: there is no such thing.
- In every cell: no crash; no private key in any form in logs, events and ledger; no message of more than 1,000 characters; no
  request to any host but the CA's; of a gigabyte no more than sockets hold; what was in use stays in use; Retry-After kept to
  the second, and used at most a tick later.
`;

/** The matrix as a page: first at a glance, then each step. */
export async function documentOf(cells: readonly Cell[], reports: Reports): Promise<string> {
  const sections = PROTOCOLS.flatMap(([protocol, title]) => {
    const ours = cells.filter((cell) => cell.protocol === protocol);
    return [`## ${title}`, glance(ours), ...stepsOf(ours).map((step) => detailsOf(step, ours, reports))];
  });
  return tidy([INTRODUCTION, ...sections, `${cells.length} cells.`]);
}

/** What of it fits on a screen. */
export const glanceOf = (cells: readonly Cell[]): Promise<string> =>
  tidy(PROTOCOLS.map(([protocol]) => glance(cells.filter((cell) => cell.protocol === protocol))));

const PROTOCOLS = [
  ['ACME', 'ACME'],
  ['PCA', 'AWS Private CA'],
] as const;

async function tidy(paragraphs: readonly string[]): Promise<string> {
  const path = fileURLToPath(new URL('../../../docs/lying-ca.md', import.meta.url));
  return format(paragraphs.join('\n\n'), { ...(await resolveConfig(path)), parser: 'markdown' });
}

const stepsOf = (cells: readonly Cell[]): readonly string[] => [...new Set(cells.map(({ step }) => step))];

/** A day of each of the faults that more than one step may have; a dash where there is no such thing. */
function glance(cells: readonly Cell[]): string {
  const steps = stepsOf(cells);
  const rows = [...Object.keys(FAULTS), ...Object.keys(FORBIDDEN_URLS)].map((fault) => [
    fault,
    ...steps.map((step) => {
      const cell = cells.find((each) => each.step === step && each.fault === fault && each.lasts === 'always');
      return cell?.expected.ends ?? '—';
    }),
  ]);
  return table(['', ...steps], rows);
}

const HEADINGS = ['fault', 'ends', 'asked', 'signed', 'looks', 'current', 'once', 'message'];

function detailsOf(step: string, all: readonly Cell[], reports: Reports): string {
  const cells = all.filter((cell) => cell.step === step);
  const rows = cells
    .filter(({ lasts }) => lasts === 'always')
    .map((cell) => {
      const once = cells.find(({ fault, lasts }) => fault === cell.fault && lasts === 'once');
      return rowOf(cell, reports.get(nameOf(cell)), once && reports.get(nameOf(once)));
    });
  return `### ${step}\n\n${table(HEADINGS, rows)}`;
}

function rowOf(cell: Cell, report: Report | undefined, once: Report | undefined): readonly string[] {
  if (report === undefined) throw new Error(`there is no report of ${nameOf(cell)}`);
  const { ends, code, message, asked, issuances } = report;
  return [
    cell.fault,
    code === undefined ? ends : `${ends}: \`${code}\``,
    `${asked.length} ≤ ${cell.requests}`,
    `${issuances} ≤ ${cell.issuances}`,
    visitsOf(asked.map(({ at }) => at)),
    currentOf(report),
    once === undefined ? '—' : `${once.ends}${once.ends === 'healed' ? ` ${currentOf(once)}` : ''}`,
    message === undefined ? '' : withoutChance(message),
  ];
}

function currentOf({ healedAfterMs, currentAfterMs = Infinity }: Report): string {
  const ms = healedAfterMs ?? currentAfterMs;
  return ms <= MINUTE_MS ? 'at once' : `after ${inWords(ms / SECOND_MS)}`;
}

const LONGEST_MESSAGE = 120;

/** A message without what is different each time, ports and the names of things at the CA, and without what is long. */
function withoutChance(message: string): string {
  const same = message
    .replaceAll(/arn:aws:acm-pca:[\w:/-]*\w/g, 'arn:…')
    .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:…')
    .replaceAll(/[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\//g, '')
    .replaceAll(/(account|authorization|certificate|challenge|order)\/[\w-]{12,}/g, '$1/…')
    .replaceAll(/(the CA tells a long story; )+.*/g, '$1…')
    .replaceAll(/(?:far\/)+/g, 'far/…')
    .replaceAll(/\s+/g, ' ');
  const short = same.length <= LONGEST_MESSAGE ? same : `${same.slice(0, LONGEST_MESSAGE)}…`;
  return `\`${short.replaceAll('`', "'").replaceAll('|', '/')}\``;
}

const table = (headings: readonly string[], rows: readonly (readonly string[])[]): string =>
  [headings, headings.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

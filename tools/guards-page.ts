import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GUARDS } from '../test/guards/guards.ts';

export const GUARDS_PAGE = join(import.meta.dirname, '..', 'docs', 'guards.md');

const BEGIN = '<!-- guards -->';
const END = '<!-- end of guards -->';

const linked = (path: string): string => `[${path.replace('test/', '')}](../${path})`;

export function guardsTable(): string {
  const rows = GUARDS.map(
    ({ name, keeps, file, caughtBy, alsoBy = [] }) =>
      `| ${name} | ${keeps} | [${file.replace('functions/', '')}](../${file}) | ${linked(caughtBy)} | ${alsoBy.map(linked).join(', ')} |`,
  );
  return ['| guard | keeps | where | caught by | and by |', '| --- | --- | --- | --- | --- |', ...rows].join('\n');
}

/** The page with its table made anew. */
export function withGuards(page: string): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${GUARDS_PAGE} has no place for its table`);
  const table = `\n\n<!-- prettier-ignore-start -->\n${guardsTable()}\n<!-- prettier-ignore-end -->\n\n`;
  return page.slice(0, from + BEGIN.length) + table + page.slice(to);
}

if (import.meta.main) writeFileSync(GUARDS_PAGE, withGuards(readFileSync(GUARDS_PAGE, 'utf8')));

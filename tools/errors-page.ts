import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REMEDIES } from '../bin/operator/remedies.ts';

export const ERRORS_FILE = join(import.meta.dirname, '..', 'docs', 'errors.md');

/** The table of codes in the docs, as `everleaf status` shows remedies. */
export function errorsPage(): string {
  const rows = Object.entries(REMEDIES).sort(([a], [b]) => a.localeCompare(b, 'en'));
  const widths = [
    Math.max(...rows.map(([code]) => code.length)) + 2,
    Math.max(...rows.map(([, remedy]) => remedy.length)),
  ];
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return `# Errors

A failure has a code, which stays as it is from version to version, and a message, which names what was seen. Codes stand in records
(\`everleaf status\`), in \`Certificate Renewal Failed\` events, and in the functions' logs. \`npm run errors\` writes this page; a
test holds it against the sources.

Where it says that something passes by itself, the pipeline tries again with the patience of
[architecture.md](architecture.md#failures); \`everleaf retry\` ends that patience.

${line(['code', 'what to do'])}
| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |
${rows.map(([code, remedy]) => line([`\`${code}\``, remedy])).join('\n')}
`;
}

if (import.meta.main) writeFileSync(ERRORS_FILE, errorsPage());

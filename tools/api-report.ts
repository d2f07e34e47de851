import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { compile } from './package/emit.ts';

const ROOT = join(import.meta.dirname, '..');
const FILE = join(ROOT, 'docs', 'api.md');
const HEADER = `# What the package exports

Its declarations, as they are emitted: a change here is a change for everybody who has the package installed. Written by
\`node tools/api-report.ts\`, compared by \`npm run check\`.
`;

/** Every declaration that lib/index.ts exports, by the module it comes from. */
export function apiReport(): string {
  const folder = mkdtempSync(join(tmpdir(), 'everleaf-api-'));
  try {
    compile(ROOT, folder);
    const index = readFileSync(join(folder, 'lib', 'index.d.ts'), 'utf8');
    const chapters = [...index.matchAll(/^export (?:type )?\{([^}]*)\} from '([^']+)';$/gm)].map(
      ([, names = '', module = '']) => {
        const file = join(folder, 'lib', module.replace(/\.ts$/, '.d.ts'));
        const wanted = names.split(',').flatMap((name) => name.replace(/^\s*type\s/, '').trim() || []);
        const source = relative(ROOT, join(ROOT, 'lib', module)).replaceAll('\\', '/');
        return [
          `## ${source}\n\n\`\`\`ts`,
          ...wanted.sort().map((name) => declaration(readFileSync(file, 'utf8'), name, file)),
        ]
          .join('\n')
          .concat('```\n');
      },
    );
    return [HEADER, ...chapters].join('\n');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One exported declaration with the comment before it. Declarations begin and end in the first column. */
function declaration(text: string, name: string, file: string): string {
  const lines = text.split('\n');
  const start = lines.findIndex((line) =>
    new RegExp(`^export (?:declare )?(?:class|interface|type|function|const) ${name}\\b`).test(line),
  );
  if (start === -1) throw new Error(`${dirname(file)}: ${name} is exported, and declared nowhere`);
  let first = start;
  if (lines[start - 1]?.endsWith('*/') === true) while (!lines[--first]?.startsWith('/**'));
  let last = start;
  while (!/^\}|;$/.test(lines[last] ?? '') || lines[last]?.startsWith(' ') === true) last++;
  return `${lines.slice(first, last + 1).join('\n')}\n`;
}

/** Nothing: the report is what the sources say. */
export const apiFaults = (): string =>
  readFileSync(FILE, 'utf8') === apiReport()
    ? ''
    : 'docs/api.md is another; if the change is meant: node tools/api-report.ts';

if (import.meta.main) writeFileSync(FILE, apiReport());

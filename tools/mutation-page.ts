import { keyOf, type MutationResult, type Reasons, scorePercent, type Tally } from './mutation-report.ts';

/** The page with the table and the survivors of `result`; what people wrote around them stays. */
export function withResult(page: string, result: MutationResult, given: Reasons): string {
  const parts: Readonly<Record<string, string>> = { scores: table(result), survivors: survivorList(result, given) };
  return Object.entries(parts).reduce((text, [name, part]) => {
    const [begin, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
    const from = text.indexOf(begin);
    const to = text.indexOf(end);
    if (from === -1 || to < from) throw new Error(`the page has no place for the ${name}`);
    // Prettier would align the columns by their longest cell.
    const block = `${begin}\n\n<!-- prettier-ignore-start -->\n${part}\n<!-- prettier-ignore-end -->\n\n`;
    return text.slice(0, from) + block + text.slice(to);
  }, page);
}

function table({ files, total }: MutationResult): string {
  const row = (name: string, counts: Tally): string =>
    `| ${name} | ${counts.killed} | ${counts.timeout} | ${counts.survived} | ${scorePercent(counts).toFixed(1)} % |`;
  return [
    '| file | killed | timed out | survived | score |',
    '| --- | ---: | ---: | ---: | ---: |',
    ...Object.entries(files).map(([file, counts]) => row(`[\`${file}\`](../${file})`, counts)),
    row('**all**', total),
  ].join('\n');
}

function survivorList({ survivors }: MutationResult, given: Reasons): string {
  const lines = new Map<string, number[]>();
  for (const survivor of survivors) {
    const key = keyOf(survivor);
    lines.set(key, [...(lines.get(key) ?? []), survivor.line]);
  }
  return given
    .map(({ reason, mutants }) => {
      const items = mutants.map((mutant) => {
        const at = (lines.get(keyOf(mutant)) ?? []).join(', ');
        return `- \`${mutant.file}:${at}\` ${code(mutant.was)} → ${mutant.becomes === '' ? 'nothing' : code(mutant.becomes)}`;
      });
      return `**${reason}**\n\n${items.join('\n')}`;
    })
    .join('\n\n');
}

/** In Markdown a fence has to be longer than any run of backticks in it. */
function code(text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return longest === 0 ? `${fence}${text}${fence}` : `${fence} ${text} ${fence}`;
}

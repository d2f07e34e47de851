import type { Finding } from '../../functions/core/manifest/index.ts';

/**
 * Findings as GitHub's workflow commands, which a run turns into annotations beside the lines of a pull request. What was piped in
 * has no file to annotate: its place goes into the text.
 */
export function toAnnotations(findings: readonly Finding[]): string {
  return findings.map((finding) => `${annotation(finding)}\n`).join('');
}

function annotation({ severity, code, file, line, column, message, remedy }: Finding): string {
  const isPiped = file === STDIN;
  const place = isPiped ? '' : `file=${property(file)},line=${line},col=${column},`;
  const text = `${isPiped ? `${file}:${line}:${column} ` : ''}${message}\n${remedy}`;
  return `::${severity} ${place}title=${property(code)}::${data(text)}`;
}

/** How findings call what was piped in. */
export const STDIN = 'stdin';

/** As the runner's own toolkit escapes them: a line end would begin another command. */
const data = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');

const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');

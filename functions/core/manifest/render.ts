import type { Finding } from './finding.ts';

export type Emphasis = 'place' | 'error' | 'warning' | 'code' | 'quiet' | 'caret';

/** Colours a piece of text, or leaves it alone. */
export type Paint = (emphasis: Emphasis, text: string) => string;

const plain: Paint = (_, text) => text;

/** A finding as a person reads it: the place, what is wrong, the line with a caret under it, what to do. */
export function renderFinding(finding: Finding, paint: Paint = plain): string {
  const { severity, code, message, remedy, excerpt } = finding;
  const place = `${finding.file}:${finding.line}:${finding.column}`;
  const lines = [`${paint('place', place)} ${paint(severity, severity)} ${paint('code', code)} ${message}`];
  const number = String(finding.line);
  const margin = ' '.repeat(number.length);
  if (excerpt !== undefined) {
    lines.push(`  ${paint('quiet', `${number} |`)} ${excerpt.replace(/\p{Cc}/gu, ' ')}`);
    lines.push(`  ${paint('quiet', `${margin} |`)} ${' '.repeat(finding.column - 1)}${paint('caret', '^')}`);
  }
  lines.push(`  ${excerpt === undefined ? '→' : `${margin} ${paint('quiet', '=')}`} ${remedy}`);
  return lines.join('\n');
}

/** `3 certificates`, `1 error`, `no warnings`. */
export const counted = (number: number, noun: string): string =>
  `${number === 0 ? 'no' : number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;

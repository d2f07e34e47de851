import type { Finding, Severity } from './finding.ts';
import { mayHoldKeyMaterial, tidy } from './show-value.ts';

/** A file as it was handed in. */
export interface ManifestFile {
  readonly path: string;
  readonly text: string;
  /** Piped in whole, as a renderer writes it: it may be larger than what a person writes in one file. */
  readonly isStream?: boolean;
}

/** What a finding says, without its place. */
export interface Remark {
  readonly severity: Severity;
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly value?: string;
}

/** A file whose offsets can be turned into lines and columns. */
export interface Source {
  readonly path: string;
  readonly text: string;
  place(offset: number): { readonly line: number; readonly column: number };
  finding(offset: number, remark: Remark): Finding;
}

/** Lines longer than this are rendered JSON or the like: a caret would help nobody. */
const MAXIMUM_EXCERPT_CHARACTERS = 160;

/** A keystore's password, written out. */
const PASSWORD = /\bpassword["']?\s*:/i;

/** A file with a Secret's document in it, even a broken one: none of its lines is ever shown. */
const mayHoldSecret = (text: string): boolean => /\bSecret\b/.test(text) && /\b(?:stringData|data)["']?\s*:/.test(text);

export function openSource(file: ManifestFile): Source {
  // A byte order mark is not part of the first line's columns.
  const text = file.text.startsWith('\uFEFF') ? file.text.slice(1) : file.text;
  const lineStarts = lineStartsOf(text);
  const secretive = mayHoldSecret(text);

  const place = (offset: number) => {
    const within = Math.min(Math.max(offset, 0), text.length);
    const line = countUpTo(lineStarts, within);
    return { line, column: within - (lineStarts[line - 1] ?? 0) + 1 };
  };

  const excerptAt = (line: number): string | undefined => {
    const start = lineStarts[line - 1];
    if (secretive || start === undefined) return undefined;
    const end = text.indexOf('\n', start);
    const excerpt = text.slice(start, end === -1 ? undefined : end).trimEnd();
    const shown =
      excerpt.length <= MAXIMUM_EXCERPT_CHARACTERS && !mayHoldKeyMaterial(excerpt) && !PASSWORD.test(excerpt);
    return shown && excerpt !== '' ? excerpt : undefined;
  };

  return {
    path: file.path,
    text,
    place,
    finding(offset, remark) {
      const { line, column } = place(offset);
      const excerpt = excerptAt(line);
      return {
        severity: remark.severity,
        code: remark.code,
        file: file.path,
        line,
        column,
        message: tidy(remark.message),
        remedy: tidy(remark.remedy),
        ...(remark.value === undefined ? {} : { value: remark.value }),
        ...(excerpt === undefined ? {} : { excerpt }),
      };
    },
  };
}

/** Our own, since the YAML parser's counter misses lines in documents that are broken. */
function lineStartsOf(text: string): number[] {
  const starts = [0];
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', end + 1)) starts.push(end + 1);
  return starts;
}

/** How many of the ascending `numbers` are not above `limit`. */
function countUpTo(numbers: readonly number[], limit: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] ?? 0) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

import type { Objection } from '../ports.ts';

export type Severity = 'error' | 'warning';

/** Something to say about a manifest, at the place a person has to edit. Lines and columns count from 1. */
export interface Finding {
  readonly severity: Severity;
  /** Stable: pipelines and documentation refer to it. */
  readonly code: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly remedy: string;
  /** The value found, as YAML would write it; absent where there is none or where it could be a secret. */
  readonly value?: string;
  /** The line of the file, for a caret; absent where it could hold a secret. */
  readonly excerpt?: string;
}

/** A finding before it is given its place: `path` leads into the document. */
export interface Problem extends Objection {
  readonly severity: Severity;
  readonly code: string;
  /** Where the caret goes. By default the value, or the key when the value spans lines. */
  readonly at?: 'key';
  /** The file beside the document that could not be had. Why, is for whoever looked for it to say. */
  readonly missingFile?: string;
}

/** What is wrong, and what to do; where, is said by whoever looked. */
export type Fault = Pick<Objection, 'message' | 'remedy'>;

export type Path = readonly (string | number)[];

export const error = (code: string, path: Path, message: string, remedy: string): Problem => ({
  severity: 'error',
  code,
  path,
  message,
  remedy,
});

export const warning = (code: string, path: Path, message: string, remedy: string): Problem => ({
  severity: 'warning',
  code,
  path,
  message,
  remedy,
});

export const atKey = (problem: Problem): Problem => ({ ...problem, at: 'key' });

export const isError = (problem: { readonly severity: Severity }): boolean => problem.severity === 'error';

/** What a plug-in objects to, with the codes it chose itself where it chose any. */
export function toProblem(objection: Objection | Problem, code: string): Problem {
  return 'severity' in objection ? objection : { ...objection, severity: 'error', code };
}

/** The same of a remark, which keeps nothing from being deployed. */
export const toRemark = (objection: Objection | Problem, code: string): Problem => ({
  ...toProblem(objection, code),
  severity: 'warning',
});

export function inReadingOrder(a: Finding, b: Finding): number {
  return compareText(a.file, b.file) || a.line - b.line || a.column - b.column || compareText(a.code, b.code);
}

/** By code unit, so that the order is the same in every locale. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** `spec.dnsNames[2]`, as people write it. */
export function formatPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text === '' ? 'the document' : text;
}

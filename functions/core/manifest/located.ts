import type { Finding, Path, Problem } from './finding.ts';
import { showValue } from './show-value.ts';
import type { Source } from './source.ts';

/** A value together with the place of everything in it. */
export interface Located {
  /** Plain data: what `JSON.parse` could have given. */
  readonly value: unknown;
  /** How the file writes it, for what is no text: `1.20` and `1.2` are one number. */
  readonly literal?: string;
  readonly offset: number;
  /** Values in it, itself included, aliases counted as often as they are used. */
  readonly size: number;
  readonly entries: ReadonlyMap<string | number, Entry>;
}

export interface Entry {
  /** Absent for an item of a list. */
  readonly keyOffset?: number;
  readonly node: Located;
}

/** What stands at `path`, if anything does. */
export function at(root: Located, path: Path): Located | undefined {
  let node: Located | undefined = root;
  for (const step of path) node = node?.entries.get(step)?.node;
  return node;
}

/** Gives a problem its place. A path that leads nowhere ends at the last key that exists: there the line is missing. */
export function findingAt(source: Source, root: Located, problem: Problem): Finding {
  let offset = root.offset;
  let node = root;
  let complete = true;
  for (const [index, step] of problem.path.entries()) {
    const entry = node.entries.get(step);
    if (entry === undefined) {
      complete = false;
      break;
    }
    node = entry.node;
    const wantsKey = node.entries.size > 0 || problem.at === 'key' || index < problem.path.length - 1;
    offset = wantsKey ? (entry.keyOffset ?? node.offset) : node.offset;
  }
  const isScalarValue = complete && problem.path.length > 0 && (typeof node.value !== 'object' || node.value === null);
  return source.finding(offset, {
    severity: problem.severity,
    code: problem.code,
    message: problem.message,
    remedy: problem.remedy,
    ...(isScalarValue && problem.at !== 'key' ? { value: node.literal ?? showValue(node.value) } : {}),
  });
}

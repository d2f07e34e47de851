import * as fc from 'fast-check';
import * as z from 'zod/mini';
import { mutated, type Tree, treeChange, VERBS } from '../support/mutations.ts';
import { edited } from './byte-edits.ts';
import { KEY_MARKS_IN_JSON } from './planted-keys.ts';

/** Where something else was expected: other types, edges, what JavaScript itself takes for something. */
export const STRANGE_VALUES: readonly Tree[] = [
  null, true, false, 0, -1, 1.5, 1e21, 1e300, 2 ** 53, -0, '', ' ', 'a', '\u0000', '\ud800', '😀'.repeat(400), 'x'.repeat(2_000), '__proto__',
  'constructor', 'toString', 'a\r\nb', '\u001B[31m', '2026-06-01T12:00:00.000Z', '2026-02-30T12:00:00Z', '0000-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999999999Z', '+275760-09-13T00:00:00Z', [], [[]], [null], {}, { a: {} }, { __proto: 1 }, { toString: 1 },
  JSON.parse('{"__proto__":{"polluted":true}}') as Tree, JSON.parse(`${'['.repeat(500)}${']'.repeat(500)}`) as Tree,
  ...KEY_MARKS_IN_JSON,
]; // prettier-ignore

export const STRANGE_KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '',
  '0',
  ...KEY_MARKS_IN_JSON,
];

export const strangeChange = treeChange(STRANGE_VALUES, STRANGE_KEYS);

/** A change as the corpus keeps it. */
export const keptChange = z.object({
  place: z.number(),
  other: z.number(),
  verb: z.enum(VERBS),
  value: z.custom<Tree>(),
  key: z.string(),
});

/** JSON whose structure was changed, JSON that was cut and glued, and what was never any. */
export function jsonInputs(seeds: readonly Buffer[]): fc.Arbitrary<Buffer> {
  const trees = seeds.flatMap((seed) => readTree(seed) ?? []);
  const structured = mutated(trees.length === 0 ? [{}] : trees, strangeChange).map(write);
  return fc.oneof(
    { weight: 6, arbitrary: structured },
    { weight: 2, arbitrary: edited(structured, seeds) },
    { weight: 2, arbitrary: edited(fc.constantFrom(...seeds), seeds) },
    { weight: 1, arbitrary: fc.json({ maxDepth: 4 }).map((text) => Buffer.from(text)) },
  );
}

const write = (tree: Tree): Buffer => Buffer.from(JSON.stringify(tree, null, 1));

function readTree(text: Buffer): Tree | undefined {
  try {
    return JSON.parse(text.toString()) as Tree;
  } catch {
    return undefined;
  }
}

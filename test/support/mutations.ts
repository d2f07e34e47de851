import * as fc from 'fast-check';

/** Plain data, as YAML reads it. */
export type Tree = null | boolean | number | string | readonly Tree[] | { readonly [key: string]: Tree };

type Path = readonly (string | number)[];

const isMapping = (tree: Tree | undefined): tree is { readonly [key: string]: Tree } =>
  typeof tree === 'object' && tree !== null && !Array.isArray(tree);

/** Every place in a tree, the root included. */
function placesIn(tree: Tree, path: Path = []): Path[] {
  if (typeof tree !== 'object' || tree === null) return [path];
  return [path, ...Object.entries(tree).flatMap(([key, member]) => placesIn(member, [...path, key]))];
}

function valueAt(tree: Tree, path: Path): Tree | undefined {
  let found: Tree | undefined = tree;
  for (const step of path) {
    found = typeof found === 'object' && found !== null ? (found as Record<string, Tree>)[step] : undefined;
  }
  return found;
}

/** The tree with `change` applied to the entries of what holds the last step: its list, or its mapping. */
function withEntries(tree: Tree, path: Path, change: (entries: [string, Tree][], at: number) => void): Tree {
  const [step, ...rest] = path;
  if (step === undefined || typeof tree !== 'object' || tree === null) return tree;
  const entries: [string, Tree][] = Object.entries(tree);
  const at = entries.findIndex(([key]) => key === String(step));
  const entry = entries[at];
  if (entry === undefined) return tree;
  if (rest.length > 0) entries[at] = [entry[0], withEntries(entry[1], rest, change)];
  else change(entries, at);
  return Array.isArray(tree) ? entries.map(([, member]) => member) : Object.fromEntries(entries);
}

/** Values where another was expected: other types, and the edges of the expected one. */
const STRANGE: readonly Tree[] = [
  null, true, false, 0, -1, 1.5, 1e21, '', ' ', 'a', '*', '*.example', 'a.example.', '10.0.0.1', '::1', '90d', '1h', '0', 'true',
  '☃.example', 'a'.repeat(300), 'x\ny', '\u0000', 'cert-manager.io', 'Certificate', [], [null], [[]], ['a', 'a'], {}, { a: null },
  { name: 'a' }, { constructor: 1 }, { type: 'DER' },
]; // prettier-ignore

const KEYS = ['name', 'spec', 'kind', 'metadata', 'constructor', 'toString', '__proto', '<<', '', 'dnsName', 'status'];

export interface TreeChange {
  /** Picks the place that is changed, and another one to take from. */
  readonly place: number;
  readonly other: number;
  readonly verb: (typeof VERBS)[number];
  readonly value: Tree;
  readonly key: string;
}

export const VERBS = ['drop', 'set', 'double', 'rename', 'move', 'wrap', 'add'] as const;

/** One change to a tree that knows what trees are made of. */
export const treeChange = (
  values: readonly Tree[] = STRANGE,
  keys: readonly string[] = KEYS,
): fc.Arbitrary<TreeChange> =>
  fc.record({
    place: fc.nat(),
    other: fc.nat(),
    verb: fc.constantFrom(...VERBS),
    value: fc.constantFrom(...values),
    key: fc.constantFrom(...keys),
  });

export function changeTree(tree: Tree, { place, other, verb, value, key }: TreeChange): Tree {
  const places = placesIn(tree);
  const path = places[place % places.length] ?? [];
  const elsewhere = valueAt(tree, places[other % places.length] ?? []) ?? null;
  return withEntries(tree, path, (entries, at) => {
    const entry = entries[at];
    if (entry === undefined) return;
    const [name, member] = entry;
    if (verb === 'drop') entries.splice(at, 1);
    else if (verb === 'set') entries[at] = [name, value];
    else if (verb === 'double') entries.splice(at, 0, [`${name}2`, member]);
    else if (verb === 'rename') entries[at] = [key, member];
    else if (verb === 'move') entries[at] = [name, elsewhere];
    else if (verb === 'wrap') entries[at] = [name, [member]];
    else entries[at] = [name, isMapping(member) ? { ...member, [key]: value } : [member, value]];
  });
}

/** A tree after one to four changes. */
export const mutated = (seeds: readonly Tree[], change = treeChange()): fc.Arbitrary<Tree> =>
  fc
    .tuple(fc.constantFrom(...seeds), fc.array(change, { minLength: 1, maxLength: 4 }))
    .map(([seed, changes]) => changes.reduce(changeTree, seed));

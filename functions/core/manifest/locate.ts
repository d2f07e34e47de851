import { isAlias, isMap, isScalar, isSeq, type ParsedNode } from 'yaml';
import type { Entry, Located } from './located.ts';
import type { Remark } from './source.ts';

/** Deeper than any manifest, shallower than any stack. */
const MAXIMUM_DEPTH = 40;

/** Values that one document may reach through aliases: an anchor or two is fine, a "billion laughs" is not. */
const MAXIMUM_ALIASED_VALUES = 10_000;

const NO_ENTRIES: ReadonlyMap<string | number, Entry> = new Map();

export type Conversion =
  | { readonly ok: true; readonly node: Located }
  | { readonly ok: false; readonly offset: number; readonly remark: Remark };

/** Turns a parsed YAML tree into plain data that remembers its places. Refuses what JSON could not hold. */
export function locate(root: ParsedNode): Conversion {
  try {
    return { ok: true, node: new Locator().locate(root, 0) };
  } catch (failure) {
    if (failure instanceof Unrepresentable) return { ok: false, offset: failure.offset, remark: failure.remark };
    throw failure;
  }
}

class Unrepresentable extends Error {
  readonly offset: number;
  readonly remark: Remark;

  constructor(offset: number, code: string, message: string, remedy: string) {
    super(message);
    this.offset = offset;
    this.remark = { severity: 'error', code, message, remedy };
  }
}

function standsTwice({ text, offset }: { readonly text: string; readonly offset: number }): Unrepresentable {
  const which = /^[\w./-]{1,60}$/.test(text) ? `\`${text}\`` : 'here';
  return new Unrepresentable(
    offset,
    'DuplicateKey',
    `The key ${which} stands twice in one mapping.`,
    'Keep one of them: readers differ in which one they take.',
  );
}

class Locator {
  readonly #anchors = new Map<string, Located>();
  #aliasedValues = 0;

  locate(node: ParsedNode | null, depth: number, fallbackOffset = 0): Located {
    if (node === null) return { value: null, offset: fallbackOffset, size: 1, entries: NO_ENTRIES };
    const offset = node.range[0];
    if (depth > MAXIMUM_DEPTH) {
      throw new Unrepresentable(
        offset,
        'NestedTooDeeply',
        `Values are nested more than ${MAXIMUM_DEPTH} deep.`,
        'No manifest needs this; look for brackets or dashes that repeat.',
      );
    }
    if (isAlias(node)) return this.#resolve(node.source, offset);
    const located = isScalar(node)
      ? { value: node.value, ...literalOf(node), offset, size: 1, entries: NO_ENTRIES }
      : this.#collection(node, depth);
    // Only now: an alias inside the anchored value itself has nothing to stand for.
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, located);
    return located;
  }

  #collection(node: Exclude<ParsedNode, { source: string }>, depth: number): Located {
    const entries = new Map<string | number, Entry>();
    if (isSeq(node)) {
      node.items.forEach((item, index) => {
        entries.set(index, { node: this.locate(item, depth + 1, node.range[0]) });
      });
    } else if (isMap(node)) {
      const keys = new Set<string>();
      for (const pair of node.items) {
        const key = this.#key(pair.key, node.range[0]);
        if (keys.has(key.text)) throw standsTwice(key);
        keys.add(key.text);
        const value = this.locate(pair.value, depth + 1, key.offset);
        if (key.text === '<<') mergeInto(entries, value, key.offset);
        else entries.set(key.text, { keyOffset: key.offset, node: value });
      }
    }
    return assemble(entries, isSeq(node), node.range[0]);
  }

  #key(node: ParsedNode | null, fallbackOffset: number): { text: string; offset: number } {
    const offset = node?.range[0] ?? fallbackOffset;
    const key = isScalar(node) ? node.value : undefined;
    // `__proto__` is what prototype pollution is made of and never a field.
    if ((typeof key === 'string' && key !== '__proto__') || typeof key === 'number' || typeof key === 'boolean') {
      return { text: String(key), offset };
    }
    throw new Unrepresentable(
      offset,
      'BadKey',
      'This key is not plain text.',
      'Write a name, then a colon. A value with braces that a template should fill needs quotes.',
    );
  }

  #resolve(anchor: string, offset: number): Located {
    const target = this.#anchors.get(anchor);
    if (target === undefined) {
      throw new Unrepresentable(
        offset,
        'UnknownAlias',
        `The alias \`*${anchor}\` has no anchor above it.`,
        `Write \`&${anchor}\` before the value it stands for, or quote the text if the asterisk belongs to it.`,
      );
    }
    this.#aliasedValues += target.size;
    if (this.#aliasedValues > MAXIMUM_ALIASED_VALUES) {
      throw new Unrepresentable(
        offset,
        'AliasesExplode',
        `The aliases of this document expand to more than ${MAXIMUM_ALIASED_VALUES.toLocaleString('en')} values.`,
        'Write the values out, or split the document.',
      );
    }
    return target;
  }
}

const literalOf = ({ value, source }: { value: unknown; source?: string }): { literal?: string } =>
  typeof value === 'string' || source === undefined || source === '' || source.length > 40 ? {} : { literal: source };

/** `<<: *defaults`, as Kubernetes' own parser takes it: keys written beside it win, wherever they stand. */
function mergeInto(entries: Map<string | number, Entry>, merged: Located, offset: number): void {
  const sources = Array.isArray(merged.value) ? [...merged.entries.values()].map((entry) => entry.node) : [merged];
  for (const source of sources) {
    if (typeof source.value !== 'object' || source.value === null || Array.isArray(source.value)) {
      throw new Unrepresentable(
        offset,
        'BadMerge',
        'A merge key (`<<`) takes a mapping, or a list of mappings.',
        'Name an anchor, as in `<<: *defaults`, that stands before a mapping.',
      );
    }
    for (const [key, entry] of source.entries) if (!entries.has(key)) entries.set(key, entry);
  }
}

function assemble(entries: ReadonlyMap<string | number, Entry>, isList: boolean, offset: number): Located {
  let size = 1;
  for (const { node } of entries.values()) size += node.size;
  const value: unknown = isList
    ? [...entries.values()].map(({ node }) => node.value)
    : Object.fromEntries([...entries].map(([key, { node }]) => [key, node.value]));
  return { value, offset, size, entries };
}

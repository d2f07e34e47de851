import * as fc from 'fast-check';
import { changeNode, type DerNode, nodesIn, writeDer } from './der-tree.ts';

/** One change to DER that knows what DER is made of. Plain data, so that it can be kept. */
export interface DerEdit {
  readonly verb: (typeof VERBS)[number];
  /** Pick the node that is changed, and one to take from. */
  readonly node: number;
  readonly other: number;
  /** Picks a byte, a tag, a length. */
  readonly value: number;
}

const VERBS = [
  'flip',
  'tag',
  'length',
  'drop',
  'double',
  'move',
  'swap',
  'nest',
  'empty',
  'grow',
  'insert',
  'replace',
] as const;

export const derEdit: fc.Arbitrary<DerEdit> = fc.record({
  verb: fc.constantFrom(...VERBS),
  node: fc.nat({ max: 200 }),
  other: fc.nat({ max: 200 }),
  value: fc.nat({ max: 4_095 }),
});

/** Universal types, context-specific ones, and one that is wrong everywhere. */
const TAGS = [
  0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0c, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1e, 0x30, 0x31, 0x80, 0x82, 0xa0, 0xa3,
  0xff,
];

/** Indefinite, in more bytes than needed, past the end of everything. */
const LENGTHS = ['80', '00', '7f', '81ff', '820001', '8400000005', '84ffffffff', '88ffffffffffffffff', 'ff'].map(
  (hex) => Buffer.from(hex, 'hex'),
);

/**
 * A dNSName nobody asked for, a NUL in a name, a critical extension nobody knows, a large number; then a public key of somebody
 * else, dates in 2020 and 2049, an organization.
 */
const STRANGERS = [
  '820c6576696c2e6578616d706c65',
  '82046100622e',
  '300b06042a030405010101ff0400',
  '0221' + '7f'.repeat(33),
  '0101ff',
  '3000',
  `302a300506032b6570032100${'a5'.repeat(32)}`,
  '170d3230303130313030303030305a',
  '170d3439313233313233353935395a',
  '310d300b060355040a0c044576696c',
].map((hex) => Buffer.from(hex, 'hex'));

const DEEPEST = 2_000;
const SEQUENCE = 0x30;
const NOTHING = Buffer.alloc(0);

export function editDer(root: DerNode, { verb, node, other, value }: DerEdit): DerNode {
  const nodes = nodesIn(root);
  const wanted = nodes[node % nodes.length] ?? root;
  const elsewhere = nodes[other % nodes.length] ?? root;
  return changeNode(root, wanted, (found) => {
    switch (verb) {
      case 'flip':
        return [leaf(found, flipped(found.content, value))];
      case 'tag':
        return [{ ...found, tag: TAGS[value % TAGS.length] ?? 0 }];
      case 'length':
        return [{ ...found, wrongLength: LENGTHS[value % LENGTHS.length] ?? Buffer.of(0) }];
      case 'drop':
        return [];
      case 'double':
        return [found, found];
      case 'move':
        return [elsewhere];
      case 'swap':
        return [{ ...found, ...(found.members === undefined ? {} : { members: found.members.toReversed() }) }];
      case 'nest':
        return [nested(found, 1 + (value % DEEPEST))];
      case 'empty':
        return [leaf(found, Buffer.alloc(0))];
      case 'grow':
        return [leaf(found, Buffer.concat([found.content, Buffer.alloc(1 + (value % 64), other)]))];
      case 'insert':
        return [found, strangerOf(value)];
      case 'replace':
        return [strangerOf(value)];
    }
  });
}

const leaf = ({ tag }: DerNode, content: Buffer): DerNode => ({ tag, prefix: NOTHING, content, members: undefined });

function strangerOf(value: number): DerNode {
  const bytes = STRANGERS[value % STRANGERS.length] ?? NOTHING;
  return { tag: bytes[0] ?? 0, prefix: NOTHING, content: bytes.subarray(2), members: undefined };
}

function flipped(content: Buffer, value: number): Buffer {
  const copy = Buffer.from(content);
  const at = (value >> 3) % Math.max(1, copy.length);
  if (copy.length > 0) copy[at] = (copy[at] ?? 0) ^ (1 << (value % 8));
  return copy;
}

function nested(node: DerNode, depth: number): DerNode {
  let content = writeDer(node);
  for (let level = 1; level < depth; level++) content = writeDer({ ...leaf(node, content), tag: SEQUENCE });
  return { ...leaf(node, content), tag: SEQUENCE };
}

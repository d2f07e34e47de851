/** DER taken apart as far as it goes, values that hold DER themselves included. */
export interface DerNode {
  readonly tag: number;
  /** Before the members of a BIT STRING: how many bits at its end are none. */
  readonly prefix: Buffer;
  readonly content: Buffer;
  /** Undefined for what holds no more DER. */
  readonly members: readonly DerNode[] | undefined;
  /** Written instead of the length that is right. */
  readonly wrongLength?: Buffer;
}

const [BIT_STRING, OCTET_STRING, CONSTRUCTED] = [0x03, 0x04, 0x20];
const NOTHING = Buffer.alloc(0);

/** Deeper than any certificate, and not so deep that this itself would fail. */
const DEEPEST = 60;

/** Undefined for what is no DER, nor a row of it. */
export function readDer(bytes: Buffer, depth = 0): readonly DerNode[] | undefined {
  const nodes: DerNode[] = [];
  let rest = bytes;
  while (rest.length > 0) {
    const head = headOf(rest);
    if (head === undefined || rest.length < head.end) return undefined;
    nodes.push(nodeOf(rest[0] ?? 0, rest.subarray(head.start, head.end), depth));
    rest = rest.subarray(head.end);
  }
  return nodes;
}

/** One-byte tags, and lengths up to 65,535: certificates have no others. */
function headOf(bytes: Buffer): { readonly start: number; readonly end: number } | undefined {
  const first = bytes[1];
  if (first === undefined || ((bytes[0] ?? 0) & 0x1f) === 0x1f) return undefined;
  if (first < 0x80) return { start: 2, end: 2 + first };
  const size = first & 0x7f;
  if (size === 0 || size > 2 || bytes.length < 2 + size) return undefined;
  return { start: 2 + size, end: 2 + size + bytes.readUIntBE(2, size) };
}

function nodeOf(tag: number, content: Buffer, depth: number): DerNode {
  const isBits = tag === BIT_STRING && content[0] === 0;
  const prefix = isBits ? content.subarray(0, 1) : NOTHING;
  const isWrapper = isBits || tag === OCTET_STRING || (tag & CONSTRUCTED) !== 0;
  const inner = content.subarray(prefix.length);
  const members = isWrapper && inner.length > 0 && depth < DEEPEST ? readDer(inner, depth + 1) : undefined;
  return { tag, prefix: members === undefined ? NOTHING : prefix, content, members };
}

export function writeDer({ tag, prefix, content, members, wrongLength }: DerNode): Buffer {
  const inner = members === undefined ? content : Buffer.concat([prefix, ...members.map(writeDer)]);
  return Buffer.concat([Buffer.of(tag), wrongLength ?? lengthOf(inner.length), inner]);
}

function lengthOf(size: number): Buffer {
  if (size < 0x80) return Buffer.of(size);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(size);
  const needed = bytes.subarray(bytes.findIndex((byte) => byte !== 0));
  return Buffer.concat([Buffer.of(0x80 | needed.length), needed]);
}

/** What a certificate's signature is over, byte for byte. Undefined for what is none. */
export function signedPartOf(certificate: Buffer): Buffer | undefined {
  const inner = certificate.subarray(headOf(certificate)?.start);
  const head = headOf(inner);
  return head === undefined ? undefined : inner.subarray(0, head.end);
}

/** Every node below, itself first. */
export const nodesIn = (node: DerNode): readonly DerNode[] => [node, ...(node.members ?? []).flatMap(nodesIn)];

/** The tree with `change` made to one of its nodes: it, or several, or nothing in its place. */
export function changeNode(root: DerNode, wanted: DerNode, change: (node: DerNode) => readonly DerNode[]): DerNode {
  const replaced = (node: DerNode): readonly DerNode[] => {
    if (node === wanted) return change(node);
    return node.members === undefined ? [node] : [{ ...node, members: node.members.flatMap(replaced) }];
  };
  return replaced(root)[0] ?? root;
}

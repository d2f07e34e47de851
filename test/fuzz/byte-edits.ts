import * as fc from 'fast-check';
import { KEY_MARKS } from './planted-keys.ts';
import { LARGEST_INPUT_BYTES } from './target.ts';

/** Turns bytes into others. `part`: where, as a share of the length. */
interface ByteEdit {
  readonly verb: (typeof VERBS)[number];
  readonly at: number;
  readonly length: number;
  readonly chunk: Buffer;
  readonly other: Buffer;
}

const VERBS = ['flip', 'insert', 'replace', 'drop', 'double', 'cut', 'splice', 'lineEnds'] as const;

/** What parsers stumble over. */
const CHUNKS = [
  '\u0000', '\r\n', '\r', '\n', '\t', '\uFEFF', '\u2028', '\u00A0', '\\ud800', '\\u0000', '"', '\\', '{', '[', ']', '}', ':', ',',
  '-', '-----', '-----BEGIN CERTIFICATE-----', '-----END CERTIFICATE-----', '"__proto__":{"polluted":1},', '"constructor":1,',
  '"id":1,"id":2,', '9'.repeat(400), '1e999', '-0', '0x10', 'null', '<', '>', '; rel="alternate"', '&a', '*a', '<<: ', '{{ x }}',
  '!!binary ', '['.repeat(5_000), '{"a":'.repeat(2_000), '\u001B[2J', '☃', '😀',
  ...KEY_MARKS,
].map((text) => Buffer.from(text)); // prettier-ignore

const RAW = [
  [0xed, 0xa0, 0x80],
  [0xff],
  [0xc0, 0x80],
  [0x30, 0x80],
  [0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
  [0x00, 0x00],
];

const byteEdit = (others: readonly Buffer[]): fc.Arbitrary<ByteEdit> =>
  fc.record({
    verb: fc.constantFrom(...VERBS),
    at: fc.nat({ max: LARGEST_INPUT_BYTES }),
    length: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 2_000 })),
    chunk: fc.constantFrom(...CHUNKS, ...RAW.map((bytes) => Buffer.from(bytes))),
    other: fc.constantFrom(...others),
  });

function editBytes(bytes: Buffer, { verb, at, length, chunk, other }: ByteEdit): Buffer {
  const from = at % (bytes.length + 1);
  const [before, after] = [bytes.subarray(0, from), bytes.subarray(from)];
  switch (verb) {
    case 'flip': {
      const flipped = Buffer.from(bytes);
      if (from < flipped.length) flipped[from] = (flipped[from] ?? 0) ^ (1 << (length % 8));
      return flipped;
    }
    case 'insert':
      return Buffer.concat([before, chunk, after]);
    case 'replace':
      return Buffer.concat([before, chunk, after.subarray(chunk.length)]);
    case 'drop':
      return Buffer.concat([before, after.subarray(length)]);
    case 'double':
      return Buffer.concat([before, after.subarray(0, length), after]);
    case 'cut':
      return before;
    case 'splice':
      return Buffer.concat([before, other.subarray(at % (other.length + 1))]);
    case 'lineEnds':
      return Buffer.from(bytes.toString('latin1').replaceAll('\n', length % 2 === 0 ? '\r\n' : '\r'), 'latin1');
  }
}

/** The input after one to `most` edits, which know nothing of what they edit. */
export const edited = (inputs: fc.Arbitrary<Buffer>, others: readonly Buffer[], most = 4): fc.Arbitrary<Buffer> =>
  fc
    .tuple(inputs, fc.array(byteEdit(others), { minLength: 1, maxLength: most }))
    .map(([input, edits]) => edits.reduce(editBytes, input).subarray(0, LARGEST_INPUT_BYTES));

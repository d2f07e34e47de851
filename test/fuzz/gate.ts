import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import * as fc from 'fast-check';
import * as z from 'zod/mini';
import { describeFailure, PermanentError } from '../../functions/core/errors.ts';
import { judge } from '../../functions/core/gate.ts';
import { DAY_MS } from '../../functions/core/time.ts';
import { NOON } from '../support/builders.ts';
import { type DerEdit, derEdit, editDer } from './der-edits.ts';
import { type DerNode, readDer, signedPartOf, writeDer } from './der-tree.ts';
import { candidateOf, LEAF_KEY, type Part, signedAgain, SIGNERS, toDer, TRUE_CHAIN } from './gate-bench.ts';
import { assertFit } from './promises.ts';
import type { Target } from './target.ts';

/** What is done to one certificate of a chain that is right. Signed again, it is the work of the CA itself. */
interface Tampering {
  readonly part: Part;
  readonly isSignedAgain: boolean;
  readonly edits: readonly DerEdit[];
}

const tampering = z.object({
  part: z.enum(['leaf', 'intermediate', 'root']),
  isSignedAgain: z.boolean(),
  edits: z.array(z.looseObject({ verb: z.string(), node: z.number(), other: z.number(), value: z.number() })),
});

const TRUE_LEAF = new X509Certificate(TRUE_CHAIN.leaf);

/** The gate, on chains that somebody has tampered with. */
export const gate: Target = {
  name: 'gate',
  extension: '.json',
  quickRuns: 1_200,
  inputs: () =>
    fc
      .record<Tampering>({
        part: fc.constantFrom('leaf', 'leaf', 'leaf', 'intermediate', 'root'),
        isSignedAgain: fc.boolean(),
        edits: fc.array(derEdit, { minLength: 1, maxLength: 3 }),
      })
      .map((made) => Buffer.from(JSON.stringify(made, null, 1))),
  examine: (input) => {
    const read = z.safeParse(tampering, JSON.parse(input.toString()));
    assert.ok(read.success, 'no tampering that could be made');
    examineTampering(read.data as Tampering);
  },
};

function examineTampering({ part, isSignedAgain, edits }: Tampering): void {
  const [whole] = readDer(TRUE_CHAIN[part]) ?? [];
  assert.ok(whole);
  const tampered = edits.reduce(editDer, whole);
  const made = writeDer(isSignedAgain ? signedAgain(tampered, SIGNERS[part]) : tampered);
  // Throws nothing, whatever the answer is.
  const verdict = judge(candidateOf({ ...TRUE_CHAIN, [part]: made }), NOON);
  if (verdict.verdict === 'refuse') {
    assert.ok(edits.length > 0, `the true chain is refused: ${verdict.violations.join('; ')}`);
    assert.ok(verdict.violations.length > 0);
    assertFit(describeFailure(new PermanentError('GateRefused', verdict.violations.join('; '))));
    return;
  }
  const passed = toDer(verdict.chain.leaf);
  if (part !== 'leaf' || !isSignedAgain) assert.deepEqual(signedPartOf(passed), signedPartOf(TRUE_CHAIN.leaf));
  assertAsAskedFor(passed);
}

/** What passed, read by OpenSSL and by hand: none of it is what the gate reads by. */
function assertAsAskedFor(der: Buffer): void {
  const x509 = new X509Certificate(der);
  assert.ok(x509.publicKey.equals(LEAF_KEY), 'for another key');
  assert.ok(x509.verify(new X509Certificate(TRUE_CHAIN.intermediate).publicKey), 'signed by nobody');
  assert.deepEqual(namesIn(x509), namesIn(TRUE_LEAF));
  // Node answers undefined, against its types, for an empty subject.
  const subject: string | undefined = x509.subject;
  for (const name of subject?.split(/\n| \+ /) ?? []) assert.equal(name.toLowerCase(), TRUE_LEAF.subject.toLowerCase());
  assert.equal(x509.ca, false);
  const purposes: readonly string[] | undefined = x509.keyUsage;
  assert.deepEqual(
    new Set([...(purposes ?? []), '1.3.6.1.5.5.7.3.2']),
    new Set(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']),
  );
  assert.ok(x509.validFromDate.getTime() <= NOON + 300_000);
  assert.ok(x509.validToDate.getTime() > NOON && x509.validToDate.getTime() <= NOON + 90 * DAY_MS + 300_000);
  assertExtensions(der);
}

const namesIn = (x509: X509Certificate): ReadonlySet<string> =>
  new Set((x509.subjectAltName ?? '').toLowerCase().split(', '));

const [KEY_USAGE, DIGITAL_SIGNATURE, SIGNS_CERTIFICATES] = ['551d0f', 0x80, 0x06];

/** RFC 5280 §4.2: none twice. And the key usage, for whose bits Node has no word. */
function assertExtensions(der: Buffer): void {
  const [root] = readDer(der) ?? [];
  const list = root?.members?.[0]?.members?.find(({ tag }) => tag === 0xa3)?.members?.[0]?.members ?? [];
  const oids = list.map(oidOf);
  assert.deepEqual(oids, [...new Set(oids)], 'an extension twice');
  const usage = list.find((extension) => oidOf(extension) === KEY_USAGE);
  if (usage === undefined) return;
  const [unused = 0, first = 0, ...more] = bitsOf(usage.members?.at(-1)?.content ?? Buffer.alloc(0));
  const bits = more.length === 0 ? first & (0xff << unused) : first;
  assert.notEqual(bits & DIGITAL_SIGNATURE, 0, 'the key may not sign');
  assert.equal(bits & SIGNS_CERTIFICATES, 0, 'the key may sign certificates');
}

/** How many bits at its end are none, and the bits; OpenSSL takes lengths in more bytes than they need. */
function bitsOf(bitString: Buffer): Buffer {
  const size = bitString[1] ?? 0;
  if (size < 0x80) return bitString.subarray(2, 2 + size);
  const start = 2 + (size & 0x7f);
  return bitString.subarray(start, start + Number(`0x${bitString.toString('hex', 2, start)}`));
}

const oidOf = ({ members }: DerNode): string => members?.[0]?.content.toString('hex') ?? '';

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import * as z from 'zod/mini';
import { manifest as manifestSchema } from '../../functions/core/certificate.ts';
import { keyHandle } from '../../functions/core/key-handle.ts';
import { specDigest } from '../../functions/core/spec-change.ts';
import { buildCsr } from '../../functions/core/x509/csr.ts';
import { generateKey } from '../../functions/issue/keys.ts';
import { mutated, type Tree } from '../support/mutations.ts';
import { parse } from './support.ts';

const CORPUS = join(import.meta.dirname, 'corpus');
const FILES = readdirSync(CORPUS).filter((name) => name.endsWith('.yaml'));
const textOf = (name: string): string => readFileSync(join(CORPUS, name), 'utf8');
const SEEDS = FILES.flatMap((name) =>
  parseAllDocuments(textOf(name), { merge: true }).map((document) => document.toJS() as Tree),
);

const KEY = keyHandle(await generateKey({ algorithm: 'ECDSA', sizeBits: 256 }));
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 3_000);

/** Accepted whole, or refused at a place; and what is accepted can be carried out. */
async function examine(text: string): Promise<void> {
  const { declared, findings, manifest } = parse(text);
  const lines = text.split('\n');
  for (const { file, line, column, message, remedy, code } of findings) {
    if (file !== 'a.yaml') continue;
    expect(line).toBeGreaterThanOrEqual(1);
    expect(column).toBeGreaterThanOrEqual(1);
    expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? -1) + 1);
    expect(message).toMatch(/[.…]$/);
    expect(message).not.toContain('[object');
    expect(remedy).not.toBe('');
    // The explanation of last resort: a rule that says what is wrong is missing.
    expect(code, message).not.toBe('InvalidValue');
  }
  const isSound = findings.every(({ severity }) => severity === 'warning');
  if (isSound) expect(manifest.certificates).toHaveLength(declared.certificates);
  // What the asset carries to the account comes out of it the same.
  const carried = JSON.parse(JSON.stringify(manifest)) as z.input<typeof manifestSchema>;
  expect(z.decode(manifestSchema, carried)).toEqual(manifest);
  for (const spec of manifest.certificates) {
    expect(await buildCsr(spec, KEY)).toContain('BEGIN CERTIFICATE REQUEST');
    expect(specDigest(spec)).toMatch(/^[0-9a-f]{64}$/);
  }
}

describe('whatever a file says', () => {
  it.each(FILES)('the seed %s is accepted or refused at a place', async (name) => {
    await expect(examine(textOf(name))).resolves.toBeUndefined();
  });

  it('so is what becomes of the seeds when their structure is changed', async () => {
    const text = fc
      .array(mutated(SEEDS), { minLength: 1, maxLength: 3 })
      .map((trees) => trees.map(write).join('---\n'));
    await fc.assert(fc.asyncProperty(text, examine), { numRuns: RUNS });
  });

  it('and as JSON it says the same', async () => {
    // But for places in messages, which differ.
    const summary = (text: string) =>
      parse(text)
        .findings.map(({ code, message }) => `${code} ${message.replaceAll(/:\d+:\d+/g, '')}`)
        .toSorted();
    await fc.assert(
      fc.asyncProperty(mutated(SEEDS), async (tree) => {
        expect(summary(JSON.stringify(tree))).toEqual(summary(write(tree)));
      }),
      { numRuns: Math.ceil(RUNS / 5) },
    );
  });
});

/** Without aliases for what stands twice, which would be a mutation of its own. */
const write = (tree: Tree): string => stringify(tree, { aliasDuplicateObjects: false, lineWidth: 0 });

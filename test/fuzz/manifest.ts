import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { HOOKS, ISSUERS } from '../../functions/catalogue.ts';
import { parseManifest, renderFinding } from '../../functions/core/manifest/index.ts';
import { edited } from './byte-edits.ts';
import { assertNoKey, withKeys } from './planted-keys.ts';
import { assertPrototypesPristine } from './promises.ts';
import type { Target } from './target.ts';

/** Manifests that their own fuzzer begins with. */
const FOLDER = join(import.meta.dirname, '..', 'manifest', 'corpus');
const SOUND = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.yaml'))
  .sort()
  .map((file) => readFileSync(join(FOLDER, file)));

/** Of one file: a hundred, and that there were more; and what is said of the folder, each document at most once more. */
const MOST_FINDINGS = 1_000;

/** The text of manifests; their structure is changed in test/manifest/fuzz.test.ts. */
export const manifest: Target = {
  name: 'manifest',
  extension: '.yaml',
  quickRuns: 250,
  inputs: (seeds) => {
    const all = [...seeds, ...SOUND];
    return edited(fc.constantFrom(...all), all, 6);
  },
  examine: (input) => {
    const text = withKeys(input.toString());
    const {
      findings,
      manifest: read,
      declared,
    } = parseManifest([{ path: 'a.yaml', text }], ISSUERS, {
      hookKinds: HOOKS,
    });
    assert.ok(findings.length <= MOST_FINDINGS, `${findings.length} findings`);
    assert.ok(read.certificates.length <= declared.certificates);
    const lines = text.split('\n').length;
    for (const finding of findings) {
      const { line, column, message, remedy } = finding;
      assert.ok(line >= 1 && line <= lines && column >= 1, `at ${line}:${column} of ${lines} lines`);
      for (const words of [message, remedy]) {
        assert.ok(words.length <= 2_000, `${words.length} characters`);
        // oxlint-disable-next-line no-control-regex -- that is what no terminal is to be sent
        assert.doesNotMatch(words, /[\u0000-\u001F\u007F-\u009F]/);
      }
      assertNoKey(JSON.stringify(finding));
      assertNoKey(renderFinding(finding));
    }
    assertPrototypesPristine();
  },
};

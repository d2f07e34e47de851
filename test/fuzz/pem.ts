import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { splitCertificates, toPem } from '../../functions/core/x509/pem.ts';
import { edited } from './byte-edits.ts';
import type { Target } from './target.ts';

/** PEM as CAs send it and people paste it. */
export const pem: Target = {
  name: 'pem',
  extension: '.pem',
  quickRuns: 2_000,
  inputs: (seeds) => edited(fc.constantFrom(...seeds), seeds, 8),
  examine: (input) => {
    const text = input.toString();
    const blocks = splitCertificates(text);
    assert.ok(blocks.length <= (text.match(/-----BEGIN CERTIFICATE-----/g)?.length ?? 0));
    for (const block of blocks) {
      assert.match(block, /^-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n$/);
      assert.ok(text.replaceAll(/\r\n?/g, '\n').includes(block.slice(0, -1)), 'what was not there');
    }
    // What was split can be joined, and split again.
    assert.deepEqual(splitCertificates(blocks.join('')), blocks);
    const written = toPem('CERTIFICATE', input);
    assert.deepEqual(splitCertificates(`before\n${written}after`), [written]);
    assert.deepEqual(Buffer.from(written.replaceAll(/-----[A-Z ]+-----/g, ''), 'base64'), input);
  },
};

import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { isSelfIssued, readCertificates, topOf, verifyChain } from '../../functions/core/x509/chain.ts';
import { csrPublicKey } from '../../functions/core/x509/csr.ts';
import { type CertificateFacts, leafFactsOf, readCertificate } from '../../functions/core/x509/leaf.ts';
import { leafFacts } from '../../functions/core/certificate.ts';
import { toPem } from '../../functions/core/x509/pem.ts';
import * as z from 'zod/mini';
import { NOON } from '../support/builders.ts';
import { edited } from './byte-edits.ts';
import { derEdit, editDer } from './der-edits.ts';
import { readDer, signedPartOf, writeDer } from './der-tree.ts';
import { LARGEST_INPUT_BYTES, type Target } from './target.ts';

/** Certificates and requests. Whoever reads them catches an Error; nothing else may come out. */
export const der: Target = {
  name: 'der',
  extension: '.der',
  quickRuns: 2_000,
  inputs: (seeds) => {
    const structured = fc
      .tuple(fc.constantFrom(...seeds), fc.array(derEdit, { minLength: 1, maxLength: 4 }))
      .map(([seed, edits]) => {
        const [root, ...others] = readDer(seed) ?? [];
        if (root === undefined || others.length > 0) return seed;
        return writeDer(edits.reduce(editDer, root)).subarray(0, LARGEST_INPUT_BYTES);
      });
    return fc.oneof(structured, edited(fc.constantFrom(...seeds), seeds), edited(structured, seeds, 2));
  },
  examine: (input) => {
    examineRequest(toPem('CERTIFICATE REQUEST', input));
    const facts = readOrError(() => readCertificate(toPem('CERTIFICATE', input)));
    if (facts !== undefined) examineCertificate(facts, input);
  },
};

function examineRequest(pem: string): void {
  const key = readOrError(() => csrPublicKey(pem));
  if (key !== undefined) assert.equal(key.type, 'public');
}

function examineCertificate(facts: CertificateFacts, input: Buffer): void {
  const { x509 } = facts;
  // What was read is what others will read: OpenSSL finds the same in the text that is handed on.
  const again = readCertificate(x509.toString());
  assert.equal(again.sha256Fingerprint, facts.sha256Fingerprint);
  assert.ok(input.includes(signedPartOf(x509.raw) ?? 'nothing'), 'what is signed was not there');
  const kept = leafFactsOf(facts);
  assert.deepEqual(z.decode(leafFacts, z.encode(leafFacts, kept)), kept);
  assert.match(facts.serialNumber, /^-?(?:[0-9A-F]{2})+$/);
  // Bits that a number cannot hold are none that anybody could check.
  assert.ok(Number.isSafeInteger(facts.keyUsageBits ?? 0), `key usage ${facts.keyUsageBits}`);
  for (const name of facts.dnsNames) assert.equal(typeof name, 'string');
  // Any place in a chain, with itself beside it.
  const others = readCertificates([x509.toString(), x509.toString()]);
  readOrError(() => topOf(others));
  readOrError(() => isSelfIssued(facts));
  const verdict = readOrError(() => verifyChain(facts, others, [facts], NOON));
  if (verdict?.trusted === false) assert.equal(typeof verdict.why, 'string');
}

function readOrError<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    assert.ok(error instanceof Error, `threw ${String(error)}`);
    return undefined;
  }
}

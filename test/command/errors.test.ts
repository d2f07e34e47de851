import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { remedyFor, REMEDIES } from '../../bin/operator/remedies.ts';
import { ACCESS_DENIED, GATE_REFUSED } from '../../functions/core/errors.ts';
import { ERRORS_FILE, errorsPage } from '../../tools/errors-page.ts';
import { readSources } from '../../tools/import-direction.ts';

/** Where codes are made: the first argument of an error, in one of two places of the ACME client, or in the facts of a failure. */
const MADE = [
  /new (?:Transient|Permanent|Conflict)Error\(\s*'(\w+)'/g,
  /codeOf\(\w+, '(\w+)'\)/g,
  /\bcode: '([A-Z]\w+)',/g,
];

function codesInSources(): ReadonlySet<string> {
  const codes = new Set<string>([ACCESS_DENIED, GATE_REFUSED]);
  for (const [file, text] of readSources(join(import.meta.dirname, '..', '..'))) {
    // Findings in manifests have their remedies with them.
    if (!file.startsWith('functions/') || file.startsWith('functions/core/manifest/')) continue;
    for (const pattern of MADE) for (const [, code = ''] of text.matchAll(pattern)) codes.add(code);
  }
  return codes;
}

/** Made of the types in RFC 8555 that functions/issuers/acme/problems.ts knows. */
const OF_ACME_PROBLEMS = /^Acme(?!(?:AccountDoesNotExist|NotFound|RateLimited)$)/;

it('every code that the functions make has a remedy, and no other has', () => {
  const codes = codesInSources();
  expect(codes.size).toBeGreaterThan(60);
  expect([...codes].filter((code) => !Object.hasOwn(REMEDIES, code))).toEqual([]);
  const listed = Object.keys(REMEDIES).filter((code) => !OF_ACME_PROBLEMS.test(code));
  const ofTheCommand = new Set(['ManifestFolderMissing', 'ManifestRefused']);
  expect(listed.filter((code) => !codes.has(code) && !ofTheCommand.has(code))).toEqual([]);
});

it('every problem type of ACME that has a code of its own has a remedy', () => {
  const text = readFileSync('functions/issuers/acme/problems.ts', 'utf8');
  const people = /FOR_PEOPLE[^{]*\{([^}]*)\}/.exec(text)?.[1] ?? '';
  const passing = /PASSING = new Set\(\[([^\]]*)\]/.exec(text)?.[1] ?? '';
  const types = [...people.matchAll(/^ {2}(\w+):/gm), ...passing.matchAll(/'(\w+)'/g)].map(([, type = '']) => type);
  expect(types.length).toBeGreaterThan(15);
  for (const type of types) {
    const code = `Acme${type.charAt(0).toUpperCase()}${type.slice(1)}`;
    expect(Object.keys(REMEDIES)).toContain(code);
  }
});

it('what nobody knows has its message, whatever every object has by that name', () => {
  for (const code of ['Unheard', 'constructor']) expect(remedyFor(code)).toBe('the message says what is known');
});

it('the page of errors in the docs is this table (npm run errors)', () => {
  expect(readFileSync(ERRORS_FILE, 'utf8')).toBe(errorsPage());
});

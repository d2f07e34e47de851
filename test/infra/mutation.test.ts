import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PAGE, REASONS, RESULT } from '../mutation/files.ts';
import { withResult } from '../../tools/mutation-page.ts';
import {
  digest,
  faultsOf,
  mutationResult,
  type Reasons,
  reasons,
  strykerReport,
  withoutBlindSpots,
} from '../../tools/mutation-report.ts';

const SOURCE = 'one();\nif (a < b) two();\n';
const mutant = (status: string, replacement: string) => ({
  mutatorName: 'EqualityOperator',
  replacement,
  status,
  location: { start: { line: 2, column: 5 }, end: { line: 2, column: 10 } },
});
/** A run over one file of which `killed` mutants died and the others, in the second line, lived. */
const ran = (killed: number, ...alive: readonly string[]) =>
  digest(
    strykerReport.parse({
      files: {
        'a.ts': {
          source: SOURCE,
          mutants: [
            ...Array.from({ length: killed }, () => mutant('Killed', 'false')),
            ...alive.map((replacement) => mutant('Survived', replacement)),
          ],
        },
      },
    }),
  );
const excused = (becomes: string): Reasons => {
  const change = { file: 'a.ts', mutator: 'EqualityOperator', in: 'if (a < b) two();', was: 'a < b', becomes };
  return [{ reason: 'a never equals b', mutants: [change] }];
};

describe('a mutation run', () => {
  it('is good when all mutants died, or those that live have a reason', () => {
    expect(faultsOf(ran(10), [])).toEqual([]);
    expect(faultsOf(ran(10, 'a <= b'), excused('a <= b'))).toEqual([]);
  });

  it('fails at ninety per cent', () => {
    expect(faultsOf(ran(9, 'a <= b'), excused('a <= b'))).toEqual(['the score is 90.00 %, and has to be above 90 %']);
  });

  it('fails at a survivor without a reason, and at a reason without a survivor', () => {
    expect(faultsOf(ran(99, 'a <= b'), excused('a >= b'))).toEqual([
      expect.stringMatching(/^survived: .*"becomes":"a <= b"/),
      expect.stringMatching(/^excused, and killed or gone: .*"a >= b"/),
    ]);
  });

  it('counts what no test reaches as a survivor, and what cannot run as nothing', () => {
    const mutants = ['NoCoverage', 'Timeout', 'RuntimeError'].map((status) => mutant(status, 'true'));
    const { total, survivors } = digest(strykerReport.parse({ files: { 'a.ts': { source: SOURCE, mutants } } }));
    expect(total).toEqual({ killed: 0, timeout: 1, survived: 1, invalid: 1 });
    expect(survivors).toMatchObject([{ file: 'a.ts', line: 2, was: 'a < b', becomes: 'true' }]);
  });
});

describe('the next mutation run', () => {
  it('tries survivors again that no test is known to reach', () => {
    const mutants = [
      { static: true, status: 'Survived', id: '1' },
      { static: true, status: 'Killed', id: '2' },
      { static: false, status: 'Survived', id: '3' },
    ];
    expect(withoutBlindSpots({ schemaVersion: '1', files: { 'a.ts': { source: SOURCE, mutants } } })).toEqual({
      schemaVersion: '1',
      files: { 'a.ts': { source: SOURCE, mutants: mutants.slice(1) } },
    });
  });
});

describe('the mutation run that is committed', () => {
  const result = mutationResult.parse(JSON.parse(readFileSync(RESULT, 'utf8')));
  const given = reasons.parse(JSON.parse(readFileSync(REASONS, 'utf8')));

  it('is a good one', () => {
    expect(faultsOf(result, given)).toEqual([]);
  });

  it('is what the page shows', () => {
    const page = readFileSync(PAGE, 'utf8');
    expect(withResult(page, result, given)).toBe(page);
  });
});

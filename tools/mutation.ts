import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Stryker } from '@stryker-mutator/core';
import { CONFIG, KNOWN, PAGE, REASONS, REPORT, RESULT } from '../test/mutation/files.ts';
import { withResult } from './mutation-page.ts';
import { digest, faultsOf, reasons, scorePercent, strykerReport, withoutBlindSpots } from './mutation-report.ts';

const readJson = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));

/** Mutates all that is configured, or only `files`, and answers what is wrong. What an earlier run settled is not tried again. */
async function mutate(files: readonly string[]): Promise<readonly string[]> {
  process.chdir(join(import.meta.dirname, '..'));
  if (existsSync(KNOWN)) writeFileSync(KNOWN, JSON.stringify(withoutBlindSpots(readJson(KNOWN))));
  await new Stryker({ configFile: CONFIG, ...(files.length === 0 ? {} : { mutate: [...files] }) }).runMutationTest();
  const result = digest(strykerReport.parse(readJson(REPORT)));
  const given = reasons.parse(readJson(REASONS));
  process.stdout.write(`${scorePercent(result.total).toFixed(2)} % of the mutants were noticed\n`);
  if (files.length === 0) {
    writeFileSync(RESULT, `${JSON.stringify(result, null, 2)}\n`);
    writeFileSync(PAGE, withResult(readFileSync(PAGE, 'utf8'), result, given));
    return faultsOf(result, given);
  }
  // Of the other files the report has what earlier runs found: all, or nothing.
  const theirs = ({ file }: { readonly file: string }): boolean => file in result.files;
  return faultsOf(
    result,
    given.map((one) => ({ ...one, mutants: one.mutants.filter(theirs) })),
  );
}

const faults = await mutate(process.argv.slice(2));
for (const fault of faults) process.stdout.write(`${fault}\n`);
process.exitCode = faults.length === 0 ? 0 : 1;

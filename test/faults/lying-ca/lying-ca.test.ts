import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { chosen, TAKES_ALL } from '../extent.ts';
import { nameOf } from './cell.ts';
import { CELLS } from './cells.ts';
import { documentOf, glanceOf } from './document.ts';
import { type Report, runCell } from './run-cell.ts';
import { deviations } from './verdict.ts';

const DOCUMENT = '../../../docs/lying-ca.md';

/** All of them, or one for each step. */
const STEPS = [...Map.groupBy(CELLS, ({ protocol, step }) => `${protocol} ${step}`).values()];
const TAKEN = TAKES_ALL ? CELLS : STEPS.flatMap((cells, index) => chosen(cells, index));

const reports = new Map<string, Report>();
let asDeclared = 0;

// The SDK's own waits between its repeats are a random share of up to a second.
beforeAll(() => void vi.spyOn(Math, 'random').mockReturnValue(0));
afterAll(() => {
  vi.restoreAllMocks();
  process.stdout.write(`\nlying CA: ${TAKEN.length} cells, ${asDeclared} as declared\n`);
});

describe('a CA that lies for a day, and is honest again', () => {
  it.each(TAKEN.map((cell) => [nameOf(cell), cell] as const))('%s', async (name, cell) => {
    const report = await runCell(cell);
    reports.set(name, report);
    expect(deviations(cell, report)).toEqual([]);
    asDeclared += 1;
  });

  // One cell a step makes no page.
  it.each(TAKES_ALL ? [DOCUMENT] : [])('is as %s has it', async (page) => {
    process.stdout.write(`\n${await glanceOf(CELLS)}`);
    await expect(await documentOf(CELLS, reports)).toMatchFileSnapshot(page);
  });
});

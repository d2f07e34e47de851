import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { explore, nameOf } from './explore.ts';
import { corpusFolder, type Target } from './target.ts';
import { TARGETS } from './targets.ts';

/*
 * npm run fuzz -- --minutes 10 [--target pem] [--seed 7]: fresh inputs for as long as that, a turn for each target. What breaks a
 * promise is written into the corpus, where `npm test` finds it, and ends that target's turns. `--seed` makes the turn that had it.
 */

const TURN_MS = 20_000;
const LARGEST_SEED = 2 ** 31;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    target: { type: 'string' },
    seed: { type: 'string' },
  },
});

const minutes = Number(values.minutes);
const targets = TARGETS.filter(({ name }) => values.target === undefined || name === values.target);
if (!(minutes > 0) || targets.length === 0) {
  const names = TARGETS.map(({ name }) => name).join(' | ');
  say(`usage: npm run fuzz -- [--minutes N] [--target ${names}] [--seed S]`);
  process.exit(2);
}

const endsAt = performance.now() + minutes * 60_000;
const left = new Set<Target>(targets);
let firstSeed = values.seed === undefined ? undefined : Number(values.seed);

while (left.size > 0 && performance.now() < endsAt) {
  for (const target of left) {
    const seed = firstSeed ?? randomInt(LARGEST_SEED);
    const milliseconds = Math.min(TURN_MS, endsAt - performance.now());
    if (milliseconds <= 0) break;
    if (!(await takeTurn(target, seed, milliseconds))) left.delete(target);
  }
  firstSeed = undefined;
}
for (const target of targets) await target.close?.();
process.exit(left.size === targets.length ? 0 : 1);

/** Answers whether all promises were kept. */
async function takeTurn(target: Target, seed: number, milliseconds: number): Promise<boolean> {
  const { runs, slowestMs, broken } = await explore(target, { seed, milliseconds });
  say(`${target.name.padEnd(10)} seed ${seed}: ${runs} inputs, the slowest took ${slowestMs.toFixed(0)} ms`);
  if (broken === undefined) return true;
  const file = join(corpusFolder(target.name), nameOf(broken.input) + target.extension);
  writeFileSync(file, broken.input);
  say(`${target.name.padEnd(10)} broken by ${relative(process.cwd(), file)}:\n${broken.why}`);
  return false;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

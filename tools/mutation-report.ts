import * as z from 'zod/mini';

/** At or under this share of killed mutants, in per cent, the suites are too weak. */
const FLOOR_PERCENT = 90;

const place = z.object({ line: z.number(), column: z.number() });
const mutant = z.object({
  mutatorName: z.string(),
  replacement: z.optional(z.string()),
  location: z.object({ start: place, end: place }),
  status: z.enum(['Killed', 'Survived', 'NoCoverage', 'Timeout', 'RuntimeError', 'CompileError', 'Ignored', 'Pending']),
});

/** What is read of Stryker's own report. */
export const strykerReport = z.object({
  files: z.record(z.string(), z.object({ source: z.string(), mutants: z.array(mutant) })),
});
type StrykerReport = z.infer<typeof strykerReport>;

const known = z.looseObject({
  files: z.record(
    z.string(),
    z.looseObject({ mutants: z.array(z.looseObject({ static: z.optional(z.boolean()), status: z.string() })) }),
  ),
});

/**
 * What Stryker knows of earlier runs, without the survivors that it would never try again: it looks for new tests that reach a
 * mutant, and knows of no test that reaches what runs as a module is loaded.
 */
export function withoutBlindSpots(incremental: unknown): unknown {
  const { files, ...rest } = known.parse(incremental);
  const seen = Object.entries(files).map(([file, { mutants, ...facts }]) => {
    const kept = mutants.filter((one) => one.static !== true || one.status !== 'Survived');
    return [file, { ...facts, mutants: kept }] as const;
  });
  return { ...rest, files: Object.fromEntries(seen) };
}

/** A mutant by what it changes, not by where: lines that move keep their reasons, lines that change lose them. */
const change = z.object({
  file: z.string(),
  mutator: z.string(),
  in: z.string(),
  was: z.string(),
  becomes: z.string(),
});
type Change = z.infer<typeof change>;

/** Why mutants may live, each reason with those that it excuses. */
export const reasons = z.array(z.object({ reason: z.string().check(z.minLength(10)), mutants: z.array(change) }));
export type Reasons = z.infer<typeof reasons>;

const tally = z.object({
  killed: z.number(),
  timeout: z.number(),
  survived: z.number(),
  /** Neither killed nor alive: the mutated code could not be run at all. */
  invalid: z.number(),
});
export type Tally = z.infer<typeof tally>;

/** What is committed of a run. */
export const mutationResult = z.object({
  total: tally,
  files: z.record(z.string(), tally),
  survivors: z.array(z.extend(change, { line: z.number() })),
});
export type MutationResult = z.infer<typeof mutationResult>;

const NOTHING: Tally = { killed: 0, timeout: 0, survived: 0, invalid: 0 };
const COLUMN = { Killed: 'killed', Timeout: 'timeout', Survived: 'survived', NoCoverage: 'survived' } as const;

export function digest({ files }: StrykerReport): MutationResult {
  const sorted = Object.entries(files).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const tallies = sorted.map(([file, { mutants }]) => {
    const counts = { ...NOTHING };
    for (const { status } of mutants) counts[status in COLUMN ? COLUMN[status as keyof typeof COLUMN] : 'invalid'] += 1;
    return [file, counts] as const;
  });
  const total = { ...NOTHING };
  for (const [, counts] of tallies) for (const key of Object.keys(total) as (keyof Tally)[]) total[key] += counts[key];
  const survivors = sorted.flatMap(([file, { source, mutants }]) =>
    mutants
      .filter(({ status }) => status === 'Survived' || status === 'NoCoverage')
      .map((survivor) => changeOf(file, source, survivor)),
  );
  return { total, files: Object.fromEntries(tallies), survivors };
}

function changeOf(file: string, source: string, mutated: z.infer<typeof mutant>): Change & { line: number } {
  const { start, end } = mutated.location;
  const lines = source.split('\n').slice(start.line - 1, end.line);
  const last = lines.length - 1;
  const was = lines
    .map((text, index) => text.slice(index === 0 ? start.column - 1 : 0, index === last ? end.column - 1 : undefined))
    .join('\n');
  const { mutatorName: mutator, replacement: becomes = '' } = mutated;
  return { file, line: start.line, mutator, in: clip(lines[0] ?? ''), was: clip(was), becomes: clip(becomes) };
}

/** On one line, and no longer than a reader needs to tell it from others. */
function clip(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= 120 ? line : `${line.slice(0, 119)}…`;
}

export const scorePercent = ({ killed, timeout, survived }: Tally): number =>
  (100 * (killed + timeout)) / Math.max(1, killed + timeout + survived);

export const keyOf = ({ file, mutator, in: line, was, becomes }: Change): string =>
  JSON.stringify([file, mutator, line, was, becomes]);

/** What keeps a run from being good: too low a score, a survivor without a reason, a reason without a survivor. */
export function faultsOf({ total, survivors }: MutationResult, given: Reasons): readonly string[] {
  const score = scorePercent(total);
  const known = new Set(given.flatMap(({ mutants }) => mutants.map(keyOf)));
  const alive = new Set(survivors.map(keyOf));
  return [
    ...(score > FLOOR_PERCENT ? [] : [`the score is ${score.toFixed(2)} %, and has to be above ${FLOOR_PERCENT} %`]),
    ...survivors.filter((survivor) => !known.has(keyOf(survivor))).map((one) => `survived: ${JSON.stringify(one)}`),
    ...[...known].filter((key) => !alive.has(key)).map((key) => `excused, and killed or gone: ${key}`),
  ];
}

/**
 * How much of the fault suites runs. `npm test` has time for one fault a place, chosen by the seed; `npm run faults` takes every
 * fault at every place.
 */
export const TAKES_ALL = process.env['EVERLEAF_FAULTS'] === 'all';

/** Another number, another choice. */
export const SEED = Number(process.env['EVERLEAF_SEED'] ?? 1);

/** All of `choices`, or the one that is the turn of `index`. */
export const chosen = <T>(choices: readonly T[], index: number): readonly T[] =>
  TAKES_ALL ? choices : choices.slice((SEED + index) % choices.length).slice(0, 1);

import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { corpusOf, type Target } from './target.ts';

export interface Exploration {
  readonly seed: number;
  readonly runs: number;
  readonly slowestMs: number;
  /** The smallest input found that breaks a promise, and which. */
  readonly broken: { readonly input: Buffer; readonly why: string } | undefined;
}

interface Limits {
  readonly seed: number;
  readonly runs?: number;
  readonly milliseconds?: number;
}

/** Makes inputs until one breaks a promise, or a limit is reached. The same seed makes the same inputs. */
export async function explore(target: Target, { seed, runs, milliseconds }: Limits): Promise<Exploration> {
  const seeds = [...corpusOf(target).values()];
  let [examined, slowestMs] = [0, 0];
  const property = fc.asyncProperty(target.inputs(seeds), async (input) => {
    const startedAt = performance.now();
    await target.examine(input);
    examined += 1;
    slowestMs = Math.max(slowestMs, performance.now() - startedAt);
  });
  const details = await fc.check(property, {
    seed,
    numRuns: runs ?? Number.MAX_SAFE_INTEGER,
    ...(milliseconds === undefined ? {} : { interruptAfterTimeLimit: milliseconds }),
  });
  const [input] = details.counterexample ?? [];
  const error = details.errorInstance;
  const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    seed,
    runs: examined,
    slowestMs,
    broken: input === undefined ? undefined : { input, why: whole(error, why) },
  };
}

const whole = (error: unknown, why: string): string =>
  error instanceof Error && error.cause instanceof Error ? `${why}\nbecause of ${error.cause.stack}` : why;

/** The same input always has the same name. */
export const nameOf = (input: Buffer): string =>
  `found-${createHash('sha256').update(input).digest('hex').slice(0, 10)}`;

import { homedir } from 'node:os';
import { join } from 'node:path';
import { CannotRun } from '../../e2e/host/cannot-run.ts';
import type { Finished, Programs } from '../../e2e/host/programs.ts';

/** What installers work with. */
export interface Workshop {
  readonly programs: Programs;
  /** Outside the checkout: what is built serves every checkout of this person. */
  readonly cache: string;
  readonly say: (line: string) => void;
}

/** Where what was built once is kept. */
export const cacheFolder = (): string =>
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'everleaf', 'peers');

/** Runs one step of an installation. One that fails ends the run, with what to do about it. */
export async function step(
  { programs }: Workshop,
  command: readonly string[],
  remedy: string,
  { env, cwd }: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string } = {},
): Promise<Finished> {
  const [program = '', ...parameters] = command;
  const finished = await programs.run(program, parameters, {
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  if (finished.code === 0) return finished;
  throw new CannotRun(`"${command.join(' ')}" ended with ${finished.code}:\n${finished.output.trim()}\n${remedy}`);
}

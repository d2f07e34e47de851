import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CannotRun } from './cannot-run.ts';
import { outcomeOf, Programs } from './programs.ts';

const EXIT_CANNOT_RUN = 2;
const EXIT_INTERRUPTED = 130;

/**
 * Does `work`, which answers an exit code, with programs and a folder that this process owns. Whatever happens, both are gone
 * when it ends; a person's Ctrl-C included.
 */
export async function ownedRun(
  name: string,
  work: (programs: Programs, folder: string) => Promise<number>,
): Promise<number> {
  const programs = new Programs();
  const folder = mkdtempSync(join(tmpdir(), `everleaf-${name}-`));
  const interrupted = new Promise<number>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve(EXIT_INTERRUPTED));
  });
  const working = work(programs, folder);
  try {
    return await Promise.race([working, interrupted]);
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error;
    process.stderr.write(`${error.message}\n`);
    return EXIT_CANNOT_RUN;
  } finally {
    await programs.stopAll();
    // Settled in any case: a build that was stopped still tidies up after itself.
    await Promise.allSettled([working]);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs the suite whose vitest.config.ts is in `suite`, and stops the servers that its tests left behind. */
export async function runSuite(
  programs: Programs,
  { root, suite, patterns, env }: { root: string; suite: string; patterns: readonly string[]; env: NodeJS.ProcessEnv },
): Promise<number> {
  const vitest = programs.start('vitest', ['run', '--config', join(suite, 'vitest.config.ts'), ...patterns], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env,
  });
  const { code } = await outcomeOf(vitest);
  await programs.stop(vitest);
  return code;
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CannotRun } from '../e2e/host/cannot-run.ts';
import { environmentOf } from '../e2e/host/environment.ts';
import { outcomeOf, Programs } from '../e2e/host/programs.ts';
import { installPeers } from './install/install.ts';
import { toEnvironment } from './settings.ts';

/**
 * Suites that talk to programs we did not write. This process owns what runs: builds, and vitest, whose tests start the
 * servers in vitest's own process group. Whatever happens, all are gone when it ends.
 */

const ROOT = join(import.meta.dirname, '..', '..');
const EXIT_CANNOT_RUN = 2;
const EXIT_INTERRUPTED = 130;

const say = (line: string): void => void process.stdout.write(`peers: ${line}\n`);

async function run(programs: Programs, folder: string, patterns: readonly string[]): Promise<number> {
  const installed = await installPeers(programs, say);
  const vitest = programs.start(
    'vitest',
    ['run', '--config', join(import.meta.dirname, 'vitest.config.ts'), ...patterns],
    {
      cwd: ROOT,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...environmentOf(ROOT, folder), ...toEnvironment({ folder, programs: installed }) },
    },
  );
  const { code } = await outcomeOf(vitest);
  // Servers that its tests left behind.
  await programs.stop(vitest);
  return code;
}

/** Settled in any case: a build that was stopped still tidies up after itself. */
async function ended(work: Promise<unknown> | undefined): Promise<void> {
  await Promise.allSettled([work]);
}

async function main(): Promise<number> {
  const programs = new Programs();
  const folder = mkdtempSync(join(tmpdir(), 'everleaf-peers-'));
  const interrupted = new Promise<number>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => resolve(EXIT_INTERRUPTED));
  });
  let work: Promise<number> | undefined;
  try {
    work = run(programs, folder, process.argv.slice(2));
    return await Promise.race([work, interrupted]);
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error;
    process.stderr.write(`${error.message}\n`);
    return EXIT_CANNOT_RUN;
  } finally {
    await programs.stopAll();
    await ended(work);
    rmSync(folder, { recursive: true, force: true });
  }
}

process.exit(await main());

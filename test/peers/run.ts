import { join } from 'node:path';
import { environmentOf } from '../e2e/host/environment.ts';
import { ownedRun, runSuite } from '../e2e/host/owned-run.ts';
import { installPeers } from './install/install.ts';
import { toEnvironment } from './settings.ts';

/**
 * Suites that talk to programs we did not write. This process owns what runs: builds, and vitest, whose tests start the
 * servers in vitest's own process group. Whatever happens, all are gone when it ends.
 */

const ROOT = join(import.meta.dirname, '..', '..');

const say = (line: string): void => void process.stdout.write(`peers: ${line}\n`);

process.exit(
  await ownedRun('peers', async (programs, folder) => {
    const installed = await installPeers(programs, say);
    return runSuite(programs, {
      root: ROOT,
      suite: import.meta.dirname,
      patterns: process.argv.slice(2),
      env: { ...environmentOf(ROOT, folder), ...toEnvironment({ folder, programs: installed }) },
    });
  }),
);

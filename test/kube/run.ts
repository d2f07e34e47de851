import { join } from 'node:path';
import { environmentOf } from '../e2e/host/environment.ts';
import { ownedRun, runSuite } from '../e2e/host/owned-run.ts';
import { installKubernetes } from './install.ts';
import { toEnvironment } from './settings.ts';

/**
 * The EKS hook against a real API server with etcd, and a real controller manager. This process owns what runs: builds, and
 * vitest, whose tests start the servers in vitest's own process group. Whatever happens, all are gone when it ends.
 */

const ROOT = join(import.meta.dirname, '..', '..');

const say = (line: string): void => void process.stdout.write(`kube: ${line}\n`);

process.exit(
  await ownedRun('kube', async (programs, folder) => {
    const installed = await installKubernetes(programs, say);
    return runSuite(programs, {
      root: ROOT,
      suite: import.meta.dirname,
      patterns: process.argv.slice(2),
      env: { ...environmentOf(ROOT, folder), ...toEnvironment({ folder, programs: installed }) },
    });
  }),
);

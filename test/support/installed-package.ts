import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
const BIN = join(ROOT, 'node_modules', '.bin');

/** What CDK apps have anyway. Linked, so that nothing large is copied. */
const PEERS = ['aws-cdk-lib', 'constructs'];

export interface InstalledPackage {
  readonly tarball: string;
  /** Of somebody else's project, which has the tarball installed. */
  readonly folder: string;
}

/** Runs a program to its end. Throws with all that it printed when that is not a good one. */
export function succeed(
  program: string,
  parameters: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): string {
  const finished = spawnSync(program, parameters, { ...options, encoding: 'utf8' });
  if (finished.status === 0) return finished.stdout;
  throw new Error(`${program} ${parameters.join(' ')} ended with ${endOf(finished)}`);
}

const endOf = ({ status, error, stdout, stderr }: SpawnSyncReturns<string>): string =>
  `${status ?? error?.message}:\n${stdout}${stderr}`;

/** This machine's own Node, not the one that the checkout brings: what people have who install the package. */
export const outsideOfCheckout = (): NodeJS.ProcessEnv => ({
  ...process.env,
  PATH: (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes('node_modules'))
    .join(delimiter),
});

/** Builds the package, packs it, and installs the tarball into a project of its own below `temporary`. */
export function installPackage(temporary: string, env: NodeJS.ProcessEnv = outsideOfCheckout()): InstalledPackage {
  const [dist, folder] = [join(temporary, 'dist'), join(temporary, 'project')];
  succeed(join(BIN, 'node'), [join(ROOT, 'tools', 'build-package.ts'), dist], {
    cwd: ROOT,
    env: { ...env, PATH: [BIN, env['PATH']].join(delimiter) },
  });
  succeed('npm', ['pack', dist, '--silent'], { cwd: temporary, env });
  const tarball = readdirSync(temporary).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error(`npm pack left no tarball in ${temporary}`);
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "name": "project", "private": true, "type": "module" }\n');
  const quietly = ['--no-audit', '--no-fund', '--silent', '--prefer-offline'];
  // Peers are linked below: npm is not to fetch a hundred megabytes that are here.
  // A registry that has gone silent is asked again after half a minute, not after npm's five.
  const impatiently = ['--fetch-timeout=30000', '--fetch-retries=5'];
  succeed('npm', ['install', join(temporary, tarball), '--legacy-peer-deps', ...quietly, ...impatiently], {
    cwd: folder,
    env,
  });
  for (const peer of PEERS) symlinkSync(join(ROOT, 'node_modules', peer), join(folder, 'node_modules', peer));
  return { tarball: join(temporary, tarball), folder };
}

import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { installPackage } from '../../support/installed-package.ts';
import type { Settings } from './settings.ts';

/** The README's own code. */
const EXAMPLE = join('examples', 'subscriber');

/** Makes a project with the packed tarball installed, and the app of the README in it. Answers its folder. */
export function createProject({ root, folder, home }: Settings): string {
  // npm's cache is the person's own: what `npm ci` has fetched is there.
  const env = { ...process.env, npm_config_cache: join(home, '.npm') };
  const project = installPackage(folder, env).folder;
  for (const part of ['app.ts', 'cdk.json', 'reload']) {
    cpSync(join(root, EXAMPLE, part), join(project, part), { recursive: true });
  }
  return project;
}

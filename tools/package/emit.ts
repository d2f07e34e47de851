import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What somebody imports, and what somebody runs. */
const ENTRY_POINTS = ['lib/index', 'bin/everleaf'] as const;

/** Modules that are another in the package. */
const REPLACED: Readonly<Record<string, string>> = {
  'lib/bundles': 'lib/ready-made-bundles',
  'bin/commands/twin': 'bin/commands/twin-elsewhere',
};

const SPECIFIER = /(?:\bfrom|\bimport)\s*(\()?\s*['"]([^'"]+)['"]/g;

/** Compiles what the package holds to `dist`. Answers the packages that its JavaScript imports. */
export function emit(root: string, dist: string): ReadonlySet<string> {
  const faults = compile(root, dist);
  for (const [module, by] of Object.entries(REPLACED)) {
    for (const ending of ['.js', '.d.ts']) renameSync(join(dist, by + ending), join(dist, module + ending));
  }
  const code = reachable(
    dist,
    ENTRY_POINTS.map((entry) => `${entry}.js`),
  );
  const ours = faults.filter((line) => code.files.has(line.replace(/\.ts\(.*/s, '.js')));
  if (ours.length > 0) throw new Error(`not for the oldest Node that the package is for:\n${ours.join('\n')}`);
  const types = reachable(dist, ['lib/index.d.ts']);
  for (const file of filesIn(dist)) {
    if (!code.files.has(file) && !types.files.has(file)) rmSync(join(dist, file));
    else if (file.endsWith('.d.ts')) nameCompiledFiles(join(dist, file));
  }
  return new Set([...code.packages, ...types.packages]);
}

/**
 * Answers what is wrong, a line for each fault. Some files that are compiled along have what only a newer Node knows; they are
 * taken away again.
 */
export function compile(root: string, outDir: string): readonly string[] {
  const options = ['--project', 'tsconfig.build.json', '--outDir', outDir];
  const { status, stdout, error } = spawnSync('tsc', options, { cwd: root, encoding: 'utf8' });
  const faults = stdout.split('\n').filter((line) => line.includes('): error TS'));
  if (status === 0 || faults.length > 0) return faults;
  throw new Error(`tsc ended with ${status ?? error?.message}:\n${stdout}`);
}

/**
 * The files that entry points lead to, and the packages that these import. What a function of `functions/` loads on demand is
 * a client that only Lambda runs: the bundles have it.
 */
function reachable(
  dist: string,
  entries: readonly string[],
): { readonly files: ReadonlySet<string>; readonly packages: ReadonlySet<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    for (const [, onDemand, specifier = ''] of readFileSync(join(dist, file), 'utf8').matchAll(SPECIFIER)) {
      if (onDemand !== undefined && file.startsWith('functions/')) continue;
      if (specifier.startsWith('.')) visit(fileOf(dist, file, specifier));
      else if (!specifier.startsWith('node:')) packages.add(packageOf(specifier));
    }
  };
  for (const entry of entries) visit(entry);
  return { files, packages };
}

function fileOf(dist: string, from: string, specifier: string): string {
  const target = join(dirname(from), specifier);
  const file = from.endsWith('.d.ts') ? target.replace(/\.[jt]s$/, '.d.ts') : target;
  if (!existsSync(join(dist, file))) throw new Error(`${from} imports ${specifier}, which was not compiled`);
  return file;
}

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

const filesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1));

/** Declarations still name the sources: `from './everleaf.ts'`. */
function nameCompiledFiles(path: string): void {
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, text.replace(/((?:\bfrom|\bimport)\s*\(?\s*['"]\.[^'"]*)\.ts(['"])/g, '$1.js$2'));
}

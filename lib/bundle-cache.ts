import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const CACHE = join(ROOT, 'node_modules', '.cache', 'everleaf-bundles');

/** What a bundle is made of and by: all of the functions' sources, the packages by their lockfile, and how it is done. */
const SOURCES = ['functions', 'lib/bundles.ts', 'package-lock.json', 'tsconfig.json'];

/** What nobody has asked for in so long is thrown away. Some fifteen megabytes for each state of the sources. */
const KEPT_MS = 24 * 60 * 60 * 1_000;

/** A file of a bundle, by its name in the bundle's folder. */
export interface BundleFile {
  readonly name: string;
  readonly contents: Uint8Array;
}

/** The folder of a bundle: read it, change nothing. Built first where these very sources were not yet, by whichever process. */
export function keptBundle(name: string, build: () => readonly BundleFile[]): string {
  const state = join(CACHE, digestOfSources());
  const kept = join(state, name);
  if (!existsSync(kept)) keep(kept, build());
  const now = new Date();
  utimesSync(state, now, now);
  return kept;
}

/** Complete or absent: another process may look at any time, or do the same. */
function keep(place: string, files: readonly BundleFile[]): void {
  throwAwayOld();
  mkdirSync(join(place, '..'), { recursive: true });
  const made = mkdtempSync(`${place}-`);
  for (const { name, contents } of files) writeFileSync(join(made, name), contents);
  try {
    renameSync(made, place);
  } catch (error) {
    rmSync(made, { recursive: true });
    if (!existsSync(place)) throw error;
  }
}

function throwAwayOld(): void {
  if (!existsSync(CACHE)) return;
  for (const state of readdirSync(CACHE)) {
    const folder = join(CACHE, state);
    // Another process may do the same at this moment.
    const usedAt = statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
    if (Date.now() - usedAt > KEPT_MS) rmSync(folder, { recursive: true, force: true });
  }
}

let digest: string | undefined;

function digestOfSources(): string {
  if (digest !== undefined) return digest;
  const hash = createHash('sha256');
  for (const source of SOURCES)
    for (const file of filesOf(source)) hash.update(file).update(readFileSync(join(ROOT, file)));
  return (digest = hash.digest('hex').slice(0, 16));
}

function filesOf(source: string): readonly string[] {
  if (!/^[^.]+$/.test(source)) return [source];
  const entries = readdirSync(join(ROOT, source), { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1))
    .sort();
}

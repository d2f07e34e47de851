import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { buildSync, type OutputFile } from 'esbuild';

const FUNCTIONS_DIR = join(import.meta.dirname, '..', 'functions');

/** CommonJS modules in an ES bundle still call `require` for Node's built-ins. */
const REQUIRE_BANNER = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/** Packages that acme-client loads and that are never called: see there. */
const LEFT_OUT = join(FUNCTIONS_DIR, 'issuers', 'acme', 'left-out.cjs');

/** Built once a process, however many apps it synthesizes. */
const built = new Map<string, readonly OutputFile[]>();

/**
 * Writes the code of `functions/<name>/handler.ts`, with everything it needs, the SDK included, to a folder in `outdir` and
 * answers that.
 */
export function writeBundle(name: string, outdir: string): string {
  const files = built.get(name) ?? bundle(name);
  built.set(name, files);
  const folder = join(outdir, `bundle.${name}`);
  mkdirSync(folder, { recursive: true });
  for (const { path, contents } of files) writeFileSync(join(folder, basename(path)), contents);
  return folder;
}

/** What is only imported on demand (an issuer's client) becomes a chunk of its own, which a cold start does not load. */
function bundle(name: string): readonly OutputFile[] {
  return buildSync({
    entryPoints: { index: join(FUNCTIONS_DIR, name, 'handler.ts') },
    outdir: 'bundle',
    write: false,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    minify: true,
    // Error classes are told apart by name in logs.
    keepNames: true,
    mainFields: ['module', 'main'],
    alias: { axios: LEFT_OUT, debug: LEFT_OUT, 'node-forge': LEFT_OUT, '@peculiar/x509': LEFT_OUT },
    legalComments: 'none',
    banner: { js: REQUIRE_BANNER },
    logLevel: 'warning',
  }).outputFiles;
}

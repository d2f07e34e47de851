import { basename, join } from 'node:path';
import { buildSync, type Metafile, type OutputFile } from 'esbuild';
import { keptBundle } from './bundle-cache.ts';

const FUNCTIONS_DIR = join(import.meta.dirname, '..', 'functions');

/** CommonJS modules in an ES bundle still call `require` for Node's built-ins. */
const REQUIRE_BANNER = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/** Packages that acme-client loads and that are never called: see there. */
const LEFT_OUT = join(FUNCTIONS_DIR, 'issuers', 'acme', 'left-out.cjs');

export interface Bundle {
  readonly outputFiles: readonly OutputFile[];
  /** What it was made of. */
  readonly metafile: Metafile;
}

/** Built once a process, however many apps it synthesizes. */
const built = new Map<string, Bundle>();

/**
 * The folder with the code of `functions/<name>/handler.ts` and everything it needs, the SDK included. In the package its place
 * is taken by ready-made-bundles.ts.
 */
export function bundleFolder(name: string): string {
  return keptBundle(name, () =>
    buildBundle(name).outputFiles.map(({ path, contents }) => ({ name: basename(path), contents })),
  );
}

/** What is only imported on demand (an issuer's client) becomes a chunk of its own, which a cold start does not load. */
export function buildBundle(name: string): Bundle {
  const known = built.get(name);
  if (known !== undefined) return known;
  const bundle = buildSync({
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
    metafile: true,
    absWorkingDir: join(FUNCTIONS_DIR, '..'),
  });
  built.set(name, bundle);
  return bundle;
}

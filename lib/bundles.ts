import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { type AssetCode, Code } from 'aws-cdk-lib/aws-lambda';
import { buildSync, type OutputFile } from 'esbuild';

const FUNCTIONS_DIR = join(dirname(fileURLToPath(import.meta.url)), '..', 'functions');

/** CommonJS modules in an ES bundle still call `require` for Node's built-ins. */
const REQUIRE_BANNER = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/** Built once a process, however many apps it synthesizes. */
const built = new Map<string, readonly OutputFile[]>();

/** The code of `functions/<name>/handler.ts` with everything it needs, the SDK included. */
export function functionCode(name: string): AssetCode {
  return Code.fromAsset(join(FUNCTIONS_DIR, name), {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // CDK asks for an image to fall back on; tryBundle always succeeds or throws.
      image: DockerImage.fromRegistry('scratch'),
      local: {
        tryBundle: (outputDir) => {
          writeBundle(name, outputDir);
          return true;
        },
      },
    },
  });
}

function writeBundle(name: string, outputDir: string): void {
  const files = built.get(name) ?? bundle(name);
  built.set(name, files);
  mkdirSync(outputDir, { recursive: true });
  for (const { path, contents } of files) writeFileSync(join(outputDir, basename(path)), contents);
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
    legalComments: 'none',
    banner: { js: REQUIRE_BANNER },
    logLevel: 'warning',
  }).outputFiles;
}

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { bundleFolder } from '../lib/bundles.ts';

/**
 * How long a fresh Node takes to load each function, against one naive bundle of everything: all handlers and every client in a
 * single file, as a bundler makes it that is not asked for chunks. Run by hand: `node bench/cold-load.ts`.
 */

const ROOT = join(import.meta.dirname, '..');
const ROUNDS = 15;

/** Handlers read their settings when they are loaded. */
const ENVIRONMENT = {
  AWS_REGION: 'us-east-1',
  AWS_EC2_METADATA_DISABLED: 'true',
  TABLE_NAME: 'table',
  BUS_NAME: 'bus',
  QUEUE_URL: 'https://queue.example',
  DEPLOYMENT: 'bench',
  KMS_KEY_ARN: 'arn:aws:kms:us-east-1:111122223333:key/x',
  HINTS_PER_TICK: '1500',
  SECONDS_BETWEEN_TICKS: '60',
};

interface Measured {
  readonly what: string;
  readonly kibibytes: number;
  /** Of `ROUNDS` processes: the middle one's time to import the entry point. */
  readonly medianMs: number;
}

function measure(what: string, entry: string, kibibytes: number): Measured {
  const script = `const t = performance.now(); await import(${JSON.stringify(entry)}); process.stdout.write(String(performance.now() - t));`;
  const times = Array.from({ length: ROUNDS }, () =>
    Number(
      execFileSync(process.execPath, ['--input-type=module', '--eval', script], { env: ENVIRONMENT, encoding: 'utf8' }),
    ),
  ).sort((a, b) => a - b);
  return { what, kibibytes, medianMs: times[Math.floor(ROUNDS / 2)] ?? 0 };
}

const sizeOf = (folder: string): number =>
  readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0) / 1_024;

/** One file: what is imported on demand is loaded along. */
function naiveBundle(handlers: readonly string[], folder: string): string {
  const contents = [
    ...handlers.map((name) => `export * as ${name} from './functions/${name}/handler.ts';`),
    ...['issuers/acme/issuer', 'issuers/acm-pca/issuer', 'dns/route53/writer'].map(
      (client, index) => `export * as client${index} from './functions/${client}.ts';`,
    ),
  ].join('\n');
  buildSync({
    stdin: { contents, resolveDir: ROOT, loader: 'ts' },
    outfile: join(folder, 'index.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    minify: true,
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'error',
  });
  return folder;
}

const temporary = mkdtempSync(join(tmpdir(), 'everleaf-cold-load-'));
try {
  const handlers = readdirSync(join(ROOT, 'functions'), { recursive: true, encoding: 'utf8' })
    .flatMap((file) => /^(\w+)\/handler\.ts$/.exec(file)?.[1] ?? [])
    .sort();
  const naive = join(temporary, 'naive');
  mkdirSync(naive);
  naiveBundle(handlers, naive);
  const folders = [
    ...handlers.map((name) => [name, bundleFolder(name)] as const),
    ['everything in one', naive] as const,
  ];
  for (const [name, folder] of folders) {
    const { what, kibibytes, medianMs } = measure(name, join(folder, 'index.mjs'), sizeOf(folder));
    process.stdout.write(
      `${what.padEnd(20)} ${kibibytes.toFixed(0).padStart(6)} KiB ${medianMs.toFixed(0).padStart(5)} ms\n`,
    );
  }
} finally {
  rmSync(temporary, { recursive: true, force: true });
}

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildBundle } from '../lib/bundles.ts';

const ROOT = join(import.meta.dirname, '..');
const FILE = join(ROOT, 'docs', 'bundle-sizes.json');

/** A part may grow by so much before somebody has to look. */
const GROWTH = 1.05;
const GROWTH_BYTES = 2_048;

/** Our own code with acme-client, the SDK left out, minified. */
const OURS_AT_MOST = 500_000;

const PARTS: readonly (readonly [string, RegExp])[] = [
  ['everleaf', /^functions\//],
  ['acme-client', /node_modules\/acme-client\//],
  ['aws-sdk', /node_modules\/(?:@aws-sdk|@smithy|@aws-crypto|@aws)\//],
  ['powertools', /node_modules\/@aws-lambda-powertools\//],
  ['zod', /node_modules\/zod\//],
];

type Sizes = Readonly<Record<string, number>>;

/** Bytes of one function's bundle, by whose code it is. `atStart`: what a cold start loads. */
function sizesOf(name: string): Sizes {
  const { outputs } = buildBundle(name).metafile;
  const sizes: Record<string, number> = { atStart: bytesAtStart(outputs), total: 0 };
  for (const { bytes, inputs } of Object.values(outputs)) {
    sizes['total'] = (sizes['total'] ?? 0) + bytes;
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const part = PARTS.find(([, files]) => files.test(path))?.[0] ?? 'others';
      sizes[part] = (sizes[part] ?? 0) + bytesInOutput;
    }
  }
  return sizes;
}

type Outputs = ReturnType<typeof buildBundle>['metafile']['outputs'];

function bytesAtStart(outputs: Outputs): number {
  const seen = new Set<string>();
  const visit = (file: string): number => {
    const output = outputs[file];
    if (seen.has(file) || output === undefined) return 0;
    seen.add(file);
    const imports = output.imports.filter(({ kind, external }) => kind === 'import-statement' && external !== true);
    return output.bytes + imports.reduce((sum, { path }) => sum + visit(path), 0);
  };
  const entry = Object.keys(outputs).find((file) => file.endsWith('/index.mjs'));
  return visit(entry ?? '');
}

function measure(): Readonly<Record<string, Sizes>> {
  const functions = readdirSync(join(ROOT, 'functions'), { recursive: true, encoding: 'utf8' })
    .flatMap((file) => /^(\w+)\/handler\.ts$/.exec(file)?.[1] ?? [])
    .sort();
  return Object.fromEntries(functions.map((name) => [name, sizesOf(name)]));
}

/** What has grown by more than it may since it was recorded, and what is too large in any case; nothing: all is well. */
export function bundleSizeFaults(): string {
  const recorded = JSON.parse(readFileSync(FILE, 'utf8')) as Readonly<Record<string, Sizes>>;
  const faults = Object.entries(measure()).flatMap(([name, sizes]) => {
    const ours = (sizes['everleaf'] ?? 0) + (sizes['acme-client'] ?? 0);
    const grown = Object.entries(sizes).flatMap(([part, bytes]) => {
      const before = recorded[name]?.[part] ?? 0;
      const bound = before * GROWTH + GROWTH_BYTES;
      return bytes > bound ? [`${name}, ${part}: ${bytes} bytes, recorded ${before}`] : [];
    });
    return ours > OURS_AT_MOST ? [...grown, `${name}: ${ours} bytes of our own, at most ${OURS_AT_MOST}`] : grown;
  });
  const remedy = 'if it is meant: node tools/bundle-sizes.ts';
  return faults.length === 0 ? '' : [...faults, remedy].join('\n');
}

if (import.meta.main) writeFileSync(FILE, `${JSON.stringify(measure(), undefined, 2)}\n`);

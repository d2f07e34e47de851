import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { buildBundle } from '../lib/bundles.ts';
import { billOfMaterials } from './package/bill-of-materials.ts';
import { emit } from './package/emit.ts';
import { bundledPackages, referenceTo, thirdPartyLicences } from './package/licences.ts';

const ROOT = join(import.meta.dirname, '..');
/** Where it goes; the suites that install it have folders of their own. */
const DIST = resolve(process.argv[2] ?? join(ROOT, 'dist'));

/** Whoever deploys has these, and CDK allows one of each in an app. */
const PEERS: Readonly<Record<string, string>> = { 'aws-cdk-lib': '^2.276.0', constructs: '^10.8.1' };

/** Beside the code, as it is in the checkout. */
const FILES = ['README.md', 'LICENSE', 'CHANGELOG.md', 'SECURITY.md'];
const DOCS = [
  'acme.md',
  'api.md',
  'bundle-sizes.json',
  'construct.md',
  'deploy.md',
  'events.schema.json',
  'manifest.md',
  'runbook.md',
];

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** The package in `dist/`, for `npm pack ./dist`: JavaScript, types, ready-made bundles, what it stands on. */
function build(): void {
  rmSync(DIST, { recursive: true, force: true });
  const imported = emit(ROOT, DIST);
  const bundled = writeBundles();
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;
  writeFileSync(join(DIST, 'package.json'), `${JSON.stringify(published(manifest, imported), undefined, 2)}\n`);
  for (const file of FILES) cpSync(join(ROOT, file), join(DIST, file));
  for (const file of DOCS) cpSync(join(ROOT, 'docs', file), join(DIST, 'docs', file));
  chmodSync(join(DIST, 'bin', 'everleaf.js'), 0o755);
  const parts = {
    installed: new Set([...imported].filter((name) => !Object.hasOwn(PEERS, name))),
    bundled: new Set([...bundled].map((folder) => referenceTo(ROOT, folder))),
  };
  writeFileSync(join(DIST, 'sbom.cdx.json'), billOfMaterials(ROOT, parts));
  writeFileSync(join(DIST, 'THIRD-PARTY-LICENSES.txt'), thirdPartyLicences(ROOT, bundled));
}

/** Answers the folders of the packages that are in them. */
function writeBundles(): ReadonlySet<string> {
  const handlers = readdirSync(join(ROOT, 'functions')).filter((name) =>
    readdirSync(join(ROOT, 'functions'), { recursive: true, encoding: 'utf8' }).includes(join(name, 'handler.ts')),
  );
  const bundles = handlers.map((name) => ({ name, ...buildBundle(name) }));
  for (const { name, outputFiles } of bundles) {
    const folder = join(DIST, 'bundles', name);
    mkdirSync(folder, { recursive: true });
    for (const { path, contents } of outputFiles) writeFileSync(join(folder, basename(path)), contents);
  }
  return bundledPackages(bundles.map(({ metafile }) => metafile));
}

/** `private` stays: it keeps a stray `npm publish` from happening, and packing works all the same. */
function published(manifest: Manifest, imported: ReadonlySet<string>): object {
  const { name, version, description, license, type, private: isPrivate, engines } = manifest;
  const dependencies = Object.entries(manifest.dependencies).filter(
    ([dependency]) => imported.has(dependency) && !Object.hasOwn(PEERS, dependency),
  );
  const known = new Set([...Object.keys(PEERS), ...dependencies.map(([dependency]) => dependency)]);
  const unknown = [...imported].filter((each) => !known.has(each));
  if (unknown.length > 0) throw new Error(`imported, and no dependency in package.json: ${unknown.join(', ')}`);
  return {
    name,
    version,
    description,
    license,
    type,
    private: isPrivate,
    engines,
    bin: { everleaf: 'bin/everleaf.js' },
    exports: {
      '.': { types: './lib/index.d.ts', default: './lib/index.js' },
      './events.schema.json': './docs/events.schema.json',
      './package.json': './package.json',
    },
    peerDependencies: PEERS,
    dependencies: Object.fromEntries(dependencies),
  };
}

build();

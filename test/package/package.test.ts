import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type InstalledPackage, installPackage, outsideOfCheckout, succeed } from '../support/installed-package.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const APP = `import { App, Stack } from 'aws-cdk-lib';
import { Everleaf } from 'everleaf';

const stack = new Stack(new App(), 'Mine');
new Everleaf(stack, 'Everleaf', { manifest: 'certificates' });
`;

const temporary = realpathSync(mkdtempSync(join(tmpdir(), 'everleaf-package-')));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

let installed: InstalledPackage;
beforeAll(() => {
  installed = installPackage(temporary);
  cpSync(join(ROOT, 'certificates'), join(installed.folder, 'certificates'), { recursive: true });
});

const packed = (): readonly string[] =>
  readdirSync(join(installed.folder, 'node_modules', 'everleaf'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(installed.folder.length + 23));

const read = (file: string): string => readFileSync(join(installed.folder, 'node_modules', 'everleaf', file), 'utf8');

/** What a person runs who has the package, and the Node that was on this machine before. */
const run = (program: string, parameters: readonly string[]) =>
  spawnSync(program, parameters, { cwd: installed.folder, env: outsideOfCheckout(), encoding: 'utf8' });

describe('the tarball', () => {
  it('holds JavaScript, types, bundles and documents, and nothing of development', () => {
    const kinds = new Set(packed().map(kindOf));
    expect([...kinds].sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'THIRD-PARTY-LICENSES.txt',
      'bin/*.js',
      'bundles/*.mjs',
      'docs/*.json',
      'docs/*.md',
      'functions/*.d.ts',
      'functions/*.js',
      'lib/*.d.ts',
      'lib/*.js',
      'package.json',
      'sbom.cdx.json',
    ]);
  });

  it('names no path of the machine that built it', () => {
    const told = packed().filter((file) =>
      [ROOT, temporary, homedir() + '/'].some((path) => read(file).includes(path)),
    );
    expect(told).toEqual([]);
  });

  it('has a bundle for each function, ready to be deployed', () => {
    const folders = new Set(packed().flatMap((file) => /^bundles\/(\w+)\/index\.mjs$/.exec(file)?.[1] ?? []));
    const handlers = readdirSync(join(ROOT, 'functions'), { recursive: true, encoding: 'utf8' });
    const functions = handlers.flatMap((file) => /^(\w+)\/handler\.ts$/.exec(file)?.[1] ?? []);
    expect([...folders].sort()).toEqual(functions.sort());
  });

  it('stands on few packages, and on no build tool or client that only Lambda runs', () => {
    const { dependencies, peerDependencies } = JSON.parse(read('package.json')) as Record<string, object>;
    expect(Object.keys(peerDependencies ?? {})).toEqual(['aws-cdk-lib', 'constructs']);
    // `everleaf doctor` asks ACM PCA and Route 53 itself; deploying, and ordering by ACME, are the functions' alone.
    for (const name of ['esbuild', 'acme-client', '@aws-sdk/client-ecs', '@aws-sdk/client-eks', 'aws-cdk-lib'])
      expect(Object.keys(dependencies ?? {})).not.toContain(name);
  });

  it('lists what it is made of, bundled parts included, with their licences', () => {
    const { bomFormat, components } = JSON.parse(read('sbom.cdx.json')) as {
      readonly bomFormat: string;
      readonly components: readonly { readonly name: string }[];
    };
    const names = components.map(({ name }) => name);
    expect(bomFormat).toBe('CycloneDX');
    expect(names).toEqual(expect.arrayContaining(['zod', 'commander', 'acme-client', '@aws-sdk/client-acm-pca']));
    // A development tool, a peer, and what a bundle leaves out of what it holds.
    for (const name of ['vitest', 'aws-cdk-lib', 'axios']) expect(names).not.toContain(name);
    const licences = read('THIRD-PARTY-LICENSES.txt');
    expect(licences).toMatch(/^acme-client 5\.4\.0 \(MIT\)$/m);
    expect(licences).toContain('Apache License');
  });
});

/** A file by its folder and ending; those at the top by name. */
function kindOf(file: string): string {
  const [folder = '', ...rest] = file.split('/');
  if (rest.length === 0) return file;
  return `${folder}/*.${/\.(d\.ts|\w+)$/.exec(file)?.[1] ?? file}`;
}

describe("somebody's own app", () => {
  it('type-checks against the package, strictly, declarations included', () => {
    writeFileSync(join(installed.folder, 'app.ts'), APP);
    const options = { module: 'nodenext', target: 'es2023', strict: true, exactOptionalPropertyTypes: true, types: [] };
    writeFileSync(
      join(installed.folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: { ...options, skipLibCheck: true }, files: ['app.ts'] }),
    );
    const tsc = join(ROOT, 'node_modules', '.bin', 'tsc');
    expect(() => succeed(tsc, ['--project', '.'], { cwd: installed.folder })).not.toThrow();
    const wrong = APP.replace("'certificates'", '7');
    writeFileSync(join(installed.folder, 'wrong.ts'), wrong);
    const judged = run(tsc, [
      '--ignoreConfig',
      '--noEmit',
      '--skipLibCheck',
      '--module',
      'nodenext',
      '--strict',
      'wrong.ts',
    ]);
    expect(judged.stdout).toContain("Type 'number' is not assignable to type 'string'");
    rmSync(join(installed.folder, 'wrong.ts'));
  });

  it('is synthesized by the Node that was there before, without a build tool', () => {
    const outdir = join(temporary, 'assembly');
    const { status, stderr } = spawnSync('node', ['app.js'], {
      cwd: installed.folder,
      env: { ...outsideOfCheckout(), CDK_OUTDIR: outdir },
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, expect.not.stringContaining('Error')]);
    const template = JSON.parse(readFileSync(join(outdir, 'Mine.template.json'), 'utf8')) as {
      readonly Resources: Readonly<Record<string, { readonly Type: string }>>;
    };
    const functions = Object.values(template.Resources).filter(({ Type }) => Type === 'AWS::Lambda::Function');
    expect(functions.length).toBeGreaterThan(2);
    const bundles = readdirSync(outdir, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('index.mjs'),
    );
    expect(bundles).toHaveLength(functions.length);
  });
});

describe('the command', () => {
  const everleaf = (...parameters: readonly string[]) => run(join('node_modules', '.bin', 'everleaf'), parameters);

  it('is there, and says its version', () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly version: string };
    expect(everleaf('--version')).toMatchObject({ status: 0, stdout: `${version}\n` });
  });

  it('validates and plans manifests', () => {
    expect(everleaf('validate', 'certificates')).toMatchObject({ status: 0 });
    const planned = everleaf('plan', 'certificates', '--json');
    expect(planned).toMatchObject({ status: 0, stderr: '' });
    expect((JSON.parse(planned.stdout) as { readonly changes: readonly object[] }).changes).toHaveLength(9);
  });

  it('says where the twin is, which it does not bring', () => {
    const { status, stderr } = everleaf('twin');
    expect([status, stderr]).toEqual([2, expect.stringContaining('The twin is not part of the package')]);
  });
});

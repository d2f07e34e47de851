import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readManifestFolder } from '../../lib/manifest-folder.ts';

describe('a folder of manifests', () => {
  let base: string;
  let folder: string;

  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'everleaf-'));
    folder = join(base, 'certificates');
    mkdirSync(folder);
  });

  afterEach(() => rmSync(base, { recursive: true, force: true }));

  const put = (path: string, content: string | Uint8Array = path): void => {
    mkdirSync(dirname(join(base, path)), { recursive: true });
    writeFileSync(join(base, path), content);
  };

  /** Contents of the files read, and what is said of the others. */
  const read = () => {
    const { files, findings } = readManifestFolder(folder);
    return {
      files: files.map(({ path }) => path.slice(folder.length + 1)),
      findings: findings.map(({ code, file }) => `${code} ${file.slice(folder.length + 1)}`),
    };
  };

  it('is read with all beneath it, in one order, manifests only', () => {
    for (const name of ['b.yml', 'a.yaml', 'sub/deep/c.json', 'Z.YAML', 'README.md', 'x.yaml.bak'])
      put(`certificates/${name}`);
    expect(read()).toEqual({ files: ['Z.YAML', 'a.yaml', 'b.yml', 'sub/deep/c.json'], findings: [] });
  });

  it('may be a single file', () => {
    put('certificates/a.yaml', 'text');
    const path = join(folder, 'a.yaml');
    expect(readManifestFolder(path)).toEqual({ files: [{ path, text: 'text' }], findings: [] });
  });

  it('leaves hidden files and installed packages alone', () => {
    for (const name of ['.github/a.yaml', '.hidden.yaml', 'node_modules/p/a.json']) put(`certificates/${name}`);
    expect(read()).toEqual({ files: [], findings: [] });
  });

  it('does not follow a link that leads out of it', () => {
    put('outside.yaml');
    put('elsewhere/a.yaml');
    symlinkSync('../outside.yaml', join(folder, 'a.yaml'));
    symlinkSync('../elsewhere', join(folder, 'sub'));
    expect(read()).toEqual({ files: [], findings: ['LinkLeadsOutside a.yaml'] });
  });

  it('reads a mounted ConfigMap, whose files are links, once', () => {
    put('certificates/..2026_11_23/a.yaml');
    symlinkSync('..2026_11_23', join(folder, '..data'));
    symlinkSync('..data/a.yaml', join(folder, 'a.yaml'));
    expect(read()).toEqual({ files: ['a.yaml'], findings: [] });
  });

  it('does not go round in circles', () => {
    put('certificates/a.yaml');
    symlinkSync('.', join(folder, 'loop'));
    symlinkSync('b.yaml', join(folder, 'b.yaml'));
    expect(read()).toEqual({ files: ['a.yaml'], findings: ['Unreadable b.yaml'] });
  });

  it('says which file is no UTF-8 and reads the others', () => {
    put('certificates/a.yaml', Uint8Array.of(0x61, 0xe9));
    put('certificates/b.yaml');
    expect(read()).toEqual({ files: ['b.yaml'], findings: ['NotUtf8 a.yaml'] });
  });

  it('says which file is too large without reading it', () => {
    put('certificates/a.yaml', 'x'.repeat(1024 * 1024 + 1));
    expect(read()).toEqual({ files: [], findings: ['FileTooLarge a.yaml'] });
  });

  it('says which file is none', () => {
    mkdirSync(join(folder, 'a.yaml'));
    symlinkSync('nothing', join(folder, 'b.yaml'));
    expect(read()).toEqual({ files: [], findings: ['Unreadable b.yaml'] });
  });

  it('that is missing is a mistake that names the full path', () => {
    expect(() => readManifestFolder(join(base, 'nowhere'))).toThrow(
      expect.objectContaining({
        code: 'ManifestFolderMissing',
        message: expect.stringContaining(join(base, 'nowhere')),
      }),
    );
  });
});

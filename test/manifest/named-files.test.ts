import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { validate } from '../../bin/commands/validate.ts';
import { ISSUERS as KINDS } from '../../functions/catalogue.ts';
import type { AcmeOptions } from '../../functions/issuers/acme/options.ts';
import { loadManifest } from '../../lib/manifest-folder.ts';
import { NOON } from '../support/builders.ts';
import { Sink } from '../support/sink.ts';
import { newKey, signLink } from '../support/test-ca.ts';
import { ROOT } from './evidence-acme.ts';
import { ACME_ISSUER } from './support.ts';

const KEYS = await newKey();
const LEAF = await signLink({ name: 'leaf', keys: KEYS, isCa: false, notBefore: NOON, notAfter: NOON + 1_000 });
const OTHER_ROOT = await signLink({ name: 'root', keys: KEYS, notBefore: NOON, notAfter: NOON + 1_000 });
const KEY = '-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n';

const issuer = (anchors: string): string =>
  ACME_ISSUER.replace(
    'name: letsencrypt',
    `name: letsencrypt\n  annotations: { everleaf.dev/trust-anchors: "${anchors}" }`,
  );

describe('the files that an issuer names', () => {
  let base: string;
  let folder: string;

  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'everleaf-'));
    folder = join(base, 'certificates');
  });

  afterEach(() => rmSync(base, { recursive: true, force: true }));

  const put = (path: string, content: string | Uint8Array): void => {
    mkdirSync(dirname(join(base, path)), { recursive: true });
    writeFileSync(join(base, path), content);
  };

  /** What the one issuer's chains have to end at, and what is said, with paths as seen from the folder. */
  const load = (path = folder) => {
    const { manifest, findings } = loadManifest(path, KINDS);
    const options = manifest.issuers[0]?.options as AcmeOptions | undefined;
    return {
      anchors: options?.trustAnchors,
      findings: findings.map(
        ({ line, column, code, message }) => `${line}:${column} ${code} ${message.replaceAll(`${base}/`, '')}`,
      ),
    };
  };

  it('are read beside it, and each certificate is taken once', () => {
    put('certificates/public/ca/issuer.yaml', issuer('roots.pem, ../more.crt'));
    put('certificates/public/ca/roots.pem', `# ours\n${ROOT}${ROOT}`);
    put('certificates/public/more.crt', `${OTHER_ROOT}\n${ROOT}`);
    expect(load()).toEqual({ anchors: [ROOT, expect.stringContaining('BEGIN CERTIFICATE')], findings: [] });
  });

  it('are found beside a single file, too', () => {
    put('certificates/issuer.yaml', issuer('roots.pem'));
    put('certificates/roots.pem', ROOT);
    expect(load(join(folder, 'issuer.yaml'))).toEqual({ anchors: [ROOT], findings: [] });
  });

  it('are read as they are named, and nothing beside them is', () => {
    put('certificates/issuer.yaml', issuer('roots.pem'));
    put('certificates/roots.pem', ROOT);
    put('certificates/binary.crt', Uint8Array.of(0x30, 0x82, 0xff));
    put('certificates/key.pem', KEY);
    expect(load()).toEqual({ anchors: [ROOT], findings: [] });
  });

  it.each([
    ['one that is not there', 'no.pem', 'MissingFile There is no file `certificates/no.pem`.'],
    ['the way out of the folder', '../outside.pem', 'MissingFile `outside.pem` is not in the folder of the manifests.'],
    [
      'a link out of the folder',
      'link.pem',
      'MissingFile `certificates/link.pem` is not in the folder of the manifests.',
    ],
    ['a folder', 'folder.pem', 'MissingFile `certificates/folder.pem`: This is not a file.'],
    ['a manifest', 'issuer.yaml', 'MissingFile `certificates/issuer.yaml` is not read.'],
    ['DER', 'binary.crt', 'MissingFile `certificates/binary.crt`: The file is not UTF-8.'],
    [
      'one that is too large',
      'large.pem',
      'MissingFile `certificates/large.pem`: The file has 1,048,577 bytes; 1,048,576 is the most that is read.',
    ],
    ['one without certificates', 'empty.pem', 'InvalidBundle `empty.pem` holds no certificate.'],
    [
      "one with a certificate that is no CA's",
      'leaf.pem',
      "InvalidBundle `leaf.pem` holds a certificate that is no CA's (certificate 2).",
    ],
    ['one with a private key', 'key.pem', 'InvalidBundle `key.pem` holds a private key.'],
  ])('are refused, each for its own reason: %s', (_, name, finding) => {
    put('certificates/issuer.yaml', issuer(name));
    put('outside.pem', ROOT);
    symlinkSync('../outside.pem', join(folder, 'link.pem'));
    mkdirSync(join(folder, 'folder.pem'));
    put('certificates/binary.crt', Uint8Array.of(0x30, 0x82, 0xff));
    put('certificates/large.pem', 'x'.repeat(1024 * 1024 + 1));
    put('certificates/empty.pem', 'none\n');
    put('certificates/leaf.pem', `${ROOT}${LEAF}\n`);
    put('certificates/key.pem', `${ROOT}${KEY}`);
    expect(load()).toEqual({ anchors: undefined, findings: [`5:46 ${finding}`] });
    expect(JSON.stringify(load())).not.toContain('canary');
  });

  it('with an absolute path are refused', () => {
    put('certificates/roots.pem', ROOT);
    put('certificates/issuer.yaml', issuer(join(folder, 'roots.pem')));
    expect(load().findings[0]).toContain('is not in the folder of the manifests.');
  });

  it('are not to be had beside what is piped in', async () => {
    const stdout = new Sink();
    const stdin = Readable.from([Buffer.from(issuer('roots.pem'))]);
    expect(await validate('-', { format: 'text' }, { stdout, stderr: new Sink(), stdin })).toBe(1);
    expect(stdout.text).toContain(
      'stdin:5:46 error MissingFile `roots.pem` cannot be read: beside stdin there are no files.',
    );
  });
});

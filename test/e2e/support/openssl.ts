import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { splitCertificates } from '../../../functions/core/x509/pem.ts';
import { outcomeOf } from '../host/programs.ts';

/** What consumers read. */
export interface Bundle {
  readonly 'tls.crt': string;
  readonly 'tls.key': string;
  readonly 'ca.crt': string;
  readonly everleaf: { readonly generation: number };
}

export interface Verified {
  /** What `openssl verify` said. */
  readonly verdict: string;
  readonly subjectAltName: string;
  readonly keyFits: boolean;
}

/**
 * Judges a bundle by `anchors` (PEM), with a program that knows nothing of us. The key goes through a pipe and never to the disk.
 */
export async function verifyWithOpenssl(bundle: Bundle, anchors: string): Promise<Verified> {
  const folder = mkdtempSync(join(tmpdir(), 'everleaf-openssl-'));
  try {
    const [leaf = '', ...intermediates] = splitCertificates(bundle['tls.crt']);
    const files = { leaf, intermediates: intermediates.join(''), anchors };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const path = (name: keyof typeof files): string => join(folder, name);
    const verdict = await openssl([
      'verify',
      '-CAfile',
      path('anchors'),
      '-untrusted',
      path('intermediates'),
      path('leaf'),
    ]);
    const subjectAltName = await openssl(['x509', '-in', path('leaf'), '-noout', '-ext', 'subjectAltName']);
    const certified = await openssl(['x509', '-in', path('leaf'), '-noout', '-pubkey']);
    const ours = await openssl(['pkey', '-pubout'], bundle['tls.key']);
    return { verdict: verdict.replace(`${folder}/`, '').trim(), subjectAltName, keyFits: certified === ours };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function openssl(parameters: readonly string[], input?: string): Promise<string> {
  const child = spawn('openssl', parameters, { stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] });
  // A program that ends without reading says why in what it prints.
  child.stdin?.once('error', () => undefined);
  child.stdin?.end(input);
  return (await outcomeOf(child)).output;
}

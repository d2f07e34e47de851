import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRehearsal, type Rehearsal } from '../../bin/twin/rehearsal.ts';
import { loadManifestOrThrow } from '../../lib/load-manifest.ts';
import { SAMPLES } from '../support/synthesis.ts';

const SECRETS = [
  ['Everleaf/wiki-tls', 'sslserver'],
  ['Everleaf/shop-tls', 'sslserver'],
  ['Everleaf/metrics-tls', 'sslserver'],
  ['Everleaf/payments/orders-tls', 'sslclient'],
  ['Everleaf/payments/checkout-tls', 'sslserver'],
  ['Everleaf/payments/ledger-writer-tls', 'sslclient'],
  ['Everleaf/site-tls', 'sslserver'],
  ['Everleaf/api-tls', 'sslserver'],
  ['Everleaf/docs-tls', 'sslserver'],
] as const;

const openssl = (...options: readonly string[]): string => execFileSync('openssl', [...options], { encoding: 'utf8' });

/** OpenSSL's command, which knows nothing of us, judges what the pipeline stored. */
describe('openssl', () => {
  const folder = mkdtempSync(join(tmpdir(), 'everleaf-openssl-'));
  const file = (name: string, text = ''): string => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  let rehearsal: Rehearsal;
  let secrets: SecretsManagerClient;

  beforeAll(async () => {
    const { manifest } = loadManifestOrThrow(SAMPLES);
    rehearsal = await startRehearsal({ folder: SAMPLES, manifest }, { say: () => {}, follow: () => {} });
    secrets = new SecretsManagerClient({ ...rehearsal });
    await rehearsal.tick();
  });
  afterAll(async () => {
    secrets.destroy();
    await rehearsal.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(SECRETS)('verifies the chain in %s for %s, and that the key is its own', async (SecretId, purpose) => {
    const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId }));
    const bundle = JSON.parse(SecretString ?? '{}') as Record<string, string>;
    const chain = file('chain.pem', bundle['tls.crt']);
    // Clients bring the root of an ACME CA themselves.
    const anchors = file('ca.pem', bundle['ca.crt'] === '' ? rehearsal.acmeRoots.join('\n') : bundle['ca.crt']);
    const at = String(Math.floor(rehearsal.now() / 1_000));
    const verdict = openssl(
      'verify',
      '-x509_strict',
      '-attime',
      at,
      '-purpose',
      purpose,
      '-CAfile',
      anchors,
      '-untrusted',
      chain,
      chain,
    );
    expect(verdict).toContain(': OK');
    const ofCertificate = openssl('x509', '-in', chain, '-noout', '-pubkey');
    expect(openssl('pkey', '-in', file('key.pem', bundle['tls.key']), '-pubout')).toBe(ofCertificate);
  });
});

import { describe, expect, it, onTestFinished } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { twin } from '../../bin/commands/twin.ts';
import { ISSUERS } from '../../functions/catalogue.ts';
import { CERTIFICATE_FIELDS } from '../../functions/core/manifest/certificate-fields.ts';
import type { Field } from '../../functions/core/manifest/fields.ts';
import { ACM_PCA_FIELDS } from '../../functions/issuers/acm-pca/fields.ts';
import { loadManifest, readManifestFolder } from '../../lib/manifest-folder.ts';
import { certificateYaml, deployOnTwin, manifestOf } from '../support/deployment.ts';
import { Sink } from '../support/sink.ts';
import { pathsIn } from './paths-in.ts';

const FOLDER = 'examples/every-field';

describe('the folder with every field', () => {
  it.each([
    ['Certificate', 'Certificate', CERTIFICATE_FIELDS],
    ['issuers of AWS Private CA', 'AWSPCA', ACM_PCA_FIELDS],
  ] as const)('has all of %s that is honoured or warned about', (_, kind, rows: readonly Field[]) => {
    const documents = readManifestFolder(FOLDER).files.flatMap(({ text }) =>
      parseAllDocuments(text).map((document) => document.toJS() as { kind: string }),
    );
    const found = new Set(documents.filter((document) => document.kind.startsWith(kind)).flatMap((d) => pathsIn(d)));
    const wanted = rows.filter(({ verdict }) => verdict === 'honoured' || verdict === 'warned').map(({ path }) => path);
    expect(wanted.filter((path) => !found.has(path))).toEqual([]);
  });

  it('has a warning for each field without effect, and no error', () => {
    const { findings } = loadManifest(FOLDER, ISSUERS);
    const rows: readonly Field[] = CERTIFICATE_FIELDS;
    expect(findings.map(({ severity }) => severity)).toEqual(
      rows.filter(({ verdict }) => verdict === 'warned').map(() => 'warning'),
    );
  });

  it('runs on the twin without a fault', async () => {
    const [stdout, stderr] = [new Sink(), new Sink()];
    const options = { manifest: FOLDER, keep: false, json: true, signal: new AbortController().signal };
    expect(await twin(options, { stdout, stderr }), stderr.text).toBe(0);
    expect(JSON.parse(stdout.text)).toMatchObject({
      issuedAtFirst: 2,
      renewedByTime: ['payments/orders'],
      proof: { chainsVerified: 2, callsDenied: 0, privateKeysOutsideTheStore: 0, faults: [] },
    });
  });
});

it('further forms of the key are in the secret when they are asked for, and leave it when they are not', async () => {
  const withForms = '  additionalOutputFormats: [{ type: CombinedPEM }, { type: DER }]\n';
  const deployment = await deployOnTwin({ manifest: manifestOf(certificateYaml('orders')) });
  onTestFinished(() => deployment.close());
  const fields = async (): Promise<string[]> => {
    await deployment.tick();
    return Object.keys(await deployment.bundle('orders'));
  };
  const plain = ['tls.crt', 'tls.key', 'ca.crt', 'everleaf'];
  expect(await fields()).toEqual(plain);
  await deployment.deploy(manifestOf(certificateYaml('orders', withForms)));
  expect(await fields()).toEqual([...plain.slice(0, 3), 'tls-combined.pem', 'key.der', 'everleaf']);
  expect((await deployment.record('orders')).generation).toBe(2);
  await deployment.deploy(manifestOf(certificateYaml('orders')));
  expect(await fields()).toEqual(plain);
  expect(deployment.twin.keyWatch.findings).toEqual([]);
});

import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { twin } from '../../bin/commands/twin.ts';
import { ISSUERS } from '../../functions/catalogue.ts';
import type { Field } from '../../functions/core/manifest/fields.ts';
import type { AcmeOptions } from '../../functions/issuers/acme/options.ts';
import { selectSolver } from '../../functions/issuers/acme/select-solver.ts';
import { loadManifest, readManifestFolder } from '../../lib/manifest-folder.ts';
import { ISSUER_FIELDS } from '../../tools/manifest-fields.ts';
import { Sink } from '../support/sink.ts';
import { pathsIn } from './paths-in.ts';

const FOLDER = 'examples/acme';

describe('the folder with ACME', () => {
  const rows: readonly Field[] = ISSUER_FIELDS;

  it('has every field of an Issuer that is honoured or warned about', () => {
    const issuers = readManifestFolder(FOLDER)
      .files.flatMap(({ text }) => parseAllDocuments(text).map((document) => document.toJS() as { kind: string }))
      .filter(({ kind }) => kind !== 'Certificate');
    const found = new Set(issuers.flatMap((issuer) => pathsIn(issuer)));
    const wanted = rows.filter(({ verdict }) => verdict === 'honoured' || verdict === 'warned').map(({ path }) => path);
    expect(wanted.filter((path) => !found.has(path))).toEqual([]);
  });

  it('has a warning for each field without effect, and no error', () => {
    const { findings, manifest } = loadManifest(FOLDER, ISSUERS);
    expect(findings.map(({ severity }) => severity)).toEqual(
      rows.filter(({ verdict }) => verdict === 'warned').map(() => 'warning'),
    );
    expect(manifest.certificates).toHaveLength(2);
    expect(manifest.issuers).toHaveLength(2);
  });

  it('has names for each of its solvers', () => {
    const { manifest } = loadManifest(FOLDER, ISSUERS);
    const options = manifest.issuers.find(({ ref }) => ref.kind === 'Issuer')?.options as AcmeOptions | undefined;
    const solvers = options?.solvers ?? [];
    const shop = manifest.certificates.find(({ id }) => id === 'shop/shop');
    const chosen = shop?.dnsNames.map((name) => selectSolver(solvers, name, shop.labels));
    expect(chosen?.map((solver) => solver && solvers.indexOf(solver))).toEqual([0, 1, 1]);
  });

  it('runs on the twin without a fault: accounts bound and brought along, a zone by a role, anchors, dates, a CNAME', async () => {
    const [stdout, stderr] = [new Sink(), new Sink()];
    const options = { manifest: FOLDER, keep: false, json: true, signal: new AbortController().signal };
    expect(await twin(options, { stdout, stderr }), stderr.text).toBe(0);
    expect(JSON.parse(stdout.text)).toMatchObject({
      issuedAtFirst: 2,
      renewedByTime: ['shop/shop'],
      proof: { chainsVerified: 2, callsDenied: 0, privateKeysOutsideTheStore: 0, faults: [] },
    });
  });
});

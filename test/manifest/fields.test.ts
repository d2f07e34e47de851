import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { AWSPCAClusterIssuer, AWSPCAIssuer } from '@kubernetes-models/cert-manager/awspca.cert-manager.io/v1beta1';
import { Certificate, ClusterIssuer, Issuer } from '@kubernetes-models/cert-manager/cert-manager.io/v1';
import { describe, expect, it } from 'vitest';
import { CERTIFICATE_FIELDS } from '../../functions/core/manifest/certificate-fields.ts';
import type { Field } from '../../functions/core/manifest/fields.ts';
import { specDigest } from '../../functions/core/spec-change.ts';
import { ACM_PCA_FIELDS } from '../../functions/issuers/acm-pca/fields.ts';
import { ISSUER_FIELDS, MANIFEST_PAGE, withTables } from '../../tools/manifest-fields.ts';
import { fieldsOf } from './crd-fields.ts';
import { DECLINED, HONOURED, HONOURED_ISSUER, ISSUER } from './evidence.ts';
import { DECLINED_ACME, HONOURED_ACME, readAcme } from './evidence-acme.ts';
import { bundleOf, consequenceOf, OBSERVERS, type Observed, readOne } from './observations.ts';
import { ACME_ISSUER, CERTIFICATE, parse } from './support.ts';

/** In cert-manager's sources, and not in the definitions that are pinned here; or an annotation, which no definition names. */
const NOT_IN_THE_DEFINITION = new Set([
  'spec.renewal',
  'spec.acme.solvers[].waitInsteadOfSelfCheck',
  'metadata.annotations.cert-manager.io/issue-temporary-certificate',
  'metadata.annotations.everleaf.dev/trust-anchors',
  'metadata.annotations.everleaf.dev/acme-hosts',
  'metadata.annotations.everleaf.dev/order-limit',
]);

/** What stands for a value: its own row if it is honoured, else the longest path that it is beneath. */
const rowFor = (rows: readonly Field[], path: string): Field | undefined =>
  rows
    .filter((row) => row.path === path || (row.verdict !== 'honoured' && path.startsWith(`${row.path}.`)))
    .concat(rows.filter((row) => row.verdict !== 'honoured' && path.startsWith(`${row.path}[].`)))
    .toSorted((a, b) => b.path.length - a.path.length)[0];

describe.each([
  ['Certificate', Certificate, CERTIFICATE_FIELDS],
  ['AWSPCAIssuer', AWSPCAIssuer, ACM_PCA_FIELDS],
  ['AWSPCAClusterIssuer', AWSPCAClusterIssuer, ACM_PCA_FIELDS],
  ['Issuer', Issuer, ISSUER_FIELDS],
  ['ClusterIssuer', ClusterIssuer, ISSUER_FIELDS],
] as const)('the fields of %s', (_, definition, rows: readonly Field[]) => {
  // These two say what a document is.
  const known = fieldsOf(definition).filter((path) => path !== 'apiVersion' && path !== 'kind');

  it('have a verdict each, as their own definition names them', () => {
    expect(known.length).toBeGreaterThan(30);
    expect(known.filter((path) => rowFor(rows, path) === undefined)).toEqual([]);
  });

  it('are all in the definition: no row is about something that is gone', () => {
    const used = new Set(known.map((path) => rowFor(rows, path)));
    const idle = rows.filter((row) => !used.has(row)).map(({ path }) => path);
    expect(idle.filter((path) => !NOT_IN_THE_DEFINITION.has(path))).toEqual([]);
  });
});

it('a definition is read whole: values in lists and mappings in them as well', () => {
  expect(fieldsOf(Certificate)).toEqual(
    expect.arrayContaining(['spec.dnsNames', 'spec.otherNames[].oid', 'spec.keystores.jks.passwordSecretRef.key']),
  );
});

it('docs/manifest.md has the tables of the code (mend with: node tools/manifest-fields.ts)', () => {
  const page = readFileSync(MANIFEST_PAGE, 'utf8');
  expect(page).toBe(withTables(page));
});

describe('an honoured field shows', () => {
  it.each(Object.entries(HONOURED))('%s', async (_, { text, shows = {}, codes = [], deploy }) => {
    const [without, given] = [readOne(CERTIFICATE), readOne(text)];
    expect(given.codes).toEqual(codes);
    expect(without.codes).toEqual([]);
    expect(codes.length + Object.keys(shows).length, 'nothing shown').toBeGreaterThan(0);
    for (const [name, value] of Object.entries(shows)) {
      const observe = OBSERVERS[name as Observed];
      if (without.spec === undefined || given.spec === undefined) throw new Error('not accepted');
      expect(await observe(given.spec)).toEqual(value);
      expect(await observe(without.spec), 'shows without it, too').not.toEqual(value);
    }
    if (deploy !== undefined) expect(given.spec && consequenceOf(given.spec)).toBe(deploy);
  });
});

it.each(Object.entries(HONOURED_ISSUER))('an honoured field of AWSPCAIssuer shows: %s', (_, { text, becomes }) => {
  const issuerIn = (document: string): unknown => parse('', { path: 'b.yaml', text: document }).manifest.issuers.at(-1);
  expect(issuerIn(text)).toMatchObject(becomes);
  expect(issuerIn(ISSUER)).not.toMatchObject(becomes);
});

describe('of an Issuer', () => {
  it.each(Object.entries(HONOURED_ACME))('an honoured field shows: %s', (_, { text, becomes = {}, codes = [] }) => {
    const [without, given] = [readAcme(ACME_ISSUER), readAcme(text)];
    expect(given.codes).toEqual(codes);
    expect(without.codes).toEqual([]);
    expect(codes.length + Object.keys(becomes).length, 'nothing shown').toBeGreaterThan(0);
    expect(given.issuer ?? {}).toMatchObject(becomes);
    if (codes.length === 0) expect(without.issuer, 'shows without it, too').not.toMatchObject(becomes);
  });

  it.each(Object.entries(DECLINED_ACME))('a declined field is named: %s', (path, text) => {
    const rows: readonly Field[] = ISSUER_FIELDS;
    const isRefused = rows.find((candidate) => candidate.path === path)?.verdict === 'refused';
    const { codes, issuer, lines } = readAcme(text);
    expect(codes).toHaveLength(1);
    expect(lines[0]).toContain(path.slice(path.lastIndexOf('.') + 1));
    expect(issuer === undefined).toBe(isRefused);
  });
});

describe('a declined field is named', () => {
  const rows: readonly Field[] = CERTIFICATE_FIELDS;

  it.each(Object.entries(DECLINED))('%s', (path, text) => {
    const row = rows.find((candidate) => candidate.path === path);
    const { findings, manifest } = parse(text);
    const field = path.slice(path.lastIndexOf('.') + 1);
    expect(findings).toHaveLength(1);
    expect(findings[0]?.severity).toBe(row?.verdict === 'refused' ? 'error' : 'warning');
    // A person finds the field in the line that is named.
    expect(text.split('\n')[(findings[0]?.line ?? 0) - 1]).toContain(field);
    expect(manifest.certificates).toHaveLength(row?.verdict === 'refused' ? 0 : 1);
  });
});

describe('the further forms of a key', () => {
  const spec = readOne(HONOURED['spec.additionalOutputFormats[].type'].text).spec;
  const bundle = (spec === undefined ? {} : JSON.parse(bundleOf(spec))) as Record<string, string>;

  it('hold the same key and chain, as cert-manager writes them', () => {
    expect(bundle['tls-combined.pem']).toBe(`${bundle['tls.key']}\n${bundle['tls.crt']}`);
    const der = createPrivateKey({
      key: Buffer.from(bundle['key.der'] ?? '', 'base64'),
      format: 'der',
      type: 'pkcs8',
    });
    expect(der.equals(createPrivateKey(bundle['tls.key'] ?? ''))).toBe(true);
  });

  it('asked for in another order are the same wish', () => {
    const digests = ['DER }, { type: CombinedPEM', 'CombinedPEM }, { type: DER'].map((types) => {
      const { spec } = readOne(`${CERTIFICATE}  additionalOutputFormats: [{ type: ${types} }]\n`);
      return spec && specDigest(spec);
    });
    expect(digests[0]).toBeDefined();
    expect(digests[0]).toBe(digests[1]);
  });
});

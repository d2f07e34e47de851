import { describe, expect, it } from 'vitest';
import { ISSUERS as KINDS } from '../../functions/catalogue.ts';
import { type IssuerKind, parseManifest } from '../../functions/core/manifest/index.ts';
import type { IssuerDocument } from '../../functions/core/ports.ts';
import { ACME_ISSUER, parse, places } from './support.ts';

const BUILT =
  'AWSPCAIssuer, AWSPCAClusterIssuer (awspca.cert-manager.io); Issuer, ClusterIssuer with `acme` (cert-manager.io).';

const issuer = (...lines: string[]): string =>
  `apiVersion: cert-manager.io/v1\nkind: Issuer\nmetadata: { name: a }\n${lines.map((line) => `${line}\n`).join('')}`;

describe('an Issuer of cert-manager', () => {
  it.each([
    ['without spec', [], '1:1 error MissingField', `Add one. Issuers that are built: ${BUILT}`],
    ['without a type', ['spec: {}'], '4:1 error MissingField', `Add one. Issuers that are built: ${BUILT}`],
    ['whose spec is a list', ['spec: [acme]'], '4:1 error MissingField', `Add one. Issuers that are built: ${BUILT}`],
    ['whose spec is text', ['spec: acme'], '4:1 error MissingField', `Add one. Issuers that are built: ${BUILT}`],
    [
      'of a type without contents',
      ['spec: { acme: }'],
      '4:1 error MissingField',
      `Add one. Issuers that are built: ${BUILT}`,
    ],
    ['of a type that is misspelt', ['spec: { ACME: {} }'], '4:9 error UnknownField', 'Did you mean `acme`?'],
    [
      'of a type that is not built',
      ['spec: { selfSigned: {} }'],
      '4:9 error KindNotBuilt',
      `Issuers that are: ${BUILT}`,
    ],
    ['of two types', ['spec: { vault: {}, acme: {} }'], '4:9 error Exclusive', 'Make two issuers of it.'],
  ])('%s is told what to do', (_, lines, finding, remedy) => {
    const parsed = parse(issuer(...lines));
    expect(places(parsed)).toEqual([finding]);
    expect(parsed.findings[0]?.remedy).toBe(remedy);
    expect(parsed.declared.issuers).toBe(3);
    expect(parsed.manifest.issuers).toHaveLength(2);
  });

  it.each([
    ['ca', 'Issuers over a CA in a Secret are not built yet.'],
    ['selfSigned', 'Self-signed issuers are not built yet.'],
    ['vault', 'Vault issuers are not built yet.'],
    ['venafi', 'Venafi issuers are not built yet.'],
  ])('with %s is named', (field, message) => {
    expect(parse(issuer(`spec: { ${field}: { a: b } }`)).findings[0]?.message).toBe(message);
  });

  it('may have another type left empty beside its own, with a warning', () => {
    const parsed = parse(`${ACME_ISSUER}  ca:\n`);
    expect(places(parsed)).toEqual(['10:3 warning EmptyField']);
    expect(parsed.manifest.issuers).toHaveLength(3);
  });
});

describe('an issuer plug-in', () => {
  const seen: IssuerDocument[] = [];
  const remarking: IssuerKind = {
    kind: 'remarking',
    documents: [
      { group: 'example.org', version: 'v1', kind: 'Here', scope: 'Namespaced' },
      { group: 'example.org', version: 'v1', kind: 'Anywhere', scope: 'Cluster' },
    ],
    parse: (document) => {
      seen.push(document);
      const remark = { path: ['spec', 'colour'], message: 'Red is out.', remedy: 'Write blue.' };
      return { ok: true, options: {}, remarks: [remark] };
    },
    objections: () => [],
  };
  const text = (kind: string): string =>
    `apiVersion: example.org/v1\nkind: ${kind}\nmetadata: { name: a, annotations: { b: c } }\nspec: { colour: red }\n`;

  it('remarks on what keeps nothing from being deployed', () => {
    const parsed = parseManifest([{ path: 'a.yaml', text: text('Here') }], [remarking]);
    expect(places(parsed)).toEqual(['4:17 warning IssuerRemark']);
    expect(parsed.manifest.issuers).toHaveLength(1);
  });

  it('is handed the document: its annotations, and its namespace where its kind has one', () => {
    seen.length = 0;
    const files = ['Here', 'Anywhere'].map((kind) => ({ path: `${kind}.yaml`, text: text(kind) }));
    parseManifest(files, [remarking]);
    expect(seen).toMatchObject([
      { spec: { colour: 'red' }, namespace: undefined, annotations: { b: 'c' } },
      { spec: { colour: 'red' }, namespace: 'default', annotations: { b: 'c' } },
    ]);
  });

  it('of one type of a kind leaves the other types of it alone', () => {
    const other: IssuerKind = {
      ...remarking,
      kind: 'other',
      documents: [{ group: 'cert-manager.io', version: 'v1', kind: 'Issuer', scope: 'Namespaced', field: 'ca' }],
    };
    const files = [
      { path: 'a.yaml', text: ACME_ISSUER },
      { path: 'b.yaml', text: issuer('spec: { ca: {} }') },
    ];
    const { manifest } = parseManifest(files, [...KINDS, other]);
    expect(manifest.issuers.map(({ plugin }) => plugin)).toEqual(['other', 'acme']);
  });
});

import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { renderFinding } from '../../functions/core/manifest/index.ts';
import { CERTIFICATE, parse, places } from './support.ts';

describe('YAML', () => {
  test.each([
    ['an empty file', '', []],
    ['only comments', '# nothing yet\n', []],
    ['separators with nothing between them', '---\n---\n# still nothing\n---\n', []],
    ['a byte order mark', `\uFEFF${CERTIFICATE}`, []],
    ['Windows line ends', CERTIFICATE.replaceAll('\n', '\r\n'), []],
    ['an anchor and its alias', `${CERTIFICATE}  commonName: &n orders\n  subject: { organizations: [*n] }\n`, []],
    ['a merge key', `${CERTIFICATE}  privateKey: { <<: { algorithm: ECDSA }, size: 384 }\n`, []],
    ['a list', '- a\n', ['1:1 error NotAnObject']],
    ['text', 'orders\n', ['1:1 error NotAnObject']],
    ['a mapping of another sort', 'replicas: 3\n', ['1:1 error NotAnObject']],
    ['a tab', 'a:\n\tb: 1\n', ['2:1 error TabIndentation']],
    ['a key that stands twice', 'a: 1\nb: 2\na: 3\n', ['3:1 error DuplicateKey']],
    ['a key that stands there as a number and as text', '1: a\n"1": b\n', ['2:1 error DuplicateKey']],
    ['a bracket that is not closed', 'a: [1, 2\nb: 3\n', ['2:1 error BadIndentation']],
    ['a colon in a value', 'a: b: c\n', ['1:4 error YamlSyntax']],
    ['a quote that is not closed', 'a: "b\n', ['2:1 error YamlSyntax']],
    ['an alias without anchor', 'a: *b\n', ['1:4 error UnknownAlias']],
    ['an alias of what it stands in', 'a: &a [*a]\n', ['1:8 error UnknownAlias']],
    ['a tag', 'a: !!binary aGk=\n', ['1:4 error UnknownTag']],
    ['a key that is a list', '? [a]\n: b\n', ['1:3 error BadKey']],
    ['a key for prototype pollution', '__proto__: { a: 1 }\n', ['1:1 error BadKey']],
    ['a merge of no mapping', '<<: 1\n', ['1:1 error BadMerge']],
    ['a template', 'a: {{ .Values.name }}\n', ['1:5 error TemplateNotRendered']],
    ['a template without a value', '{{- if .Values.tls }}\na: 1\n', ['1:3 error TemplateNotRendered']],
    ['a document that is broken beside one that is not', `a: [\n---\n${CERTIFICATE}`, ['2:1 error BadIndentation']],
  ])('with %s', (_, text, findings) => {
    expect(places(parse(text))).toEqual(findings);
  });

  it('whose aliases explode is refused at the alias that does it', () => {
    const levels = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
    for (let index = 1; index < 10; index++) {
      const [name, before] = ['abcdefghij'[index], 'abcdefghij'[index - 1]];
      levels.push(`${name}: &${name} [${Array.from({ length: 10 }, () => `*${before}`).join(', ')}]`);
    }
    expect(places(parse(levels.join('\n')))).toEqual(['4:36 error AliasesExplode']);
  });

  it('that is nested without end is refused', () => {
    expect(places(parse(`a: ${'['.repeat(100)}${']'.repeat(100)}\n`))).toEqual(['1:44 error NestedTooDeeply']);
    expect(parse('['.repeat(20_000)).findings.length).toBeGreaterThan(0);
  });

  it('with a hundred thousand keys is read key by key, not each against all others', () => {
    const keys = Array.from({ length: 100_000 }, (_, index) => `k${index}:\n`);
    expect(places(parse(keys.join('')))).toEqual(['1:1 error NotAnObject']);
    expect(places(parse([...keys, 'k7:'].join('')))).toEqual(['100001:1 error DuplicateKey']);
  });

  it('of more than a mebibyte is not read', () => {
    expect(places(parse(`# ${'x'.repeat(1024 * 1024)}`))).toEqual(['1:1 error FileTooLarge']);
  });

  it('with no end of mistakes is given up on', () => {
    const { findings } = parse('---\n- x\n'.repeat(5_000));
    expect(findings).toHaveLength(101);
    expect(findings.at(-1)?.code).toBe('TooManyFindings');
  });
});

describe('a Secret', () => {
  const canary = 'c2VjcmV0LWNhbmFyeQ';
  test.each([
    ['as it should be', `apiVersion: v1\nkind: Secret\nmetadata: { name: a }\ndata:\n  tls.key: ${canary}\n`],
    ['on one line', `{ "apiVersion": "v1", "kind": "Secret", "data": { "tls.key": "${canary}" } }\n`],
    ['with a tab', `apiVersion: v1\nkind: Secret\ndata:\n\ttls.key: ${canary}\n`],
    ['with a key twice', `apiVersion: v1\nkind: Secret\ndata:\n  a: 1\n  a: ${canary}\n`],
    ['with a colon too many', `apiVersion: v1\nkind: Secret\nstringData:\n  a: ${canary}: ${canary}\n`],
    ['with a tag', `apiVersion: v1\nkind: Secret\ndata:\n  a: !!binary ${canary}\n`],
    ['without apiVersion', `kind: Secret\ndata: { a: ${canary} }\n`],
    ['in a list', `apiVersion: v1\nkind: List\nitems:\n- { apiVersion: v1, kind: Secret, data: { a: ${canary} } }\n`],
  ])('is refused without a word of what it holds: %s', (_, text) => {
    const { findings } = parse(text);
    expect(findings).not.toEqual([]);
    expect(JSON.stringify(findings)).not.toContain(canary);
  });
});

it('key material in any other place is not repeated', () => {
  const line = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj';
  const text = `${CERTIFICATE}  commonName: ${line}\n  ${line}: 1\n  uris:\n    - |\n      -----BEGIN PRIVATE KEY-----\n      ${line}\n`;
  const { findings } = parse(text);
  expect(findings.length).toBeGreaterThan(1);
  expect(JSON.stringify(findings)).not.toContain(line);
});

describe('a file, whatever is in it,', () => {
  /** Pieces of manifests, put together in ways that nobody would. */
  const piece = fc.constantFrom(
    'apiVersion: cert-manager.io/v1',
    'apiVersion: awspca.cert-manager.io/v1beta1',
    'apiVersion: v1',
    'kind: Certificate',
    'kind: AWSPCAIssuer',
    'kind: Secret',
    'kind: List',
    'items:',
    'metadata:',
    '  name: a',
    '  name: 1',
    '  labels: { a: b }',
    'spec:',
    '  secretName: a',
    '  dnsNames:',
    '    - a.example',
    '    - *x',
    '    - &x b',
    '  issuerRef:',
    '    name: a',
    '  duration: 1h',
    '  duration: -',
    '  usages: [any]',
    '  privateKey: { size: 1 }',
    '  subject: []',
    '  arn: x',
    '  ? a',
    '  : b',
    '  <<: *x',
    '---',
    '...',
    '%YAML 1.1',
    '\t',
    '[',
    '}',
    '"',
    "'",
    '|',
    '>',
    '!t',
    '#',
    '{{',
    '\u0000',
    '\u2028',
    '\uFEFF',
    '- - -',
  );
  const soup = fc.array(
    fc.oneof({ weight: 6, arbitrary: piece }, { weight: 1, arbitrary: fc.string({ unit: 'grapheme' }) }),
    { maxLength: 30 },
  );
  const changed = fc
    .tuple(fc.nat(CERTIFICATE.length), fc.nat(8), fc.oneof(piece, fc.string()))
    .map(([start, length, text]) => `${CERTIFICATE.slice(0, start)}${text}${CERTIFICATE.slice(start + length)}`);
  const file = fc.oneof(
    soup.map((lines) => lines.join('\n')),
    soup.map((lines) => lines.join('')),
    changed,
    fc.string({ unit: 'binary' }),
  );

  it('is accepted, or refused at a place in it', () => {
    fc.assert(
      fc.property(file, (text) => {
        const { findings } = parse(text);
        const lines = text.replace(/^\uFEFF/, '').split('\n');
        for (const finding of findings) {
          expect(finding.line).toBeGreaterThanOrEqual(1);
          expect(finding.line).toBeLessThanOrEqual(lines.length);
          expect(finding.column).toBeGreaterThanOrEqual(1);
          expect(finding.column).toBeLessThanOrEqual((lines[finding.line - 1]?.length ?? 0) + 1);
          expect(finding.message).toMatch(/\.$|…$/);
          expect(finding.remedy).not.toBe('');
          // oxlint-disable-next-line no-control-regex -- nothing in a manifest may steer the terminal
          expect(renderFinding(finding).replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('leaves nothing out in silence: each Certificate is in the manifest or has an error', () => {
    fc.assert(
      fc.property(changed, (text) => {
        const { declared, findings, manifest, skipped } = parse(text);
        const refused = findings.some(({ severity }) => severity === 'error');
        const accounted = manifest.certificates.length > 0 || refused || Object.keys(skipped).length > 0;
        // What is left is a comment or nothing at all, by a change that began at the first letter.
        expect(accounted || declared.certificates === 0).toBe(true);
        expect(refused || manifest.certificates.length === declared.certificates).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

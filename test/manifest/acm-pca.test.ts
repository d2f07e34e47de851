import { describe, expect, it } from 'vitest';
import { USAGES, type Usage } from '../../functions/core/certificate.ts';
import type { IssuerDocument } from '../../functions/core/ports.ts';
import { parseAcmPca } from '../../functions/issuers/acm-pca/document.ts';
import { templateFor, usageInTheWay } from '../../functions/issuers/acm-pca/templates.ts';
import { ARN, ISSUERS, parse, places } from './support.ts';

const issuer = (...spec: string[]): string =>
  `apiVersion: awspca.cert-manager.io/v1beta1\nkind: AWSPCAClusterIssuer\nmetadata: { name: other }\nspec:\n${spec.map((line) => `  ${line}\n`).join('')}`;

const document = (spec: unknown): IssuerDocument => ({
  spec,
  namespace: undefined,
  annotations: {},
  fileBeside: () => undefined,
});

describe('an AWSPCAIssuer', () => {
  it.each([
    ['without an arn is told so', ['region: us-east-1'], ['4:1 error MissingField']],
    ['with the ARN of something else is refused', ['arn: arn:aws:s3:::bucket'], ['5:8 error InvalidArn']],
    [
      "with another Region than its CA's is refused",
      [`arn: ${ARN}`, 'region: eu-west-1'],
      ['6:11 error RegionMismatch'],
    ],
    ["with its CA's Region is fine", [`arn: ${ARN}`, 'region: us-east-1'], []],
    ['with a role that is none is refused', [`arn: ${ARN}`, 'role: admin'], ['6:9 error InvalidArn']],
    ['with a role is fine', [`arn: ${ARN}`, 'role: arn:aws:iam::444455556666:role/pki/issue'], []],
    ['with static keys is refused', [`arn: ${ARN}`, 'secretRef: { name: keys }'], ['6:3 error StaticCredentials']],
    ['with an unknown field is told so at its key', [`arn: ${ARN}`, 'rolle: x'], ['6:3 error UnknownField']],
  ])('%s', (_, spec, findings) => {
    expect(places(parse(issuer(...spec)))).toEqual(findings);
  });

  it('has its options in the manifest, and its Region from the ARN', () => {
    const role = 'arn:aws:iam::444455556666:role/issue';
    expect(parse(issuer(`arn: ${ARN}`, `role: ${role}`)).manifest.issuers).toContainEqual({
      ref: { group: 'awspca.cert-manager.io', kind: 'AWSPCAClusterIssuer', name: 'other' },
      plugin: 'acm-pca',
      options: { certificateAuthorityArn: ARN, region: 'us-east-1', role },
      orderLimit: { orders: 25, perSeconds: 1 },
    });
  });

  it.each([
    ['arn:aws-cn:acm-pca:cn-north-1', 'cn-north-1'],
    ['arn:aws-us-gov:acm-pca:us-gov-west-1', 'us-gov-west-1'],
  ])('may be in the partition of %s', (prefix, region) => {
    const parsed = parseAcmPca(document({ arn: ARN.replace('arn:aws:acm-pca:us-east-1', prefix) }));
    expect(parsed.ok && parsed.options.region).toBe(region);
  });

  it('that is namespaced keeps its namespace', () => {
    expect(parse('', ISSUERS).manifest.issuers.map(({ ref }) => ref.namespace)).toEqual([undefined, 'payments']);
  });

  it('with an annotation of ours is warned: none of them means anything there', () => {
    const text = issuer(`arn: ${ARN}`).replace(
      '{ name: other }',
      '{ name: a, annotations: { everleaf.dev/acme-hosts: a.example } }',
    );
    expect(places(parse(text))).toEqual(['3:62 warning UnknownAnnotation']);
    expect(parse(text).manifest.issuers).toHaveLength(3);
  });

  it.each([undefined, null, 'text', [], 7])('reports a spec that is %j without throwing', (spec) => {
    expect(parseAcmPca(document(spec)).ok).toBe(false);
  });
});

describe('the template', () => {
  it.each<[Usage[], string]>([
    [['digital signature', 'key encipherment'], 'EndEntityCertificate/V1'],
    [['digital signature'], 'EndEntityCertificate/V1'],
    [['signing', 'key encipherment', 'client auth', 'server auth'], 'EndEntityCertificate/V1'],
    [['server auth'], 'EndEntityServerAuthCertificate/V1'],
    [['digital signature', 'key encipherment', 'client auth'], 'EndEntityClientAuthCertificate/V1'],
    [['code signing', 'digital signature'], 'CodeSigningCertificate/V1'],
    [['ocsp signing'], 'OCSPSigningCertificate/V1'],
  ])('for %j is %s', (usages, template) => {
    expect(templateFor(usages, ARN)).toBe(`arn:aws:acm-pca:::template/${template}`);
  });

  it("is one of the CA's own partition", () => {
    expect(templateFor(['server auth'], ARN.replace('arn:aws:', 'arn:aws-cn:'))).toBe(
      'arn:aws-cn:acm-pca:::template/EndEntityServerAuthCertificate/V1',
    );
  });

  it('is missing exactly when a usage is in the way', () => {
    for (const first of USAGES) {
      for (const second of USAGES) {
        const usages = [first, second];
        expect(templateFor(usages, ARN) === undefined).toBe(usageInTheWay(usages) !== undefined);
      }
    }
  });
});

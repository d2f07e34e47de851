import { describe, expect, it } from 'vitest';
import { ISSUERS as KINDS } from '../../functions/catalogue.ts';
import { parseManifest } from '../../functions/core/manifest/index.ts';
import { ACME_ISSUER, CERTIFICATE, ISSUERS, parse, places } from './support.ts';

const object = (apiVersion: string, kind: string, name = 'a'): string =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: ${name} }\n`;

const refersTo = (issuerRef: string): string => CERTIFICATE.replace(/issuerRef: .*/, `issuerRef: ${issuerRef}`);

describe('documents', () => {
  it.each([
    ['v1', 'ConfigMap', 'ConfigMap'],
    ['apps/v1', 'Deployment', 'Deployment.apps'],
    ['cert-manager.io/v1', 'CertificateRequest', 'CertificateRequest.cert-manager.io'],
    ['networking.internal.knative.dev/v1alpha1', 'Certificate', 'Certificate.networking.internal.knative.dev'],
  ])('of another kind, %s %s, are skipped and counted', (apiVersion, kind, name) => {
    const text = `${object(apiVersion, kind)}---\n${object(apiVersion, kind, 'b')}`;
    expect(parse(text)).toMatchObject({ findings: [], skipped: { [name]: 2 } });
  });

  it.each([
    ['cert-manager.io/v1alpha3', 'Issuer', '1:13 error UnknownVersion'],
    ['cert-manager.io/v1', 'ClusterIsuer', '2:7 error UnknownKind'],
    ['cert-manger.io/v1', 'ClusterIssuer', '1:13 error UnknownGroup'],
    ['policy.cert-manager.io/v1alpha1', 'CertificateRequestPolicy', '2:7 error KindNotBuilt'],
    ['everleaf.dev/v1', 'DeployHoo', '2:7 error UnknownKind'],
    ['everleaf.dev/v1alpha1', 'DeployHook', '1:13 error UnknownVersion'],
    ['cert-manager.io/v1', 'Certificat', '2:7 error UnknownKind'],
    ['awspca.cert-manager.io/v1beta1', 'AWSPCACluster', '2:7 error UnknownKind'],
    ['cert-manager.io/v1alpha2', 'Certificate', '1:13 error UnknownVersion'],
    ['cert-manager.io', 'Certificate', '1:13 error UnknownVersion'],
    ['awspca.cert-manager.io/v1', 'AWSPCAIssuer', '1:13 error UnknownVersion'],
    ['certmanager.k8s.io/v1alpha1', 'Certificate', '1:13 error UnknownVersion'],
    ['cert-manger.io/v1', 'Certificate', '1:13 error UnknownGroup'],
    ['v1', 'Certificate', '1:13 error UnknownGroup'],
    ['v1', 'Secret', '2:7 error SecretDocument'],
  ])('of %s %s are refused', (apiVersion, kind, finding) => {
    expect(places(parse(object(apiVersion, kind)))).toEqual([finding]);
  });

  it('in a v1 List are read one by one', () => {
    const item = CERTIFICATE.replaceAll(/^/gm, '    ').replace('    apiVersion', '  - apiVersion').trimEnd();
    const parsed = parse(`apiVersion: v1\nkind: List\nitems:\n${item}\n  - { apiVersion: v1, kind: Secret }\n`);
    expect(parsed.manifest.certificates).toHaveLength(1);
    expect(places(parsed)).toEqual(['13:29 error SecretDocument']);
  });

  it('in JSON are read as well', () => {
    const json = JSON.stringify(
      { apiVersion: 'cert-manager.io/v1', kind: 'Certificate', metadata: { name: 'a' }, spec: { colour: 1 } },
      null,
      '\t',
    );
    const parsed = parse('', { path: 'b.json', text: json });
    expect(places(parsed)).toContain('b.json:8:3 error UnknownField');
  });

  it('are in the order of their names, whatever the order of files', () => {
    const files = ['b', 'c', 'a'].map((name) => ({
      path: `${name}.yaml`,
      text: CERTIFICATE.replace('name: orders', `name: ${name}`).replace('orders-tls', `${name}-tls`),
    }));
    const parsed = parseManifest([...files, ISSUERS], KINDS);
    expect(parsed.manifest.certificates.map(({ id }) => id)).toEqual(['default/a', 'default/b', 'default/c']);
    expect(parseManifest([ISSUERS, ...files.toReversed()], KINDS)).toEqual(parsed);
  });

  it('that are wrong are counted and left out', () => {
    const parsed = parse(`${CERTIFICATE}  colour: red\n`);
    expect(parsed.declared).toEqual({ certificates: 1, issuers: 2, hooks: 0 });
    expect(parsed.manifest.certificates).toEqual([]);
  });
});

describe('two documents', () => {
  it('with one name: the second is told where the first is', () => {
    const parsed = parse(CERTIFICATE, { path: 'b.yaml', text: CERTIFICATE });
    expect(places(parsed)).toEqual(['b.yaml:4:9 error DuplicateObject']);
    expect(parsed.findings[0]?.message).toBe('Certificate `default/orders` is already declared at a.yaml:4:9.');
    expect(parsed.manifest.certificates).toHaveLength(1);
  });

  it('with one name in two namespaces are two', () => {
    expect(
      places(parse(`${CERTIFICATE}---\n${CERTIFICATE.replace('name: orders', 'name: orders\n  namespace: shop')}`)),
    ).toEqual([]);
  });

  it('of two kinds may share a name', () => {
    expect(places(parse(CERTIFICATE.replace('name: orders', 'name: internal')))).toEqual([]);
  });

  it('on one secret: the second is told where the first is', () => {
    const parsed = parse(`${CERTIFICATE}---\n${CERTIFICATE.replace('name: orders', 'name: returns')}`);
    expect(places(parsed)).toEqual(['16:15 error SharedSecret']);
    expect(parsed.findings[0]?.message).toContain('a.yaml:6:15');
  });

  it('of one cluster-scoped issuer in two namespaces are one too many', () => {
    const issuer = (namespace: string) =>
      ISSUERS.text.split('---')[0]?.replace('name: internal', `name: x\n  namespace: ${namespace}`) ?? '';
    const parsed = parse(`${issuer('a')}---\n${issuer('b')}`);
    expect(places(parsed)).toEqual([
      '5:14 warning NoMeaningHere',
      '12:9 error DuplicateObject',
      '13:14 warning NoMeaningHere',
    ]);
  });
});

describe('an issuerRef', () => {
  const group = 'group: awspca.cert-manager.io';

  it.each([
    [
      'to a misspelt issuer is told the nearest',
      `{ ${group}, kind: AWSPCAClusterIssuer, name: intern }`,
      '7:80 error UnknownIssuer',
      'Did you mean `internal`?',
    ],
    [
      'to an issuer of another namespace is refused',
      `{ ${group}, kind: AWSPCAIssuer, name: short-lived }`,
      '7:73 error UnknownIssuer',
      'Declare one in namespace `default`, or refer to another kind.',
    ],
    [
      'without a group is told which it is',
      '{ kind: AWSPCAClusterIssuer, name: internal }',
      '7:22 error IssuerGroup',
      'Write `group: awspca.cert-manager.io` in `issuerRef`.',
    ],
    [
      'to an issuer that is not there, of a kind that has none, is told to declare it',
      '{ kind: ClusterIssuer, name: letsencrypt }',
      '7:43 error UnknownIssuer',
      'Declare one, or refer to another kind.',
    ],
    [
      'with a name alone means an Issuer of cert-manager, beside it',
      '{ name: ca }',
      '7:22 error UnknownIssuer',
      'Declare one in namespace `default`, or refer to another kind.',
    ],
    [
      'to the name of an issuer of another kind is told which',
      '{ name: internal }',
      '7:22 error UnknownIssuer',
      'Write `group: awspca.cert-manager.io` and `kind: AWSPCAClusterIssuer`: of that kind there is one.',
    ],
    [
      'to a kind that nobody has is told what is built',
      '{ group: example.org, kind: StepIssuer, name: ca }',
      '7:42 error KindNotBuilt',
      'Those that are: AWSPCAIssuer, AWSPCAClusterIssuer (awspca.cert-manager.io); Issuer, ClusterIssuer with `acme` (cert-manager.io).',
    ],
    [
      "to one of cert-manager's kinds in the other group is told the group",
      `{ ${group}, kind: Issuer, name: ca }`,
      '7:53 error IssuerGroup',
      'Write `group: cert-manager.io` in `issuerRef`.',
    ],
  ])('%s', (_, issuerRef, finding, remedy) => {
    const parsed = parse(refersTo(issuerRef));
    expect(places(parsed)).toEqual([finding]);
    expect(parsed.findings[0]?.remedy).toBe(remedy);
  });

  it('to a namespaced issuer resolves in the namespace of the certificate', () => {
    const text = refersTo(`{ ${group}, kind: AWSPCAIssuer, name: short-lived }`).replace(
      'name: orders',
      'name: orders\n  namespace: payments',
    );
    expect(parse(text).manifest.certificates[0]?.issuerRef).toMatchObject({
      kind: 'AWSPCAIssuer',
      namespace: 'payments',
    });
  });

  it.each([
    ['{ name: letsencrypt }', { kind: 'Issuer', namespace: 'default' }],
    ['{ name: letsencrypt, kind: "", group: "" }', { kind: 'Issuer', namespace: 'default' }],
    ['{ name: everywhere, kind: ClusterIssuer }', { kind: 'ClusterIssuer', name: 'everywhere' }],
  ])("%s means cert-manager's own", (issuerRef, resolved) => {
    const everywhere = ACME_ISSUER.replace('kind: Issuer', 'kind: ClusterIssuer').replace('letsencrypt', 'everywhere');
    const parsed = parse(refersTo(issuerRef), { path: 'b.yaml', text: `${ACME_ISSUER}---\n${everywhere}` });
    expect(places(parsed)).toEqual([]);
    expect(parsed.manifest.certificates[0]?.issuerRef).toMatchObject({ group: 'cert-manager.io', ...resolved });
  });

  it('to an issuer that is declared and wrong adds nothing to what was said of that one', () => {
    const issuer = `apiVersion: cert-manager.io/v1\nkind: ClusterIssuer\nmetadata: { name: ca }\nspec: { selfSigned: {} }\n`;
    const text = refersTo('{ kind: ClusterIssuer, name: ca }');
    expect(places(parse(text, { path: 'b.yaml', text: issuer }))).toEqual(['b.yaml:4:9 error KindNotBuilt']);
  });
});

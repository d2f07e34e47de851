import { beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { eks } from '../../functions/hooks/eks/plugin.ts';
import { renderRbac } from '../../functions/hooks/eks/rbac.ts';
import { restartingPatch, versionAnnotation } from '../../functions/hooks/eks/objects.ts';
import { TestCa } from '../support/test-ca.ts';

const AT = ['spec', 'eks'] as const;
const ROLE = 'arn:aws:iam::111122223333:role/deploy';
const SECRET = { cluster: 'prod', namespace: 'web', secretName: 'web-tls' };

let ca = '';
beforeAll(async () => {
  ca = (await TestCa.create('Cluster', Date.now())).root.toString('pem');
});

const complaints = (value: unknown): readonly string[] => {
  const parsed = eks.parse(value, AT);
  return parsed.ok ? [] : parsed.objections.map(({ path, message }) => `${path.slice(2).join('.')}: ${message}`);
};
const targets = (value: unknown) => {
  const parsed = eks.parse(value, AT);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.objections));
  return parsed.options;
};

describe('`eks` of a DeployHook', () => {
  it('makes a target of each workload, and of the Secret where there is none', () => {
    const restart = [
      { kind: 'Deployment', name: 'web' },
      { kind: 'StatefulSet', name: 'db' },
    ];
    expect(targets({ ...SECRET, restart }).map(({ name }) => name)).toEqual([
      'eks:prod/web/deployment/web',
      'eks:prod/web/statefulset/db',
    ]);
    expect(targets(SECRET)).toEqual([{ name: 'eks:prod/web/secret/web-tls', options: { ...SECRET, force: false } }]);
  });

  it('takes an API server of its own with what signed its certificate, as a kubeconfig has it', () => {
    const caBundle = Buffer.from(ca).toString('base64');
    const [target] = targets({ ...SECRET, endpoint: 'https://10.1.2.3:6443', caBundle });
    expect(target?.options.connection?.endpoint).toBe('https://10.1.2.3:6443');
    expect(target?.options.connection?.caBundle).toContain('BEGIN CERTIFICATE');
  });

  it.each([
    [{ ...SECRET, cluster: undefined }, 'cluster: `spec.eks.cluster` is missing.'],
    [{ ...SECRET, cluster: 'arn:aws:eks' }, 'cluster: "arn:aws:eks" is not the name of an EKS cluster.'],
    [{ ...SECRET, namespace: 'a.b' }, 'namespace: "a.b" is not the name of a namespace.'],
    [{ ...SECRET, secretName: 'Web' }, 'secretName: "Web" is not the name of a Secret.'],
    [{ ...SECRET, region: 'Europe' }, 'region: "Europe" is not an AWS Region.'],
    [{ ...SECRET, role: 'admin' }, 'role: "admin" is not the ARN of an IAM role.'],
    [
      { ...SECRET, restart: [{ kind: 'Pod', name: 'web' }] },
      'restart.0.kind: `spec.eks.restart[0].kind` cannot be "Pod".',
    ],
    [
      { ...SECRET, restart: [{ kind: 'Deployment', name: 'web/../x' }] },
      'restart.0.name: "web/../x" is not the name of a workload.',
    ],
    [
      { ...SECRET, restart: Array.from({ length: 2 }, () => ({ kind: 'Deployment', name: 'web' })) },
      'restart.1.name: The Deployment "web" stands here twice.',
    ],
    [{ ...SECRET, endpoint: 'https://x' }, 'endpoint: `endpoint` stands without `caBundle`.'],
    [{ ...SECRET, caBundle: 'eA==' }, 'caBundle: `caBundle` stands without `endpoint`.'],
    [{ ...SECRET, endpoint: 'https://x', caBundle: 'eA==' }, 'caBundle: `caBundle` holds no certificate.'],
    [{ ...SECRET, workload: 'web' }, 'workload: `workload` is not a field of spec.eks.'],
  ])('objects to %j', (value, message) => {
    expect(complaints(value)).toEqual([message]);
  });

  it.each(['http://10.1.2.3', 'https://10.1.2.3/k8s/clusters/c-1', 'https://me@10.1.2.3', 'nowhere'])(
    'objects to an API server at %s',
    (endpoint) => {
      const caBundle = Buffer.from(ca).toString('base64');
      expect(complaints({ ...SECRET, endpoint, caBundle })).toHaveLength(1);
    },
  );
});

describe('what the EKS hook asks of IAM', () => {
  it('is where the cluster is, and nothing where that is said, or a role is assumed', () => {
    expect(eks.needs(targets({ ...SECRET, region: 'eu-west-1' }))).toEqual([
      { actions: ['eks:DescribeCluster'], resources: ['arn:aws:eks:eu-west-1:*:cluster/prod'] },
    ]);
    expect(eks.needs(targets({ ...SECRET, role: ROLE }))).toEqual([{ actions: ['sts:AssumeRole'], resources: [ROLE] }]);
    const caBundle = Buffer.from(ca).toString('base64');
    expect(eks.needs(targets({ ...SECRET, endpoint: 'https://10.1.2.3', caBundle }))).toEqual([]);
  });
});

describe('RBAC', () => {
  it('is a Role and a RoleBinding a namespace, by the names of what is written', () => {
    const restart = [
      { kind: 'Deployment', name: 'web' },
      { kind: 'Deployment', name: 'api' },
    ];
    const all = [...targets({ ...SECRET, restart }), ...targets({ ...SECRET, namespace: 'db' })];
    const documents = parseAllDocuments(renderRbac(all)).map((document) => document.toJS() as { kind: string });
    expect(documents.map(({ kind }) => kind)).toEqual(['Role', 'RoleBinding', 'Role', 'RoleBinding']);
    expect(documents[2]).toMatchObject({
      metadata: { namespace: 'web' },
      rules: [
        { apiGroups: [''], resources: ['secrets'], resourceNames: ['web-tls'], verbs: ['create', 'patch'] },
        { apiGroups: ['apps'], resources: ['deployments'], resourceNames: ['api', 'web'], verbs: ['get', 'patch'] },
      ],
    });
  });
});

describe("the annotation of a Secret's version", () => {
  it('is one a Secret, however long its name', () => {
    const options = (secretName: string) => ({ ...SECRET, secretName, force: false });
    const [a, b] = [versionAnnotation(options(`${'x'.repeat(80)}a`)), versionAnnotation(options(`${'x'.repeat(80)}b`))];
    expect(versionAnnotation(options('web-tls'))).toBe('version.everleaf.dev/web-tls');
    expect(a).not.toBe(b);
    for (const each of [a, b]) expect(each.split('/')[1]).toMatch(/^[a-z0-9](?:[\w.-]{0,61}[a-z0-9])?$/);
    expect(restartingPatch(options('web-tls'), 'v1')).toEqual({
      spec: { template: { metadata: { annotations: { 'version.everleaf.dev/web-tls': 'v1' } } } },
    });
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { rbac } from '../../bin/commands/rbac.ts';
import { certificateYaml, manifestOf } from '../support/deployment.ts';
import { Sink } from '../support/sink.ts';

const hook = (name: string, target: string): string => `apiVersion: everleaf.dev/v1
kind: DeployHook
metadata: { name: ${name} }
spec:
  certificateNames: [web]
  ${target}
`;
const eksTarget = (cluster: string, name: string): string =>
  `eks: { cluster: ${cluster}, namespace: shop, secretName: ${name}-tls, restart: [{ kind: Deployment, name: ${name} }] }`;

function run(documents: readonly string[], options: { cluster?: string } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'everleaf-rbac-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'manifest.yaml'), manifestOf(certificateYaml('web'), ...documents));
  const [stdout, stderr] = [new Sink(), new Sink()];
  const code = rbac(folder, options, { stdout, stderr });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

describe('everleaf rbac', () => {
  it('prints what all hooks of a cluster need, and nothing of other clusters', () => {
    const documents = [
      hook('a', eksTarget('prod', 'web')),
      hook('b', eksTarget('prod', 'api')),
      hook('c', eksTarget('dev', 'x')),
    ];
    const { code, stdout } = run(documents, { cluster: 'prod' });
    expect(code).toBe(0);
    expect(parseAllDocuments(stdout).map((document) => document.toJS() as unknown)).toMatchObject([
      {
        kind: 'Role',
        metadata: { namespace: 'shop' },
        rules: [{ resourceNames: ['api-tls', 'web-tls'] }, { resourceNames: ['api', 'web'] }],
      },
      { kind: 'RoleBinding', subjects: [{ kind: 'Group', name: 'everleaf' }] },
    ]);
  });

  it('asks which cluster is meant where there are several, or none of that name', () => {
    const documents = [hook('a', eksTarget('prod', 'web')), hook('b', eksTarget('dev', 'web'))];
    expect(() => run(documents)).toThrow(/say which cluster with --cluster: the hooks of .* name dev, prod/);
    expect(() => run(documents, { cluster: 'test' })).toThrow(/no hook deploys to the cluster test/);
    expect(() => run([])).toThrow(/there is nothing to grant/);
  });

  it('prints nothing of a manifest that has errors', () => {
    const { code, stdout, stderr } = run([hook('a', 'eks: { cluster: prod, namespace: shop }')]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('`spec.eks.secretName` is missing');
  });
});

import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { MINUTE_MS } from '../../functions/core/time.ts';
import { eks } from '../../functions/hooks/eks/plugin.ts';
import { GROUP, renderRbac } from '../../functions/hooks/eks/rbac.ts';
import type { KubernetesCluster } from '../../local/kubernetes/cluster.ts';
import type { Workload } from '../../local/kubernetes/workload.ts';
import { mounted } from '../../local/workloads/programs.ts';
import { certificateYaml, type Deployment, deployOnTwin, manifestOf } from '../support/deployment.ts';
import { servedOn } from '../support/releases.ts';

const NAME = 'storefront';
const SPEC = {
  cluster: 'prod',
  namespace: 'shop',
  secretName: 'storefront-tls',
  restart: [{ kind: 'Deployment', name: NAME }],
};

const hookYaml = (port: number): string => `apiVersion: everleaf.dev/v1
kind: DeployHook
metadata: { name: ${NAME} }
spec:
  certificateNames: [${NAME}]
  eks: ${JSON.stringify(SPEC)}
  endpoints:
    - { host: 127.0.0.1, port: ${port}, serverName: ${NAME}.internal.example, allowLoopback: true }
`;

let deployment: Deployment;
let cluster: KubernetesCluster;
let workload: Workload;

const served = (): Promise<string> => servedOn(workload.balancer.port, `${NAME}.internal.example`);
async function settle(): Promise<void> {
  for (let minute = 0; minute < 4; minute++) await deployment.advance(MINUTE_MS);
}

beforeAll(async () => {
  deployment = await deployOnTwin({ manifest: manifestOf(certificateYaml(NAME)) });
  await deployment.tick();
  const { twin } = deployment;
  cluster = await twin.eks.createCluster('prod');
  cluster.namespaces.add('shop');
  // As it was before: somebody copied the Secret by hand, under our manager's name.
  const { 'tls.crt': crt = '', 'tls.key': key = '', 'ca.crt': ca = '' } = await deployment.bundle(NAME);
  cluster.applySecret('shop', SPEC.secretName, { 'tls.crt': crt, 'tls.key': key, 'ca.crt': ca }, 'everleaf');
  workload = await cluster.createWorkload(
    { kind: 'Deployment', namespace: 'shop', name: NAME, secretName: SPEC.secretName },
    mounted('/tls'),
  );
  const parsed = eks.parse(SPEC, ['spec', 'eks']);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.objections));
  for (const document of parseAllDocuments(renderRbac(parsed.options))) cluster.rbac.apply(document.toJS());
  await deployment.deploy(manifestOf(certificateYaml(NAME), hookYaml(workload.balancer.port)));
  // The access entry of the role of the function that was deployed.
  const role = twin.physicalId('EverleafDeploymentDeployRole');
  cluster.accessEntries.set(`arn:aws:iam::${twin.account.accountId}:role/${role}`, [GROUP]);
  await settle();
}, 120_000);
afterAll(() => deployment.close());

it('a rotation reaches the pods of a cluster, restarts them once, and is proved', async () => {
  const before = workload.rollouts;
  const former = await served();
  await deployment.requestRenewal(NAME);
  await deployment.tick();
  await settle();
  const { current, rollout } = await deployment.record(NAME);
  expect(rollout).toMatchObject({ generation: 2, state: 'deployed' });
  expect(current?.leaf.sha256Fingerprint).not.toBe(former);
  expect(await served()).toBe(current?.leaf.sha256Fingerprint);
  expect(workload.rollouts - before).toBe(1);
  expect(cluster.secret('shop', SPEC.secretName)['tls.crt']).toBe((await deployment.bundle(NAME))['tls.crt']);
});

it('lets no key out but into the Secret, and is denied nothing', () => {
  expect(deployment.twin.keyWatch.findings).toEqual([]);
  expect(deployment.twin.calls.filter(({ errorCode }) => errorCode?.startsWith('AccessDenied') === true)).toEqual([]);
});

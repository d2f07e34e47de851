import { DescribeSecretCommand } from '@aws-sdk/client-secrets-manager';
import { parseAllDocuments } from 'yaml';
import { MINUTE_MS } from '../../../functions/core/time.ts';
import { FIELD_MANAGER } from '../../../functions/hooks/eks/options.ts';
import { eks } from '../../../functions/hooks/eks/plugin.ts';
import { GROUP, renderRbac } from '../../../functions/hooks/eks/rbac.ts';
import type { KubernetesCluster } from '../../../local/kubernetes/cluster.ts';
import { injected, mounted, type Program, readAtStart, refusingToReload } from '../../../local/workloads/programs.ts';
import { certificateYaml, type Deployment, deployOnTwin, manifestOf } from '../../support/deployment.ts';
import { hasNoGrantTooMany } from './suite.ts';

const ROLE = 'arn:aws:iam::111122223333:role/task';
const CLUSTER = { cluster: 'prod', namespace: 'web', secretName: 'written-tls' };
const WRITTEN = { ...CLUSTER, restart: [{ kind: 'Deployment', name: 'written' }] };
const NAMES = ['read', 'refused', 'pinned', 'written'] as const;

const hookYaml = (name: string, targets: string): string => `apiVersion: everleaf.dev/v1
kind: DeployHook
metadata: { name: ${name} }
spec:
  certificateNames: [${name}]
  ${targets}
  endpoints: [{ host: ${name}.internal.example }]
`;

const CERTIFICATES = NAMES.map((name) => certificateYaml(name));
const HOOKS = [
  hookYaml('read', 'ecs: { cluster: prod, services: [read] }'),
  hookYaml('refused', 'ecs: { cluster: prod, services: [refused] }'),
  hookYaml('pinned', `ecs: { cluster: prod, services: [pinned], strategy: PinVersion, passRoles: ['${ROLE}'] }`),
  hookYaml('written', `eks: ${JSON.stringify(WRITTEN)}`),
];

/** What the hooks deploy to, with the certificate that is current. */
async function surround(deployment: Deployment): Promise<KubernetesCluster> {
  const { twin } = deployment;
  await createService(deployment, 'read', readAtStart('Everleaf/read-tls'));
  await createService(deployment, 'refused', refusingToReload('Everleaf/refused-tls'));
  const { current } = await deployment.record('pinned');
  const { ARN } = await deployment.secrets.send(new DescribeSecretCommand({ SecretId: 'Everleaf/pinned-tls' }));
  const references = ['tls.crt', 'tls.key'].map((key) => `${ARN}:${key}::${current?.version}`);
  await createService(deployment, 'pinned', injected('TLS_0', 'TLS_1'), references);

  const { cluster: name, namespace, secretName } = CLUSTER;
  const cluster = await twin.eks.createCluster(name);
  cluster.namespaces.add(namespace);
  const { 'tls.crt': crt = '', 'tls.key': key = '', 'ca.crt': ca = '' } = await deployment.bundle('written');
  cluster.applySecret(namespace, secretName, { 'tls.crt': crt, 'tls.key': key, 'ca.crt': ca }, FIELD_MANAGER);
  const pods = { kind: 'Deployment', namespace, name: 'written', secretName } as const;
  const { balancer } = await cluster.createWorkload(pods, mounted('/tls'));
  twin.network.standIn('written.internal.example', balancer.port);
  const parsed = eks.parse(WRITTEN, ['spec', 'eks']);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.objections));
  for (const document of parseAllDocuments(renderRbac(parsed.options))) cluster.rbac.apply(document.toJS());
  return cluster;
}

async function createService(
  { twin }: Deployment,
  name: string,
  program: Program,
  references: readonly string[] = [],
): Promise<void> {
  const secrets = references.map((valueFrom, index) => ({ name: `TLS_${index}`, valueFrom }));
  const taskDefinition = twin.ecs.register({
    family: name,
    executionRoleArn: ROLE,
    tags: [{ key: 'team', value: 'web' }],
    containerDefinitions: [{ name: 'web', image: 'web:1', environment: [], secrets }],
  });
  const { balancer } = await twin.ecs.createService({ cluster: 'prod', name, taskDefinition }, program);
  twin.network.standIn(`${name}.internal.example`, balancer.port);
}

/** Hooks come to certificates that are in use, which are then renewed; one of them is rolled back. */
async function* story(deployment: Deployment): AsyncGenerator<void> {
  await deployment.tick();
  const cluster = await surround(deployment);
  await deployment.deploy(manifestOf(...CERTIFICATES, ...HOOKS));
  const { twin } = deployment;
  const role = twin.physicalId('EverleafDeploymentDeployRole');
  cluster.accessEntries.set(`arn:aws:iam::${twin.account.accountId}:role/${role}`, [GROUP]);
  const minutes = async function* (count: number): AsyncGenerator<void> {
    for (let minute = 0; minute < count; minute++) {
      await deployment.advance(MINUTE_MS);
      yield;
    }
  };
  yield* minutes(3);
  for (const name of NAMES) await deployment.requestRenewal(name);
  yield* minutes(4);
}

await hasNoGrantTooMany(
  {
    name: 'the life of a roll-out',
    covers: /^Deployment/,
    deploy: (adapt) => deployOnTwin({ manifest: manifestOf(...CERTIFICATES), adapt }),
    live: story,
  },
  12,
);

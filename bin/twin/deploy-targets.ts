import type { CertificateId, CertificateSpec, Manifest } from '../../functions/core/certificate.ts';
import { type DeployHookSpec, hookRefOf } from '../../functions/core/rollout/hook-spec.ts';
import type { HookTarget } from '../../functions/core/rollout/ports.ts';
import { isNamed } from '../../functions/core/rollout/served-names.ts';
import type { EcsOptions } from '../../functions/hooks/ecs/options.ts';
import { type EksOptions, FIELD_MANAGER } from '../../functions/hooks/eks/options.ts';
import { GROUP, rbacFor } from '../../functions/hooks/eks/rbac.ts';
import { isLoopback } from '../../functions/network/addresses.ts';
import { secretNameOf } from '../../functions/stores/secret-name.ts';
import { serverIdentity, type ServerIdentity } from '../../local/acme/hierarchy.ts';
import type { KubernetesCluster } from '../../local/kubernetes/cluster.ts';
import type { Twin } from '../../local/twin.ts';
import type { LoadBalancer } from '../../local/workloads/load-balancer.ts';
import { hotMounted, mounted, neverReloading, sharedServer, untilIssued } from '../../local/workloads/programs.ts';

/** Where one certificate is served on the twin. */
export interface ServedAt {
  readonly certificate: CertificateId;
  /** The hook's own word for it: `ecs:production/orders`. */
  readonly target: string;
  /** What clients call it. */
  readonly serverName: string;
  /** Of 127.0.0.1. */
  readonly port: number;
}

export interface TargetWorldOptions {
  /** First part of every secret's name. */
  readonly deployment: string;
  /** ECS services that serve their first certificate for ever, by the name that hooks have for them. */
  readonly neverReloading: readonly string[];
}

/**
 * What deploy hooks find around their account: the services and clusters that the manifest names, which serve a certificate that
 * somebody put there by hand until they are given another; and, under the names of its endpoints, the way to them.
 */
export async function surroundWithTargets(
  twin: Twin,
  { hooks = [], certificates }: Manifest,
  options: TargetWorldOptions,
): Promise<readonly ServedAt[]> {
  const byHand = await serverIdentity([], twin.clock.now());
  const clusters = new Map<string, KubernetesCluster>();
  const services = new Map<string, LoadBalancer>();
  const served: ServedAt[] = [];
  const coveredBy = (hook: DeployHookSpec): readonly CertificateSpec[] => {
    const ref = hookRefOf(hook);
    return certificates.filter((each) => each.hooks?.includes(ref) === true);
  };
  // More than one hook may name a service.
  const secretsFor = (target: string): readonly string[] =>
    hooks
      .filter(({ targets }) => targets.some(({ name }) => name === target))
      .flatMap(coveredBy)
      .map(({ id, secretName }) => secretNameOf(options.deployment, { certificate: id, secretName }));
  for (const hook of hooks) {
    const balancers =
      hook.plugin === 'ecs'
        ? await ecsServices(twin, hook, { byHand, secretsFor, services, options })
        : await eksWorkloads(twin, hook, { byHand, clusters });
    served.push(...endpointsOf(twin, hook, { balancers, covered: coveredBy(hook) }));
  }
  return served;
}

/** Endpoints on loopback are the user's own, and left to themselves; so is what begins in clear. */
function endpointsOf(
  twin: Twin,
  { endpoints, targets }: DeployHookSpec,
  { balancers, covered }: { balancers: readonly LoadBalancer[]; covered: readonly CertificateSpec[] },
): readonly ServedAt[] {
  const ours = endpoints.filter(({ host, startTls }) => startTls === undefined && !isLoopback(host));
  return ours.flatMap(({ host, serverName = host }, index) => {
    const at = index % balancers.length;
    const balancer = balancers[at];
    const certificate = covered.find((each) => isNamed(each, serverName))?.id;
    if (balancer === undefined || certificate === undefined) return [];
    twin.network.standIn(host, balancer.port);
    return [{ certificate, target: targets[at]?.name ?? '', serverName, port: balancer.port }];
  });
}

interface EcsSurroundings {
  readonly byHand: ServerIdentity;
  readonly secretsFor: (target: string) => readonly string[];
  /** By the name that hooks have for them. */
  readonly services: Map<string, LoadBalancer>;
  readonly options: TargetWorldOptions;
}

/** Each reads its secrets when a task starts. */
async function ecsServices(
  { ecs }: Twin,
  { targets }: DeployHookSpec,
  { byHand, secretsFor, services, options }: EcsSurroundings,
): Promise<readonly LoadBalancer[]> {
  for (const { name, options: target } of targets) {
    if (services.has(name)) continue;
    const secrets = secretsFor(name);
    const { cluster, service } = target as EcsOptions;
    const [secret = ''] = secrets;
    const program = options.neverReloading.includes(name)
      ? untilIssued(byHand, secret, neverReloading(secret))
      : sharedServer(byHand, secrets);
    const containerDefinitions = [{ name: 'web', image: 'web:1', environment: [], secrets: [] }];
    const taskDefinition = ecs.register({ family: service, containerDefinitions });
    const running = await ecs.createService({ cluster, name: service, taskDefinition }, program);
    services.set(name, running.balancer);
  }
  return targets.flatMap(({ name }) => services.get(name) ?? []);
}

/** Pods that read their Secret when they start; where the hook restarts nothing, at every handshake. */
async function eksWorkloads(
  twin: Twin,
  hook: DeployHookSpec,
  { byHand, clusters }: { byHand: ServerIdentity; clusters: Map<string, KubernetesCluster> },
): Promise<readonly LoadBalancer[]> {
  const all = hook.targets as readonly HookTarget<EksOptions>[];
  // A cluster that is reached by an address of its own is the user's.
  const targets = all.filter(({ options }) => options.connection === undefined);
  const balancers: LoadBalancer[] = [];
  for (const { options } of targets) {
    const { cluster: name, namespace, secretName, workload } = options;
    const cluster = clusters.get(name) ?? (await twin.eks.createCluster(name));
    clusters.set(name, cluster);
    cluster.namespaces.add(namespace);
    const data = { 'tls.crt': byHand.certificate, 'tls.key': byHand.key, 'ca.crt': byHand.root };
    cluster.applySecret(namespace, secretName, data, FIELD_MANAGER);
    const { kind = 'Deployment' as const, name: pods = secretName } = workload ?? {};
    const program = workload === undefined ? hotMounted('/tls') : mounted('/tls');
    const running = await cluster.createWorkload({ kind, namespace, name: pods, secretName }, program);
    balancers.push(running.balancer);
    admit(twin, cluster);
  }
  for (const [name, within] of Map.groupBy(targets, ({ options }) => options.cluster)) {
    for (const object of rbacFor(within)) clusters.get(name)?.rbac.apply(object);
  }
  return balancers;
}

/** The access entry for the deploy function's role, as its cluster's owner would make it. */
function admit(twin: Twin, cluster: KubernetesCluster): void {
  const role = twin.physicalId('EverleafDeploymentDeployRole');
  cluster.accessEntries.set(`arn:aws:iam::${twin.account.accountId}:role/${role}`, [GROUP]);
}

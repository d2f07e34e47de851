import { EKSClient } from '@aws-sdk/client-eks';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { DeployHook, HookContext, HookTarget } from '../../functions/core/rollout/ports.ts';
import { eksApi } from '../../functions/hooks/eks/connection.ts';
import { eksHook } from '../../functions/hooks/eks/hook.ts';
import type { EksOptions, Workload } from '../../functions/hooks/eks/options.ts';
import { eks } from '../../functions/hooks/eks/plugin.ts';
import { GROUP, renderRbac } from '../../functions/hooks/eks/rbac.ts';
import type { KubernetesCluster } from '../../local/kubernetes/cluster.ts';
import type { Workload as TwinWorkload, WorkloadOptions } from '../../local/kubernetes/workload.ts';
import { Twin } from '../../local/twin.ts';
import { hotMounted, mounted, type Program } from '../../local/workloads/programs.ts';
import { bundleMaker, type Made, ReleasedSecret, servedOn } from '../support/releases.ts';
import { synthesizeOnce } from '../support/roles.ts';
import { deployHookContract, finished, type HookUnderTest, requestFor } from './deploy-hook.contract.ts';

const NAME = 'web.internal.example';
const MOST_WORKLOADS = 60;
const KINDS = ['Deployment', 'StatefulSet', 'DaemonSet'] as const;

/** One document that names all that these tests deploy to, each with a Secret of its own. */
function targetOf(workload: Workload | undefined, secretName: string, extra: object = {}): HookTarget<EksOptions> {
  const restart = workload === undefined ? {} : { restart: [workload] };
  const parsed = eks.parse({ cluster: 'prod', namespace: 'web', secretName, ...restart, ...extra }, ['spec', 'eks']);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.objections));
  const [target] = parsed.options;
  if (target === undefined) throw new Error('no target');
  return target;
}
const workloadsOf = (number: number): readonly HookTarget<EksOptions>[] =>
  KINDS.map((kind) => targetOf({ kind, name: `web-${number}` }, `web-${number}-tls`));
const ALL = Array.from({ length: MOST_WORKLOADS }, (_, number) => workloadsOf(number)).flat();

let twin: Twin;
let cluster: KubernetesCluster;
let secrets: SecretsManagerClient;
let make: () => Promise<Made>;
let numbered = 0;

beforeAll(async () => {
  const assembly = synthesizeOnce((stack) => {
    for (const name of ['Known', 'Unknown']) {
      const role = new Role(stack, `${name}Role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
      for (const { actions, resources } of eks.needs(ALL)) {
        role.addToPolicy(new PolicyStatement({ actions: [...actions], resources: [...resources] }));
      }
    }
  });
  twin = await Twin.start({ assemblyDir: assembly.directory });
  assembly.remove();
  cluster = await twin.eks.createCluster('prod');
  cluster.namespaces.add('web');
  cluster.accessEntries.set(roleArn('KnownRole'), [GROUP]);
  for (const document of parseAllDocuments(renderRbac(ALL))) cluster.rbac.apply(document.toJS());
  secrets = new SecretsManagerClient(connection());
  ({ make } = await bundleMaker(NAME, twin.clock.now()));
});
afterAll(async () => {
  secrets.destroy();
  await twin.close();
});

const roleArn = (logicalId: string): string =>
  `arn:aws:iam::${twin.account.accountId}:role/${twin.physicalId(logicalId)}`;
const connection = () => ({
  endpoint: twin.endpoint,
  region: twin.account.region,
  credentials: twin.operatorCredentials,
  maxAttempts: 1,
});

interface EksUnderTest extends HookUnderTest {
  readonly workload: TwinWorkload;
  readonly secret: ReleasedSecret;
  readonly options: EksOptions;
  readonly hookWith: (extra: Partial<EksOptions>, role?: string) => Promise<DeployHook>;
}

async function workloadUnderTest(
  kind: Workload['kind'],
  extra: Partial<WorkloadOptions> = {},
  program: Program = mounted('/tls'),
): Promise<EksUnderTest> {
  const number = numbered++;
  const { options } = targetOf({ kind, name: `web-${number}` }, `web-${number}-tls`);
  const secret = await ReleasedSecret.create(secrets, `web-${number}`, make);
  const first = await secret.next();
  cluster.applySecret('web', options.secretName, secret.bundleOf(first), 'everleaf');
  let spoilt = false;
  const workload = await cluster.createWorkload(
    { kind, namespace: 'web', name: `web-${number}`, secretName: options.secretName, ...extra },
    async (surroundings) => {
      if (spoilt) throw new Error('CrashLoopBackOff');
      return program(surroundings);
    },
  );
  const context: HookContext = {
    clock: () => twin.clock.now(),
    log: () => undefined,
    readBundle: async (release) => secret.bundleOf(release),
  };
  const hookWith: EksUnderTest['hookWith'] = async (more, role = 'KnownRole') => {
    const client = new EKSClient({ ...connection(), credentials: twin.credentialsOf(role) });
    return eksHook({ ...options, ...more }, await eksApi({ ...options, ...more }, client), context);
  };
  return {
    workload,
    secret,
    options,
    first,
    hookWith,
    hook: () => hookWith({}),
    next: () => secret.next(),
    promote: async () => undefined,
    served: () => servedOn(workload.balancer.port, NAME),
    deployments: () => workload.rollouts,
    settled: () => twin.settled(),
    hold: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      cluster.readyToRoll = () => promise;
      return () => {
        cluster.readyToRoll = async () => undefined;
        resolve();
      };
    },
    spoil: () => {
      spoilt = true;
    },
    remove: () => cluster.deleteWorkload(workload),
    interrupted: async (killAfter, work) => {
      const before = cluster.requests.length;
      cluster.dropAnswer = (sequence) => sequence - before === killAfter;
      await work().catch(() => undefined);
      cluster.dropAnswer = undefined;
      return cluster.requests.length - before;
    },
  };
}

deployHookContract('EKS, a Deployment, on the twin', () => workloadUnderTest('Deployment'));

describe('EKS hook', () => {
  it.each(['StatefulSet', 'DaemonSet'] as const)('waits for a %s', async (kind) => {
    const under = await workloadUnderTest(kind);
    const request = requestFor(await under.next());
    const release = under.hold();
    const begun = await (await under.hook()).start(request);
    if (begun.status !== 'waiting') throw new Error('done before it was');
    expect(await (await under.hook()).check(request, begun.ticket)).toMatchObject({ status: 'waiting' });
    release();
    expect(await finished(under, request, begun)).toEqual({ replacedAll: true });
    expect(await under.served()).toBe(request.release.sha256Fingerprint);
  });

  it('writes a Secret alone where nothing is to be restarted, for pods that read it again by themselves', async () => {
    const under = await workloadUnderTest('Deployment', {}, hotMounted('/tls'));
    const { release } = requestFor(await under.next());
    const { workload: _none, ...secretOnly } = under.options;
    const hook = eksHook(
      secretOnly,
      await eksApi(secretOnly, new EKSClient({ ...connection(), credentials: twin.credentialsOf('KnownRole') })),
      { clock: Date.now, log: () => undefined, readBundle: async (each) => under.secret.bundleOf(each) },
    );
    expect(await hook.start(requestFor(release))).toEqual({ status: 'done', value: { replacedAll: true } });
    expect(await under.served()).toBe(release.sha256Fingerprint);
    expect(under.deployments()).toBe(0);
    expect(cluster.secret('web', under.options.secretName)).toEqual(under.secret.bundleOf(release));
  });

  it('names who else manages the Secret, and takes it over only when told to', async () => {
    const under = await workloadUnderTest('Deployment');
    const request = requestFor(await under.next());
    const theirs = under.secret.bundleOf(await under.next());
    cluster.applySecret('web', under.options.secretName, theirs, 'argocd-controller');
    await expect((await under.hook()).start(request)).rejects.toMatchObject({
      class: 'permanent',
      code: 'FieldConflict',
      message: expect.stringMatching(/\.data\.tls\.key.*managed by argocd-controller; .*force: true/) as unknown,
    });
    expect(cluster.secret('web', under.options.secretName)).toEqual(theirs);
    expect(under.deployments()).toBe(0);
    const forced = await under.hookWith({ force: true });
    await finished(under, request, await forced.start(request));
    expect(cluster.secret('web', under.options.secretName)).toEqual(under.secret.bundleOf(request.release));
  });

  it('sees that somebody has undone its change of the template', async () => {
    const under = await workloadUnderTest('Deployment');
    const request = requestFor(await under.next());
    const begun = await (await under.hook()).start(request);
    under.workload.object.spec.template.metadata.annotations = {};
    under.workload.reconcile(async () => undefined);
    await expect(finished(under, request, begun)).rejects.toMatchObject({
      code: 'DeploymentUndone',
      message: expect.stringContaining('names none') as unknown,
    });
  });

  it('refuses a workload that restarts no pod, before it writes the key', async () => {
    const under = await workloadUnderTest('DaemonSet', { updateStrategy: { type: 'OnDelete' } });
    const before = cluster.secret('web', under.options.secretName);
    const started = (await under.hook()).start(requestFor(await under.next()));
    await expect(started).rejects.toMatchObject({ class: 'permanent', code: 'NeverRestarts' });
    expect(cluster.secret('web', under.options.secretName)).toEqual(before);
  });

  it('says that a cluster does not know its role', async () => {
    const under = await workloadUnderTest('Deployment');
    const stranger = await under.hookWith({}, 'UnknownRole');
    await expect(stranger.start(requestFor(await under.next()))).rejects.toMatchObject({
      class: 'permanent',
      code: 'AccessDenied',
      message: expect.stringMatching(
        /401 Unauthorized.*access entry of cluster prod with the group everleaf/,
      ) as unknown,
    });
  });

  it('names the verb, the object and the rule that a denial lacks', async () => {
    const under = await workloadUnderTest('Deployment');
    const elsewhere = await under.hookWith({ workload: { kind: 'Deployment', name: 'billing' } });
    await expect(elsewhere.start(requestFor(await under.next()))).rejects.toMatchObject({
      code: 'AccessDenied',
      message: expect.stringMatching(
        /get of deployments\/billing in namespace web.*403 Forbidden.*"resources":\["deployments"\],"resourceNames":\["billing"\],"verbs":\["get","patch"\]/,
      ) as unknown,
    });
  });

  it('says that a cluster is gone', async () => {
    const under = await workloadUnderTest('Deployment');
    const client = new EKSClient(connection());
    await expect(eksApi({ ...under.options, cluster: 'gone' }, client)).rejects.toMatchObject({
      code: 'TargetMissing',
    });
  });

  it('asks for no permission that it does not need', () => {
    expect(twin.unusedGrants().map(({ action }) => action)).toEqual([]);
  });
});

import { randomUUID } from 'node:crypto';
import { EKSClient } from '@aws-sdk/client-eks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { versionId } from '../../functions/core/certificate.ts';
import type { DeployHook, DeployRequest, HookContext } from '../../functions/core/rollout/ports.ts';
import { type KubernetesApi } from '../../functions/hooks/eks/api.ts';
import { eksApi } from '../../functions/hooks/eks/connection.ts';
import { eksHook } from '../../functions/hooks/eks/hook.ts';
import { secretOf, workloadOf } from '../../functions/hooks/eks/objects.ts';
import type { EksOptions, Workload } from '../../functions/hooks/eks/options.ts';
import { eks } from '../../functions/hooks/eks/plugin.ts';
import { GROUP, renderRbac } from '../../functions/hooks/eks/rbac.ts';
import { eventually } from '../e2e/support/eventually.ts';
import { id } from '../support/builders.ts';
import { bundleMaker, type Made } from '../support/releases.ts';
import type { Entry } from './authenticator.ts';
import { Cluster } from './cluster.ts';

const NAMESPACE = 'web';
const CLUSTER = 'prod';
const DEPLOYER: Entry = {
  accessKeyId: 'AKIADEPLOYER',
  secretAccessKey: 'made/for+this=run',
  username: 'arn:aws:sts::111122223333:assumed-role/deploy/everleaf',
  groups: [GROUP],
};

let cluster: Cluster;
let make: () => Promise<Made>;
beforeAll(async () => {
  [cluster, { make }] = await Promise.all([
    Cluster.start(CLUSTER, [DEPLOYER]),
    bundleMaker('web.internal.example', Date.now()),
  ]);
  await eventually('the namespaces are there', async () =>
    cluster.kubectl(['create', 'namespace', NAMESPACE]).catch(() => undefined),
  );
});
afterAll(() => cluster?.stop());

/** A document's target, with the API server of this run in the place of the one that EKS would answer. */
function optionsFor(secretName: string, workload?: Workload, extra: object = {}): EksOptions {
  const caBundle = Buffer.from(cluster.caBundle).toString('base64');
  const restart = workload === undefined ? {} : { restart: [workload] };
  const connection = { endpoint: cluster.endpoint, caBundle };
  const document = { cluster: CLUSTER, namespace: NAMESPACE, secretName, ...restart, ...connection, ...extra };
  const parsed = eks.parse(document, ['spec', 'eks']);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.objections));
  const [target] = parsed.options;
  if (target === undefined) throw new Error('no target');
  return target.options;
}

const grant = (...options: readonly EksOptions[]): Promise<string> =>
  cluster.kubectl(['apply'], renderRbac(options.map((each) => ({ name: 'x', options: each }))));

const connect = (options: EksOptions, entry: Entry = DEPLOYER): Promise<KubernetesApi> =>
  eksApi(options, new EKSClient({ region: 'us-east-1', credentials: entry }));

const bundles = new Map<string, Made>();
async function request(): Promise<DeployRequest> {
  const made = await make();
  const version = versionId.parse(randomUUID());
  bundles.set(version, made);
  const { sha256Fingerprint } = made;
  const secret = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:web-AbCdEf';
  return {
    rolloutId: randomUUID(),
    intent: 'deploy',
    release: { certificate: id('default/web'), generation: 1, version, ref: secret, sha256Fingerprint, notAfter: 0 },
  };
}
const bundleOf: NonNullable<HookContext['readBundle']> = async ({ version }) => {
  const made = bundles.get(version);
  if (made === undefined) throw new Error(`no version ${version}`);
  return made.bundle;
};
const hookFor = async (options: EksOptions, entry?: Entry): Promise<DeployHook> =>
  eksHook(options, await connect(options, entry), { clock: Date.now, log: () => undefined, readBundle: bundleOf });

const template = (name: string): object => ({
  metadata: { labels: { app: name } },
  spec: { containers: [{ name: 'web', image: 'web:1' }] },
});
async function createWorkload({ kind, name }: Workload, extra: object = {}): Promise<void> {
  const selector = { matchLabels: { app: name } };
  const spec = {
    selector,
    template: template(name),
    ...(kind === 'StatefulSet' ? { serviceName: name } : {}),
    ...extra,
  };
  await cluster.kubectl(['apply'], { apiVersion: 'apps/v1', kind, metadata: { name, namespace: NAMESPACE }, spec });
}

async function read(resource: string, name: string): Promise<Record<string, never>> {
  const text = await cluster.kubectl([
    'get',
    resource,
    name,
    '--namespace',
    NAMESPACE,
    '--output',
    'json',
    '--show-managed-fields',
  ]);
  return JSON.parse(text) as Record<string, never>;
}

/** An API server takes a moment to see a grant. Whatever else is refused is thrown. */
const startedOnceGranted = (options: EksOptions, asked: DeployRequest) =>
  eventually('the grant is noticed', async () => {
    try {
      return await (await hookFor(options)).start(asked);
    } catch (error) {
      if ((error as { code?: string }).code === 'AccessDenied') return undefined;
      throw error;
    }
  });

/** A workload whose roll-out has begun. */
async function begun(workload: Workload, extra: object) {
  const options = optionsFor(`${workload.name}-tls`, workload);
  await createWorkload(workload, extra);
  await grant(options);
  const asked = await request();
  await startedOnceGranted(options, asked);
  return { hook: await hookFor(options), asked };
}

/** Looks until it is done, or has failed. */
async function finished(hook: DeployHook, asked: DeployRequest) {
  return eventually('the roll-out is over', async () => {
    const step = await hook.check(asked, {});
    return step.status === 'done' ? step.value : undefined;
  });
}

describe('without a controller manager', () => {
  it('applies the Secret, restarts the workload, and goes on waiting for somebody to look at it', async () => {
    const workload = { kind: 'Deployment', name: 'alone' } as const;
    const options = optionsFor('alone-tls', workload);
    await createWorkload(workload, { replicas: 0 });
    await grant(options);
    const hook = await hookFor(options);
    const asked = await request();
    expect(await startedOnceGranted(options, asked)).toMatchObject({ status: 'waiting' });
    expect(await hook.check(asked, {})).toMatchObject({ status: 'waiting' });

    const { type, data, metadata } = (await read('secret', 'alone-tls')) as unknown as {
      type: string;
      data: Record<string, string>;
      metadata: { labels: object; managedFields: { manager: string; operation: string }[] };
    };
    const decoded = Object.entries(data).map(([key, text]) => [key, Buffer.from(text, 'base64').toString()]);
    expect(type).toBe('kubernetes.io/tls');
    expect(Object.fromEntries(decoded)).toEqual(await bundleOf(asked.release));
    expect(metadata.labels).toEqual({ 'app.kubernetes.io/managed-by': 'everleaf' });
    expect(metadata.managedFields).toMatchObject([{ manager: 'everleaf', operation: 'Apply' }]);
  });

  it('restarts nothing when it is repeated', async () => {
    const workload = { kind: 'Deployment', name: 'repeated' } as const;
    const options = optionsFor('repeated-tls', workload);
    await createWorkload(workload, { replicas: 0 });
    await grant(options);
    const asked = await request();
    const resourceVersions = async (): Promise<unknown[]> =>
      Promise.all(
        [['deployment', 'repeated'] as const, ['secret', 'repeated-tls'] as const].map(async ([resource, name]) => {
          const { metadata } = (await read(resource, name)) as unknown as {
            metadata: { generation?: number; resourceVersion: string };
          };
          return [metadata.generation, metadata.resourceVersion];
        }),
      );
    await startedOnceGranted(options, asked);
    const before = await resourceVersions();
    await (await hookFor(options)).start(asked);
    expect(await resourceVersions()).toEqual(before);
  });
});

describe('the generated RBAC', () => {
  const workload = { kind: 'StatefulSet', name: 'guarded' } as const;
  let options: EksOptions;
  beforeAll(async () => {
    options = optionsFor('guarded-tls', workload);
    await createWorkload(workload, { replicas: 0 });
  });

  it('lets the hook do nothing before it is applied, and the refusal names what grants it', async () => {
    await expect((await hookFor(options)).start(await request())).rejects.toMatchObject({
      class: 'permanent',
      code: 'AccessDenied',
      message: expect.stringMatching(
        /get of statefulsets\/guarded.*403 Forbidden.*"apiGroups":\["apps"\],"resources":\["statefulsets"\],"resourceNames":\["guarded"\]/,
      ) as unknown,
    });
  });

  it('is enough, and each verb in it is needed', async () => {
    const target = { name: 'x', options };
    const [role, binding] = parseAllDocuments(renderRbac([target])).map((document) => document.toJS() as object);
    const { rules } = role as { rules: { verbs: string[]; resources: string[] }[] };
    const without = rules.flatMap(({ verbs, resources }, rule) => verbs.map((verb) => ({ rule, verb, resources })));
    expect(without.map(({ verb, resources }) => `${verb} ${resources.join()}`)).toEqual([
      'create secrets',
      'patch secrets',
      'get statefulsets',
      'patch statefulsets',
    ]);
    for (const { rule, verb } of without) {
      const fewer = rules.map((each, index) =>
        index === rule ? { ...each, verbs: each.verbs.filter((other) => other !== verb) } : each,
      );
      await cluster.kubectl(['delete', 'secret', 'guarded-tls', '--namespace', NAMESPACE, '--ignore-not-found']);
      await cluster.kubectl(['apply'], { apiVersion: 'v1', kind: 'List', items: [{ ...role, rules: fewer }, binding] });
      await eventually(`the loss of ${verb} is noticed`, async () => {
        const failure = await (await hookFor(options)).start(await request()).catch((error: unknown) => error);
        return (failure as { code?: string }).code === 'AccessDenied' ? true : undefined;
      });
    }
    await grant(options);
    await startedOnceGranted(options, await request());
  });

  it('is for these objects alone, and never to read a Secret', async () => {
    await grant(options);
    const api = await connect(options);
    const other = optionsFor('other-tls', { kind: 'StatefulSet', name: 'other' });
    const apply = {
      contentType: 'application/apply-patch+yaml',
      query: { fieldManager: 'everleaf', force: 'true' },
    } as const;
    const nothing = { ...apply, body: { apiVersion: 'v1', kind: 'Secret', type: 'Opaque' } };
    const elsewhere = { ...secretOf(options), namespace: 'default' };
    const attempts: readonly (() => Promise<unknown>)[] = [
      () => api.get(secretOf(options)),
      () => api.get(secretOf(other)),
      () => api.patch(secretOf(other), nothing),
      () => api.patch(elsewhere, nothing),
      () => api.get(workloadOf(other, { kind: 'StatefulSet', name: 'other' })),
      () => api.get({ ...workloadOf(options, workload), resource: 'deployments' }),
      () => api.get({ ...secretOf(options), resource: 'configmaps' }),
    ];
    for (const attempt of attempts) await expect(attempt()).rejects.toMatchObject({ code: 'AccessDenied' });
  });

  it('is for whoever has an access entry, and the token of this cluster', async () => {
    const stranger = { ...DEPLOYER, accessKeyId: 'AKIASTRANGER' };
    const forger = { ...DEPLOYER, secretAccessKey: 'guessed' };
    for (const entry of [stranger, forger]) {
      await expect((await hookFor(options, entry)).start(await request())).rejects.toMatchObject({
        code: 'AccessDenied',
        message: expect.stringContaining('the cluster does not know the role') as unknown,
      });
    }
    const replayed = { ...options, cluster: 'another' };
    await expect((await hookFor(replayed)).start(await request())).rejects.toMatchObject({ code: 'AccessDenied' });
  });
});

describe('what is there already', () => {
  it('is left to another manager, whose name is told, and taken over only by force', async () => {
    const options = optionsFor('disputed-tls');
    await grant(options);
    const theirs = (await make()).bundle;
    const metadata = { name: 'disputed-tls', namespace: NAMESPACE };
    await cluster.kubectl(['apply', '--server-side', '--field-manager', 'argocd-controller'], {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata,
      type: 'kubernetes.io/tls',
      data: Object.fromEntries(
        Object.entries(theirs).map(([name, pem]) => [name, Buffer.from(pem).toString('base64')]),
      ),
    });
    const asked = await request();
    const refusal = await startedOnceGranted(options, asked).catch((error: unknown) => error);
    expect(refusal).toMatchObject({
      class: 'permanent',
      code: 'FieldConflict',
      message: expect.stringMatching(/managed by argocd-controller/) as unknown,
    });
    const served = async (): Promise<string> => {
      const { data } = (await read('secret', 'disputed-tls')) as unknown as { data: Record<string, string> };
      return Buffer.from(data['tls.crt'] ?? '', 'base64').toString();
    };
    expect(await served()).toBe(theirs['tls.crt']);
    await (await hookFor({ ...options, force: true })).start(asked);
    expect(await served()).toBe((await bundleOf(asked.release))['tls.crt']);
  });

  it('of another type is refused, and nothing of the key is in what is said', async () => {
    const options = optionsFor('opaque-tls');
    await grant(options);
    const metadata = { name: 'opaque-tls', namespace: NAMESPACE };
    await cluster.kubectl(['create'], { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque' });
    const asked = await request();
    const refusals = await Promise.all(
      [false, true].map(async (force) =>
        startedOnceGranted({ ...options, force }, asked).catch((error: unknown) => error as Error),
      ),
    );
    expect(refusals).toMatchObject([
      { code: 'FieldConflict', message: expect.stringMatching(/: \.type managed by kubectl/) as unknown },
      { class: 'permanent', code: 'Refused', message: expect.stringContaining('422 Invalid') as unknown },
    ]);
    const key = Buffer.from((await bundleOf(asked.release))['tls.key']).toString('base64');
    expect(refusals.map(String).join('\n')).not.toContain(key.slice(0, 40));
  });

  it('has to be there: a workload that is gone is told', async () => {
    const gone = optionsFor('gone-tls', { kind: 'Deployment', name: 'gone' });
    await grant(gone);
    const refusal = await startedOnceGranted(gone, await request()).catch((error: unknown) => error);
    expect(refusal).toMatchObject({
      code: 'TargetMissing',
      message: expect.stringContaining('404 NotFound') as unknown,
    });
  });
});

describe('with a controller manager', () => {
  beforeAll(() => cluster.startControllerManager());

  it('a Deployment, a StatefulSet and a DaemonSet without pods to restart are done', async () => {
    for (const kind of ['Deployment', 'StatefulSet', 'DaemonSet'] as const) {
      const extra = kind === 'DaemonSet' ? {} : { replicas: 0 };
      const { hook, asked } = await begun({ kind, name: `empty-${kind.toLowerCase()}` }, extra);
      expect(await finished(hook, asked)).toEqual({ replacedAll: true });
    }
  });

  it('a Deployment is done once its new pods are ready, and no sooner', async () => {
    const { hook, asked } = await begun({ kind: 'Deployment', name: 'ready' }, { replicas: 1 });
    const annotation = `{.items[?(@.metadata.annotations.version\\.everleaf\\.dev/ready-tls=="${asked.release.version}")].metadata.name}`;
    const pod = await eventually('there is a new pod', async () => {
      const names = await cluster.kubectl([
        'get',
        'pods',
        '--namespace',
        NAMESPACE,
        '--selector',
        'app=ready',
        '--output',
        `jsonpath=${annotation}`,
      ]);
      return names === '' ? undefined : names;
    });
    expect(await hook.check(asked, {})).toMatchObject({ status: 'waiting' });
    // There is no node: what its kubelet would report is written by hand.
    const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: new Date().toISOString() }];
    const status = JSON.stringify({ status: { phase: 'Running', conditions } });
    await cluster.kubectl([
      'patch',
      'pod',
      pod,
      '--namespace',
      NAMESPACE,
      '--subresource',
      'status',
      '--patch',
      status,
    ]);
    expect(await finished(hook, asked)).toEqual({ replacedAll: true });
  });

  it('a Deployment that makes no progress is undone, and not waited for', async () => {
    const { hook, asked } = await begun(
      { kind: 'Deployment', name: 'stuck' },
      { replicas: 1, progressDeadlineSeconds: 1 },
    );
    await expect(finished(hook, asked)).rejects.toMatchObject({
      class: 'permanent',
      code: 'DeploymentUndone',
      message: expect.stringMatching(/timed out progressing/) as unknown,
    });
  });

  it('a change of the template that somebody undid is seen', async () => {
    const { hook, asked } = await begun({ kind: 'Deployment', name: 'undone' }, { replicas: 0 });
    await finished(hook, asked);
    await cluster.kubectl(['rollout', 'undo', 'deployment/undone', '--namespace', NAMESPACE]);
    await expect(hook.check(asked, {})).rejects.toMatchObject({
      code: 'DeploymentUndone',
      message: expect.stringContaining('names none') as unknown,
    });
  });
});

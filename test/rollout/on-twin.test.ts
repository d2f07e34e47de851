import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HOUR_MS, MINUTE_MS } from '../../functions/core/time.ts';
import { splitCertificates } from '../../functions/core/x509/pem.ts';
import type { EcsService } from '../../local/services/ecs/service.ts';
import {
  bundleIn,
  type Program,
  readAtStart,
  refusingToReload,
  type Surroundings,
} from '../../local/workloads/programs.ts';
import { type KeyedCertificate, TlsProcess } from '../../local/workloads/tls-process.ts';
import { certificateYaml, type Deployment, deployOnTwin, GENERAL_CA, manifestOf } from '../support/deployment.ts';
import { createEcsService, ecsHookYaml } from '../support/ecs-services.ts';
import { servedOn } from '../support/releases.ts';

const NAMES = ['orders', 'pinned', 'misled', 'bare', 'gone'] as const;

let deployment: Deployment;
/** What functions have published. */
const heard: { readonly DetailType: string; readonly Detail: string }[] = [];
const services = new Map<string, EcsService>();

const service = (name: string): EcsService => {
  const found = services.get(name);
  if (found === undefined) throw new Error(`no service ${name}`);
  return found;
};

async function createService(name: string, program: Program): Promise<void> {
  services.set(name, await createEcsService(deployment, name, program));
}

/** As it was at first, until its certificate changes: then it does this with what it reads. */
function spoilt(
  name: string,
  spoil: (bundle: KeyedCertificate, surroundings: Surroundings) => KeyedCertificate,
): Program {
  let first: string | undefined;
  return (surroundings) => {
    const bundle = bundleIn(surroundings.readSecret(`Everleaf/${name}-tls`));
    first ??= bundle.certificate;
    return TlsProcess.start(bundle.certificate === first ? bundle : spoil(bundle, surroundings));
  };
}

/** Somebody mixed up the names of two secrets. */
const misled = spoilt('misled', (_own, { readSecret }) => bundleIn(readSecret('Everleaf/orders-tls')));

/** Reads the leaf alone. */
const bare = spoilt('bare', ({ certificate, key }) => ({ certificate: splitCertificates(certificate)[0] ?? '', key }));

const DECLARED = {
  orders: '',
  pinned: '',
  misled: '  progressDeadline: 1m\n',
  bare: '  onFailure: halt\n',
  gone: '  onFailure: halt\n',
} as const;

/** Until nothing is on its way any more: hints are delayed by half a minute at the most. */
async function settle(): Promise<void> {
  for (let minute = 0; minute < 4; minute++) await deployment.advance(MINUTE_MS);
}

const served = (name: string): Promise<string> => servedOn(service(name).balancer.port, `${name}.internal.example`);

beforeAll(async () => {
  const certificates = NAMES.map((name) => certificateYaml(name));
  deployment = await deployOnTwin({ manifest: manifestOf(...certificates) });
  deployment.twin.use(async (call, next) => {
    const answer = await next();
    if (call.operation === 'PutEvents' && /Function|Role/.test(call.principal) && answer.status === 200) {
      heard.push(...(call.input['Entries'] as typeof heard));
    }
    return answer;
  });
  await deployment.tick();
  await createService('orders', readAtStart('Everleaf/orders-tls'));
  await createService('pinned', refusingToReload('Everleaf/pinned-tls'));
  await createService('misled', misled);
  await createService('bare', bare);
  await createService('gone', readAtStart('Everleaf/gone-tls'));
  const hooks = NAMES.map((name) => ecsHookYaml(name, service(name), DECLARED[name]));
  await deployment.deploy(manifestOf(...certificates, ...hooks));
  await settle();
}, 120_000);
afterAll(() => deployment.close());

const told = (type: string, name: string): readonly Record<string, unknown>[] =>
  heard.flatMap(({ DetailType, Detail }) => {
    const detail = JSON.parse(Detail) as Record<string, unknown>;
    return DetailType === type && detail['certificate'] === `default/${name}` ? [detail] : [];
  });

describe('a hook that was added to a certificate in use', () => {
  it('deploys the version that is current, and proves what is served', async () => {
    const { rollout, current, held } = await deployment.record('orders');
    expect(rollout).toMatchObject({ generation: 1, state: 'deployed' });
    expect(held).toBeUndefined();
    expect(await served('orders')).toBe(current?.leaf.sha256Fingerprint);
    expect(told('Certificate Deployed', 'orders')).toEqual([
      expect.objectContaining({
        generation: 1,
        targets: 1,
        proof: 'served',
        evidence: [expect.objectContaining({ address: '127.0.0.1', verdict: 'served' })],
      }),
    ]);
  });
});

describe('a rotation', () => {
  it('is served after one deployment, however often it is told', async () => {
    const before = service('orders').deployments.length;
    const former = await served('orders');
    await deployment.requestRenewal('orders');
    await deployment.tick();
    const { generation, current } = await deployment.record('orders');
    expect(generation).toBe(2);
    expect(current?.leaf.sha256Fingerprint).not.toBe(former);
    const [rotated] = told('Certificate Rotated', 'orders').slice(-1);
    for (let times = 0; times < 3; times++) await deployment.publish('Certificate Rotated', rotated);
    await settle();
    expect(await served('orders')).toBe(current?.leaf.sha256Fingerprint);
    expect(service('orders').deployments.length - before).toBe(1);
    expect((await deployment.record('orders')).rollout).toMatchObject({ generation: 2, state: 'deployed' });
    expect(told('Certificate Deployed', 'orders')).toHaveLength(2);
  });

  it('that a service does not take is rolled back: in the store, in the service, and on the bus', async () => {
    const first = (await deployment.record('pinned')).current;
    await deployment.requestRenewal('pinned');
    await deployment.tick();
    const second = (await deployment.record('pinned')).current;
    expect(second?.version).not.toBe(first?.version);
    await settle();

    const { current, previous, held, generation, rollout } = await deployment.record('pinned');
    expect(current?.version).toBe(first?.version);
    expect(previous?.version).toBe(second?.version);
    expect(held).toMatchObject({ version: { version: second?.version } });
    expect({ generation, state: rollout?.state }).toEqual({ generation: 3, state: 'rolledBack' });
    const stages = await deployment.stages('pinned');
    expect(stages[first?.version ?? '']).toContain('AWSCURRENT');
    expect(await served('pinned')).toBe(first?.leaf.sha256Fingerprint);
    expect(told('Certificate Rolled Back', 'pinned')).toEqual([
      expect.objectContaining({
        generation: 3,
        undone: expect.objectContaining({ generation: 2, version: second?.version }) as unknown,
        failure: expect.objectContaining({ code: 'DeploymentUndone', target: 'ecs:prod/pinned' }) as unknown,
        evidence: [expect.objectContaining({ verdict: 'served', sha256Fingerprint: first?.leaf.sha256Fingerprint })],
      }),
    ]);
    expect(told('Certificate Deployment Failed', 'pinned')).toEqual([]);
    expect((await deployment.record('orders')).rollout?.state).toBe('deployed');
  });

  it('that was rolled back is tried again, and nothing is ordered in its place', async () => {
    const issued = deployment.pca.issued(GENERAL_CA).length;
    const held = (await deployment.record('pinned')).held?.version.version;
    await deployment.advance(HOUR_MS);
    await settle();
    await settle();
    const { generation, current, held: still } = await deployment.record('pinned');
    expect(generation).toBe(5);
    expect(still?.version.version).toBe(held);
    expect(current?.version).not.toBe(held);
    expect(deployment.pca.issued(GENERAL_CA)).toHaveLength(issued);
    expect(told('Certificate Rotated', 'pinned').at(-1)).toMatchObject({
      generation: 4,
      reason: 'DeploymentRetried',
      store: { version: held },
    });
    expect(told('Certificate Rolled Back', 'pinned')).toHaveLength(2);
  });

  it('comes after a person has asked for another one, which takes the place of the one that is held', async () => {
    await deployment.requestRenewal('pinned');
    await deployment.tick();
    const { generation, held } = await deployment.record('pinned');
    expect(generation).toBe(6);
    expect(held).toBeUndefined();
  });
});

describe('a rotation that cannot be served', () => {
  const firstLeaves = new Map<string, string | undefined>();
  const ENDS = ['Certificate Deployed', 'Certificate Rolled Back', 'Certificate Deployment Failed'];
  const ended = (name: string): readonly Record<string, unknown>[] => ENDS.flatMap((type) => told(type, name)).slice(1);

  beforeAll(async () => {
    for (const name of ['misled', 'bare', 'gone']) {
      const { rollout, current } = await deployment.record(name);
      if (rollout?.state !== 'deployed') throw new Error(`${name} is ${rollout?.state}`);
      firstLeaves.set(name, current?.leaf.sha256Fingerprint);
      await deployment.requestRenewal(name);
    }
    deployment.twin.ecs.deleteService(service('gone'));
    await deployment.tick();
    await settle();
    await settle();
  }, 120_000);

  it('since a leaf for another name is there is rolled back, with what was seen', async () => {
    const { rollout, current } = await deployment.record('misled');
    expect(rollout?.state).toBe('rolledBack');
    expect(current?.leaf.sha256Fingerprint).toBe(firstLeaves.get('misled'));
    expect(await served('misled')).toBe(firstLeaves.get('misled'));
    const message = expect.stringContaining('it serves another leaf: orders.internal.example') as unknown;
    expect(ended('misled')).toEqual([
      expect.objectContaining({ failure: expect.objectContaining({ code: 'NotServed', message }) as unknown }),
    ]);
  });

  it('for want of an intermediate is halted at once, as declared', async () => {
    expect(await deployment.record('bare')).toMatchObject({ generation: 2, rollout: { state: 'halted' } });
    const message = expect.stringContaining('an intermediate is missing') as unknown;
    expect(ended('bare')).toEqual([
      expect.objectContaining({
        outcome: 'halted',
        failure: expect.objectContaining({ code: 'ChainNotTrusted', message }) as unknown,
        evidence: [expect.objectContaining({ verdict: 'badChain' })],
      }),
    ]);
  });

  it('since its target is gone is halted, as declared', async () => {
    expect(await deployment.record('gone')).toMatchObject({ generation: 2, rollout: { state: 'halted' } });
    expect(ended('gone')).toEqual([
      expect.objectContaining({
        outcome: 'halted',
        failure: expect.objectContaining({ code: 'TargetMissing', target: 'ecs:prod/gone' }) as unknown,
      }),
    ]);
  });

  it('leaves the others unharmed', async () => {
    const { rollout, current } = await deployment.record('orders');
    expect(rollout?.state).toBe('deployed');
    expect(await served('orders')).toBe(current?.leaf.sha256Fingerprint);
  });
});

it('lets no key out, and is denied nothing', () => {
  expect(deployment.twin.keyWatch.findings).toEqual([]);
  expect(deployment.twin.calls.filter(({ errorCode }) => errorCode?.startsWith('AccessDenied') === true)).toEqual([]);
});

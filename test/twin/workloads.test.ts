import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EcsService } from '../../local/services/ecs/service.ts';
import {
  hotReloading,
  neverReloading,
  type Program,
  readAtStart,
  refusingToReload,
} from '../../local/workloads/programs.ts';
import { type BareTwin, startBareTwin } from '../support/bare-twin.ts';
import { servedOn } from '../support/releases.ts';

const NAME = 'web.internal.example';

let bare: BareTwin;
beforeAll(async () => {
  bare = await startBareTwin(NAME);
});
afterAll(() => bare.close());

let numbered = 0;

async function running(programOf: (secret: string) => Program) {
  const name = `service-${numbered++}`;
  const secret = await bare.newSecret(name);
  const first = await secret.next();
  const taskDefinition = bare.twin.ecs.register({
    family: name,
    containerDefinitions: [{ name: 'web', environment: [], secrets: [] }],
  });
  const service = await bare.twin.ecs.createService(
    { cluster: 'prod', name, taskDefinition, desiredCount: 2 },
    programOf(secret.arn),
  );
  const served = (): Promise<string> => servedOn(service.balancer.port, NAME);
  expect(await served()).toBe(first.sha256Fingerprint);
  return { service, served, first, second: await secret.next() };
}

const redeploy = async (service: EcsService): Promise<void> => {
  service.deploy(service.taskDefinition, async () => undefined);
  await bare.twin.settled();
};

describe('services of the twin', () => {
  it('that read at start hold the old certificate until their tasks are replaced', async () => {
    const { service, served, first, second } = await running(readAtStart);
    expect(await served()).toBe(first.sha256Fingerprint);
    await redeploy(service);
    for (let task = 0; task < 2; task++) expect(await served()).toBe(second.sha256Fingerprint);
  });

  it('that reload serve the new one by themselves', async () => {
    const { service, served, second } = await running(hotReloading);
    expect(await served()).toBe(second.sha256Fingerprint);
    expect(service.deployments).toHaveLength(1);
  });

  it('that never reload serve the old one after a deployment that succeeded', async () => {
    const { service, served, first } = await running(neverReloading);
    await redeploy(service);
    expect(service.latest?.status).toBe('SUCCESSFUL');
    expect(await served()).toBe(first.sha256Fingerprint);
  });

  it('that refuse the new one have their deployment undone by the circuit breaker', async () => {
    const { service, served, first } = await running(refusingToReload);
    await redeploy(service);
    expect(service.latest).toMatchObject({
      status: 'ROLLBACK_SUCCESSFUL',
      reason: expect.stringContaining('the certificate is not the one that is pinned') as unknown,
    });
    expect(await served()).toBe(first.sha256Fingerprint);
  });

  it('fail no handshake while their tasks are replaced', async () => {
    const { service, served } = await running(readAtStart);
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const handshakes = Array.from({ length: 8 }, async () => {
      for (let round = 0; round < 20; round++) {
        await served();
        begin();
      }
    });
    await begun;
    for (let rotation = 0; rotation < 5; rotation++) await redeploy(service);
    await expect(Promise.all(handshakes)).resolves.toHaveLength(8);
  });
});

import { expect, it } from 'vitest';
import { rolloutDueAt } from '../../../functions/core/rollout/decide.ts';
import type { RolloutRecord } from '../../../functions/core/rollout/record.ts';
import { HOUR_MS, MINUTE_MS } from '../../../functions/core/time.ts';
import type { EcsService } from '../../../local/services/ecs/service.ts';
import { type Program, readAtStart, refusingToReload } from '../../../local/workloads/programs.ts';
import { certificateYaml, type Deployment, deployOnTwin, manifestOf } from '../../support/deployment.ts';
import { createEcsService, ecsHookYaml } from '../../support/ecs-services.ts';
import { servedOn } from '../../support/releases.ts';
import { toNextTickMs } from '../days.ts';
import { TAKES_ALL } from '../extent.ts';
import { type Boundary, type Strike, STRIKES, Wire } from './wire.ts';

const NAME = 'orders';
const ID = 'default/orders' as RolloutRecord['id'];
const DEPLOYING = /^EverleafDeployment/;
/** Sweeps take months, and the twin's clock never passes wall time. */
const LONG_AGO_DAYS = 700;
const TIMEOUT_MS = 25 * MINUTE_MS;
const MOST_TICKS = 40;

interface Scene {
  readonly deployment: Deployment;
  readonly service: EcsService;
  readonly wire: Wire;
  readonly ends: 'deployed' | 'rolledBack';
}

async function open(program: Program, ends: Scene['ends']): Promise<Scene> {
  const certificate = certificateYaml(NAME);
  const deployment = await deployOnTwin({ manifest: manifestOf(certificate), pastDays: LONG_AGO_DAYS });
  await deployment.tick();
  const service = await createEcsService(deployment, NAME, program);
  await deployment.deploy(manifestOf(certificate, ecsHookYaml(NAME, service)));
  const scene = { deployment, service, wire: new Wire(deployment.twin, undefined, DEPLOYING), ends };
  await rest(scene);
  return scene;
}

const rolloutOf = async ({ operator }: Deployment): Promise<RolloutRecord | undefined> =>
  (await operator.inventory.readRollout(ID))?.value;

/** Only the schedule fires, until the roll-out has ended. */
async function rest({ deployment }: Scene, begun = 0): Promise<RolloutRecord | undefined> {
  for (let tick = 0; tick < MOST_TICKS; tick++) {
    const rollout = await rolloutOf(deployment);
    const isOver = rollout?.phase === 'deployed' || rollout?.phase === 'held';
    if (isOver && rollout.release.generation > begun && rollout.outbox.length === 0) return rollout;
    const due = rollout === undefined ? 0 : (rolloutDueAt(rollout) ?? 0);
    await deployment.advance(toNextTickMs(due, deployment.now()));
  }
  return undefined;
}

/** One rotation, struck as told. Answers the calls that the deploying function made, and what was wrong at the end. */
async function rotate(
  scene: Scene,
  target?: { readonly boundary: Boundary; readonly strike: Strike },
): Promise<{ readonly trail: readonly Boundary[]; readonly faults: readonly string[] }> {
  const { deployment, service, wire, ends } = scene;
  // A day has room for so many orders; what is held is tried again meanwhile.
  await deployment.advance(6 * HOUR_MS);
  await rest(scene);
  const was = await deployment.record(NAME);
  const deployments = service.deployments.length;
  await deployment.requestRenewal(NAME);
  wire.listen(target);
  await deployment.tick();
  const rollout = await rest(scene, was.generation);
  const trail = [...wire.trail];
  const { generation, current, held, rollout: state } = await deployment.record(NAME);
  const isBack = ends === 'rolledBack';
  const stages = await deployment.stages(NAME);
  const served = await servedOn(service.balancer.port, `${NAME}.internal.example`);
  const begun = service.deployments.length - deployments;
  const deadLetters = deployment.twin.queue('EverleafDeploymentDeadLetters').messages().length;
  const faults = [
    ...(target !== undefined && !wire.hasStruck ? ['the call was never made'] : []),
    ...(rollout === undefined ? ['the roll-out never ended'] : []),
    ...(state?.state === ends ? [] : [`it ended ${state?.state ?? 'nowhere'}`]),
    ...(generation === was.generation + (isBack ? 2 : 1) ? [] : [`generation ${was.generation} became ${generation}`]),
    ...(isBack === (held !== undefined) ? [] : [isBack ? 'it is not held' : 'it is held']),
    ...(stages[current?.version ?? '']?.includes('AWSCURRENT') === true ? [] : ['the ledger’s version is not current']),
    ...(isBack === (current?.version === was.current?.version) ? [] : ['another version is current than should be']),
    ...(served === current?.leaf.sha256Fingerprint ? [] : ['something else is served']),
    ...(begun === (isBack ? 2 : 1) ? [] : [`${begun} deployments`]),
    ...(deadLetters === 0 ? [] : [`${deadLetters} dead letters`]),
    ...deployment.twin.keyWatch.findings.splice(0).map(({ channel }) => `a key on ${channel}`),
  ];
  return { trail, faults };
}

async function sweep(
  program: () => Program,
  ends: Scene['ends'],
): Promise<{ calls: number; faults: readonly string[] }> {
  const lanes = await Promise.all([0, 1].map(() => open(program(), ends)));
  try {
    const [first] = lanes;
    if (first === undefined) throw new Error('no lane');
    const { trail, faults: already } = await rotate(first);
    if (already.length > 0) throw new Error(`already without a strike: ${already.join('; ')}`);
    const jobs = trail.flatMap((boundary) => STRIKES.map((strike) => ({ boundary, strike })));
    const faults = await Promise.all(
      lanes.map(async (scene, lane) => {
        const found: string[] = [];
        for (const job of jobs.filter((_, index) => index % lanes.length === lane)) {
          const { faults: broken } = await rotate(scene, job);
          found.push(...broken.map((fault) => `${job.strike} at ${job.boundary}: ${fault}`));
        }
        return found;
      }),
    );
    process.stdout.write(
      `kill anywhere · ${ends}: ${trail.length} calls, ${jobs.length} strikes\n${trail.join(' ')}\n`,
    );
    return { calls: trail.length, faults: faults.flat() };
  } finally {
    await Promise.all(lanes.map(({ deployment }) => deployment.close()));
  }
}

// Two deployments each, for some minutes: `npm test` has test/rollout/deploy.test.ts, which strikes the ports.
it.runIf(TAKES_ALL).each([
  ['a roll-out', 'deployed', () => readAtStart(`Everleaf/${NAME}-tls`)],
  ['a roll-back', 'rolledBack', () => refusingToReload(`Everleaf/${NAME}-tls`)],
] as const)(
  '%s ends as if nothing had been, whatever happens to a call of the deploying function',
  async (_, ends, program) => {
    const { calls, faults } = await sweep(program, ends);
    expect(calls).toBeGreaterThan(15);
    expect(faults).toEqual([]);
  },
  TIMEOUT_MS,
);

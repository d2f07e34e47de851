import { MINUTE_MS } from '../../../functions/core/time.ts';
import type { Scenario, World } from './scenarios.ts';
import { before, converge, faultsAtRest } from './verdict.ts';
import { type Boundary, type Strike, Wire } from './wire.ts';

export interface Sweep {
  /** Every call of one renewal that nobody disturbs. */
  readonly boundaries: readonly Boundary[];
  /** How many calls the servers counted meanwhile. */
  readonly countedByServers: number;
  readonly strikes: number;
  /** One line for each promise that a strike broke. */
  readonly faults: readonly string[];
}

interface Job {
  readonly boundary: Boundary;
  readonly strike: Strike;
}

export interface SweepOptions {
  /** How the call at that place of the renewal is struck, in turn. */
  readonly strikesAt: (index: number) => readonly Strike[];
  /** Deployments side by side: a renewal spends most of its time waiting for its CA. */
  readonly lanes: number;
}

export async function sweep(scenario: Scenario, { strikesAt, lanes }: SweepOptions): Promise<Sweep> {
  const { boundaries, countedByServers } = await undisturbed(scenario);
  const jobs = boundaries.flatMap((boundary, index) => strikesAt(index).map((strike): Job => ({ boundary, strike })));
  const faults = await Promise.all(
    Array.from({ length: lanes }, (_, lane) =>
      strikeAll(
        scenario,
        jobs.filter((_job, index) => index % lanes === lane),
      ),
    ),
  );
  return { boundaries, countedByServers, strikes: jobs.length, faults: faults.flat() };
}

async function undisturbed(scenario: Scenario): Promise<Pick<Sweep, 'boundaries' | 'countedByServers'>> {
  return inWorld(scenario, 1, async (world, wire) => {
    const was = await before(world, await world.next());
    await forget(world);
    await world.setGoing(was.name);
    wire.listen();
    await world.deployment.tick();
    const [boundaries, countedByServers] = [[...wire.trail], wire.countedByServers];
    const faults = [...(await converge(world, was)), ...(await faultsAtRest(world, wire, was))];
    if (faults.length > 0) throw new Error(`${scenario.name}: already without a strike: ${faults.join('; ')}`);
    return { boundaries, countedByServers };
  });
}

const strikeAll = (scenario: Scenario, jobs: readonly Job[]): Promise<readonly string[]> =>
  inWorld(scenario, jobs.length, async (world, wire) => {
    const faults: string[] = [];
    for (const job of jobs) {
      const broken = await strikeOnce(world, wire, job);
      faults.push(...broken.map((fault) => `${scenario.name}: ${job.strike} at ${job.boundary}: ${fault}`));
    }
    return faults;
  });

/** Longer than a warm function trusts what it has learnt of its CA. */
const APART_MS = 6 * MINUTE_MS;

/** Each run asks the CA for everything anew. A directory of ACME is known for as long as its worker lives. */
async function forget({ deployment, ca }: World): Promise<void> {
  if (ca === undefined) await deployment.advance(APART_MS);
  else await deployment.twin.cool('EverleafIssuanceIssueFunction');
}

async function strikeOnce(world: World, wire: Wire, job: Job): Promise<readonly string[]> {
  const was = await before(world, await world.next());
  await forget(world);
  await world.setGoing(was.name);
  wire.listen(job);
  await world.deployment.tick();
  const hit = wire.hasStruck ? [] : [`the call was never made, only ${wire.trail.join(' ')}`];
  return [...hit, ...(await converge(world, was)), ...(await faultsAtRest(world, wire, was))];
}

async function inWorld<T>(
  scenario: Scenario,
  runs: number,
  work: (world: World, wire: Wire) => Promise<T>,
): Promise<T> {
  const world = await scenario.open(runs);
  try {
    return await work(world, new Wire(world.deployment.twin, world.ca));
  } finally {
    await world.deployment.close();
  }
}

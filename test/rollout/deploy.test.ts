import { describe, expect, it } from 'vitest';
import { ConflictError, PermanentError, TransientError } from '../../functions/core/errors.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../functions/core/time.ts';
import type { DeployParts } from '../../functions/deploy/parts.ts';
import { interrupted, Killed } from '../support/interruptions.ts';
import { type RolloutWorkshop, rolloutWorkshop } from '../support/rollout-workshop.ts';

/** A certificate whose first version is served everywhere, and whose second one was just promoted. */
async function rotated(options?: Parameters<typeof rolloutWorkshop>[0]): Promise<RolloutWorkshop> {
  const shop = await rolloutWorkshop(options);
  await shop.work();
  await shop.minutes(3);
  expect((await shop.record()).rollout).toMatchObject({ generation: 1, state: 'deployed' });
  await shop.happens({ event: 'RenewalRequested', by: 'test' });
  await shop.work();
  return shop;
}

const typesOf = ({ published }: RolloutWorkshop): readonly string[] =>
  published.map(({ type }) => type).filter((type) => type !== 'Certificate Renewal Due');

describe('a rotation', () => {
  it('has its roll-out opened before it is told', async () => {
    const shop = await rolloutWorkshop();
    const order: string[] = [];
    const parts = {
      ...shop.parts,
      bus: { publish: async () => void order.push('told') },
      inventory: {
        ...shop.inventory,
        writeRollout: async (...values: Parameters<typeof shop.inventory.writeRollout>) => {
          order.push('opened');
          return shop.inventory.writeRollout(...values);
        },
      },
    };
    await shop.work(parts);
    expect(order).toEqual(['opened', 'told']);
  });

  it('whose roll-out cannot be opened is a renewal all the same, and owes it', async () => {
    const shop = await rolloutWorkshop();
    const inventory = {
      ...shop.inventory,
      readRollout: async () => {
        throw new TransientError('Throttled', 'slow down');
      },
    };
    await expect(shop.work({ ...shop.parts, inventory })).rejects.toMatchObject({ code: 'Throttled' });
    expect(await shop.record()).toMatchObject({ generation: 1, failures: { count: 0 } });
    await shop.minutes(4);
    expect((await shop.record()).rollout?.state).toBe('deployed');
  });

  it('is deployed once, proved by connections in a row, and told', async () => {
    const shop = await rotated();
    await shop.minutes(4);
    const { generation, rollout } = await shop.record();
    expect({ generation, state: rollout?.state }).toEqual({ generation: 2, state: 'deployed' });
    for (const { serves, begun } of shop.targets) {
      expect(serves).toBe(shop.currentFingerprint());
      expect(begun).toHaveLength(2);
    }
    expect(typesOf(shop)).toEqual([
      'Certificate Rotated',
      'Certificate Deployed',
      'Certificate Rotated',
      'Certificate Deployed',
    ]);
    const before = shop.probes();
    await shop.deployOnce();
    expect(shop.probes()).toBe(before);
  });
});

describe('a version that cannot be deployed', () => {
  const FAULTS: readonly [string, string, (shop: RolloutWorkshop) => void][] = [
    [
      'a target takes it back',
      'DeploymentUndone',
      ({ targets, currentFingerprint }) => {
        const bad = currentFingerprint();
        for (const target of targets) target.fate = (leaf) => (leaf === bad ? 'undone' : 'done');
      },
    ],
    [
      'a service never reloads',
      'NotServed',
      ({ targets, currentFingerprint }) => {
        const [, stuck] = targets;
        const bad = currentFingerprint();
        if (stuck !== undefined) stuck.fate = (leaf) => (leaf === bad ? 'stale' : 'done');
      },
    ],
    ['its chain is trusted by nobody', 'ChainNotTrusted', ({ verdicts }) => verdicts.set('10.0.0.0', 'badChain')],
    [
      'its endpoint is an address that is never asked',
      'EndpointRefused',
      ({ verdicts }) => verdicts.set('10.0.0.1', 'refused'),
    ],
  ];

  it.each(FAULTS)('since %s is rolled back by name, and told once with the reason', async (_, code, spoil) => {
    const shop = await rotated();
    const [first] = shop.published.flatMap((event) => (event.type === 'Certificate Rotated' ? [event.detail] : []));
    spoil(shop);
    // What is wrong with the new chain is not wrong with the one before.
    await shop.minutes(30, {
      ...shop.deployParts,
      versions: {
        ...shop.deployParts.versions,
        switchTo: async (...values) => {
          await shop.deployParts.versions.switchTo(...values);
          shop.verdicts.clear();
        },
      },
    });
    const { current, held, rollout } = await shop.record();
    expect(current?.version).toBe(first?.store.version);
    expect(held?.cause).toContain(code);
    expect(rollout?.state).toBe('rolledBack');
    for (const { serves } of shop.targets.filter(({ begun }) => begun.length > 1)) {
      expect(serves).toBe(first?.sha256Fingerprint);
    }
    const ends = shop.published.filter(({ type }) => type === 'Certificate Rolled Back');
    expect(ends).toHaveLength(1);
    expect(ends[0]?.detail).toMatchObject({ failure: { code }, store: { version: first?.store.version } });
  });

  it('orders nothing for as long as it is held, and another one when expiry comes near', async () => {
    const shop = await rotated();
    const bad = shop.currentFingerprint();
    for (const target of shop.targets) target.fate = (leaf) => (leaf === bad ? 'undone' : 'done');
    await shop.minutes(4);
    const { held, generation } = await shop.record();
    expect(generation).toBe(3);
    const orders = (): number => shop.published.filter(({ type }) => type === 'Certificate Rotated').length;
    const before = orders();
    shop.pass(6 * DAY_MS);
    await shop.minutes(120);
    // Each try promotes the very same version.
    const tries = shop.published.flatMap((event) => (event.type === 'Certificate Rotated' ? [event.detail] : []));
    expect(new Set(tries.map(({ store }) => store.version)).size).toBe(2);
    expect(orders()).toBeGreaterThan(before);
    shop.pass((held?.issueAt ?? 0) - shop.now());
    await shop.minutes(4);
    const after = shop.published.flatMap((event) => (event.type === 'Certificate Rotated' ? [event.detail] : []));
    expect(new Set(after.map(({ store }) => store.version)).size).toBe(3);
    expect(await shop.record()).toMatchObject({ rollout: { state: 'deployed' } });
    expect((await shop.record()).held).toBeUndefined();
  });

  it('is served when it is tried again and what was wrong is mended', async () => {
    const shop = await rotated();
    const bad = shop.currentFingerprint();
    for (const target of shop.targets) target.fate = (leaf) => (leaf === bad ? 'undone' : 'done');
    await shop.minutes(4);
    for (const target of shop.targets) target.fate = () => 'done';
    shop.pass(HOUR_MS);
    await shop.minutes(6);
    const { current, held, generation } = await shop.record();
    expect(current?.leaf.sha256Fingerprint).toBe(bad);
    expect({ held, generation }).toEqual({ held: undefined, generation: 4 });
    for (const { serves } of shop.targets) expect(serves).toBe(bad);
    expect(typesOf(shop).slice(-2)).toEqual(expect.arrayContaining(['Certificate Rotated', 'Certificate Deployed']));
  });

  it('and has none before it, stays where it is, and says so', async () => {
    const shop = await rolloutWorkshop();
    await shop.work();
    for (const target of shop.targets) target.fate = () => 'undone';
    await shop.minutes(4);
    expect(await shop.record()).toMatchObject({ generation: 1, rollout: { state: 'halted' } });
    const event = shop.published.find(({ type }) => type === 'Certificate Deployment Failed');
    expect(event?.detail).toMatchObject({
      outcome: 'halted',
      failure: { message: expect.stringContaining('there is no version before it') as unknown },
    });
  });
});

it('a denial is not taken at its word at once, by a target or by one of our own', async () => {
  const shop = await rotated();
  let denials = 0;
  const denied = (): boolean => denials++ % 4 === 0;
  const denial = new PermanentError('AccessDenied', 'not yet');
  const { inventory, connect } = shop.deployParts;
  await shop.minutes(20, {
    ...shop.deployParts,
    inventory: {
      ...inventory,
      readHook: async (ref) => {
        if (denied()) throw denial;
        return inventory.readHook(ref);
      },
    },
    connect: async (plugin, options) => {
      if (denied()) throw denial;
      return connect(plugin, options);
    },
  });
  expect(denials).toBeGreaterThan(8);
  expect((await shop.record()).rollout?.state).toBe('deployed');
});

it('a version that was rolled back is not tried again once somebody has asked for its revocation', async () => {
  const shop = await rotated({ targets: 1 });
  const bad = shop.currentFingerprint();
  const [target] = shop.targets;
  if (target === undefined) throw new Error('no target');
  target.fate = (fingerprint) => (fingerprint === bad ? 'undone' : 'done');
  await shop.minutes(30);
  const { held } = await shop.record();
  if (held === undefined) throw new Error('nothing is held');
  await shop.happens({
    event: 'RevocationRequested',
    version: held.version.version,
    reason: 'keyCompromise',
    by: 'me',
  });
  // What failed would work now, and no successor comes, since the CA is down.
  target.fate = () => 'done';
  const down = interrupted(shop.parts, async ({ method }, _index, act) => {
    if (method === 'start') throw new TransientError('Down', 'no answer');
    return act();
  });
  const begun = target.begun.length;
  for (let minute = 0; minute < 3 * 60; minute++) {
    shop.pass(MINUTE_MS);
    for await (const { rollout } of shop.inventory.due(shop.now(), 10))
      await (rollout === true ? shop.deployOnce() : shop.work(down));
  }
  expect(target.begun).toHaveLength(begun);
  expect(shop.currentFingerprint()).not.toBe(bad);
  const rollout = await shop.rollout();
  expect(rollout).toMatchObject({ phase: 'held', current: 'fallback' });
  expect(rollout.history.at(-1)).toMatchObject({
    event: 'NotAdvanced',
    cause: 'somebody has asked for its revocation',
  });
});

it('what reads the secret in another Region is restarted once its replica is there', async () => {
  const shop = await rotated({ targets: 1 });
  const slot = { certificate: shop.spec.id, secretName: shop.spec.secretName };
  const connect: DeployParts['connect'] = async (...values) => ({
    ...(await shop.deployParts.connect(...values)),
    readsIn: 'eu-west-1',
  });
  shop.store.secret(slot).behindIn = 'eu-west-1';
  const before = shop.targets[0]?.begun.length;
  await shop.minutes(2, { ...shop.deployParts, connect });
  expect(shop.targets[0]?.begun).toHaveLength(before ?? -1);
  shop.store.secret(slot).behindIn = undefined;
  await shop.minutes(5, { ...shop.deployParts, connect });
  expect((await shop.record()).rollout?.state).toBe('deployed');
});

describe('of twenty endpoints', () => {
  const endpoints = Array.from({ length: 20 }, (_, index) => ({
    host: `host-${index}.example`,
    port: 443,
    serverName: 'orders.internal.example',
  }));
  /** Each takes half a minute to answer. */
  const slowly = (shop: RolloutWorkshop, asked: string[]): DeployParts => ({
    ...shop.deployParts,
    prober: {
      probe: async (endpoint, expectation) => {
        asked.push(endpoint.host);
        shop.pass(30_000);
        return shop.deployParts.prober.probe(endpoint, expectation);
      },
    },
  });

  it('that take long, few are asked in a step, and all of them in the end', async () => {
    const shop = await rotated({ endpoints, targets: 1 });
    const asked: string[] = [];
    const parts = slowly(shop, asked);
    await shop.minutes(2, parts);
    expect(new Set(asked).size).toBeLessThan(10);
    await shop.minutes(30, parts);
    expect(new Set(asked).size).toBe(20);
    expect((await shop.record()).rollout?.state).toBe('deployed');
  });

  it('no more are asked once one is wrong, so that its deadline comes', async () => {
    const shop = await rotated({ endpoints, targets: 1 });
    const asked: string[] = [];
    const parts = slowly(shop, asked);
    shop.verdicts.set('10.0.0.0', 'unreachable');
    await shop.minutes(60, parts);
    expect(new Set(asked).size).toBe(1);
    // Nor does it show the version before.
    expect((await shop.record()).rollout?.state).toBe('incomplete');
  });
});

describe('behind a load balancer', () => {
  it('two good answers and one from an old instance are no proof', async () => {
    const shop = await rotated();
    let connections = 0;
    const prober: DeployParts['prober'] = {
      probe: async (endpoint, expectation) => {
        const results = await shop.deployParts.prober.probe(endpoint, expectation);
        // Every third connection meets an instance that was forgotten.
        return ++connections % 3 === 0 ? results.map((each) => ({ ...each, verdict: 'otherLeaf' as const })) : results;
      },
    };
    await shop.minutes(5, { ...shop.deployParts, prober });
    expect((await shop.rollout()).phase).toBe('rolling');
    expect((await shop.record()).rollout?.state).toBe('underWay');
    await shop.minutes(2);
    expect((await shop.record()).rollout?.state).toBe('deployed');
  });

  it('a target that may still run old instances is done only when each of them was seen', async () => {
    const shop = await rotated({ targets: 1 });
    const [target] = shop.targets;
    if (target === undefined) throw new Error('no target');
    target.replacedAll = false;
    await shop.minutes(3);
    expect((await shop.rollout()).stages[0]?.targets[0]).toMatchObject({ state: 'running' });
    target.instances = [{ address: '10.0.0.0', port: 8443 }];
    await shop.minutes(5);
    expect((await shop.record()).rollout?.state).toBe('deployed');
  });
});

const STRIKES = ['killed before', 'killed after', 'answer lost'] as const;
type Strike = (typeof STRIKES)[number];

/** Every call of every port of the deploying worker, struck once. */
async function struckAt(index: number, how: Strike, fails: boolean): Promise<{ shop: RolloutWorkshop; calls: number }> {
  const shop = await rotated({ targets: 2 });
  if (fails) {
    const bad = shop.currentFingerprint();
    for (const target of shop.targets) target.fate = (leaf) => (leaf === bad ? 'undone' : 'done');
  }
  let calls = 0;
  let isDead = false;
  const strike = async <T>(act: () => Promise<T>, lost: () => Error = unreachable): Promise<T> => {
    // A killed worker makes no further call, whatever its code would do on the way out.
    if (isDead) throw new Killed();
    const isHit = calls++ === index;
    isDead = isHit && how !== 'answer lost';
    if (isHit && how === 'killed before') throw new Killed();
    const answer = await act();
    if (isHit) throw how === 'killed after' ? new Killed() : lost();
    return answer;
  };
  const { inventory, versions, bus, hints, connect, prober } = shop.deployParts;
  const parts: DeployParts = {
    ...shop.deployParts,
    inventory: {
      ...inventory,
      read: (id) => strike(() => inventory.read(id)),
      write: (record, revision) => strike(() => inventory.write(record, revision), stale),
      readRollout: (id) => strike(() => inventory.readRollout(id)),
      writeRollout: (record, revision) => strike(() => inventory.writeRollout(record, revision), stale),
      readHook: (ref) => strike(() => inventory.readHook(ref)),
    },
    versions: { ...versions, switchTo: (slot, to, from) => strike(() => versions.switchTo(slot, to, from)) },
    bus: { publish: (events) => strike(() => bus.publish(events)) },
    hints: { later: (hint, seconds) => strike(() => hints.later(hint, seconds)) },
    connect: async (plugin, options) => {
      const hook = await connect(plugin, options);
      return {
        start: (request) => strike(() => hook.start(request)),
        check: (request, ticket) => strike(() => hook.check(request, ticket)),
      };
    },
    prober: { probe: (endpoint, expectation) => strike(() => prober.probe(endpoint, expectation)) },
  };
  // A worker that is killed leaves its leases behind: they run out, and the schedule sends another one.
  for (let round = 0; round < 40; round++) {
    isDead = false;
    await shop.minutes(1, parts).catch(ignoreKilled);
  }
  return { shop, calls };
}

const unreachable = (): Error => new TransientError('Unreachable', 'no answer', { mayHaveActed: true });

/** The SDK writes again, and finds a newer revision: its own. */
const stale = (): Error => new ConflictError('StaleRevision', 'it has changed');

function ignoreKilled(error: unknown): void {
  if (!(error instanceof Killed) && !(error instanceof TransientError)) throw error;
}

describe.each([
  ['a roll-out', false],
  ['a roll-back', true],
] as const)('%s struck at any of its worker’s calls', (_, fails) => {
  it('ends as if nothing had been', async () => {
    const { calls } = await struckAt(-1, 'answer lost', fails);
    expect(calls).toBeGreaterThan(15);
    for (let index = 0; index < calls; index++) {
      for (const how of STRIKES) {
        const { shop } = await struckAt(index, how, fails);
        const { rollout, held, generation, current } = await shop.record();
        const state = { state: rollout?.state, held: held !== undefined, generation };
        const end = fails
          ? { state: 'rolledBack', held: true, generation: 3 }
          : { state: 'deployed', held: false, generation: 2 };
        expect(state, `${how}: call ${index}`).toEqual(end);
        for (const { serves, begun } of shop.targets) {
          if (begun.length > 1) expect(serves).toBe(current?.leaf.sha256Fingerprint);
          expect(new Set(begun).size).toBe(begun.length);
        }
        expect(shop.currentFingerprint()).toBe(current?.leaf.sha256Fingerprint);
        const ends = fails ? 'Certificate Rolled Back' : 'Certificate Deployed';
        expect(typesOf(shop)).toContain(ends);
      }
    }
  });
});

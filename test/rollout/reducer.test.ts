import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { decideRollout, rolloutDueAt } from '../../functions/core/rollout/decide.ts';
import { hookRef } from '../../functions/core/rollout/hook-spec.ts';
import { rolloutIdOf, type RolloutRecord, rolloutRecord, type Stage } from '../../functions/core/rollout/record.ts';
import { applyRollout } from '../../functions/core/rollout/transitions.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../functions/core/time.ts';
import { NOON } from '../support/builders.ts';
import { aPolicy, aStage, type Fate, finish, HOOK, noted, opened, World } from './simulation.ts';

const SECOND_HOOK = hookRef.parse('payments/second@ba9876543210');

const fates = fc.record({
  looks: fc.nat(3),
  ends: fc.constantFrom<Fate['ends']>('done', 'done', 'done', 'done', 'failed', 'never'),
});
const policies = fc.record({
  concurrency: fc.integer({ min: 1, max: 4 }),
  onFailure: fc.constantFrom('rollback' as const, 'halt' as const, 'continue' as const),
  canary: fc.integer({ min: 1, max: 3 }),
  size: fc.integer({ min: 1, max: 4 }),
  pauseSeconds: fc.constantFrom(0, 600),
  targets: fc.integer({ min: 1, max: 8 }),
});

/** Turns of a worker that is killed after so many of its calls, and of messages that come twice or about something older. */
const turns = fc.array(fc.constantFrom('step', 'step', 'step', 'killed', 'duplicate', 'late', 'wait'), {
  minLength: 1,
  maxLength: 60,
});

describe('a roll-out, whatever happens to it,', () => {
  it('ends in a declared state that is true, begins one version under one id, and stays within its concurrency', () => {
    fc.assert(
      fc.property(
        fc.array(policies, { minLength: 1, maxLength: 2 }),
        fc.array(fates, { minLength: 16, maxLength: 16 }),
        fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
        turns,
        (documents, targetFates, proofs, history) => {
          const stages = (): readonly Stage[] =>
            documents.map(({ targets, canary, size, pauseSeconds, concurrency, onFailure }, index) =>
              aStage(
                aPolicy({
                  waves: { canary: { count: canary }, size: { count: size }, pauseSeconds },
                  concurrency,
                  onFailure,
                  order: index,
                }),
                targets,
                1,
                index === 0 ? HOOK : SECOND_HOOK,
              ),
            );
          let proof = 0;
          const world = new World(
            stages,
            (target, version) => {
              const place = Number(target.split(' ')[1]) + (target.startsWith(HOOK) ? 0 : 8);
              // What was served before is served again.
              return version === 'v2' ? (targetFates[place] ?? { looks: 0, ends: 'done' }) : { looks: 1, ends: 'done' };
            },
            () => proofs[proof++ % proofs.length] ?? true,
          );
          let rollout = opened();
          let former = rollout;
          for (const turn of history) {
            if (turn === 'wait') {
              world.now += 45 * SECOND_MS;
              continue;
            }
            const happenings = world.act(rollout);
            // Killed: the world has moved, and nobody has noted it.
            if (turn === 'killed') continue;
            const before = rollout;
            rollout = noted(rollout, happenings, world.now);
            // A worker that lost its lease speaks of what was before.
            if (turn === 'late') {
              for (const happening of happenings) {
                const by = { actor: 'deploy', at: world.now, of: `${rolloutIdOf(former)}-older` };
                expect(applyRollout(rollout, happening, by)).toBe(rollout);
              }
            }
            // The same message again: it is decided anew, from what is noted.
            if (turn === 'duplicate') rollout = noted(rollout, world.act(rollout), world.now);
            former = before;
          }
          const end = finish(rollout, world).rollout;

          expect(['deployed', 'held']).toContain(end.phase);
          for (const versions of world.begun.values()) expect(versions.size).toBe(1);
          expect(world.mostUnderWay).toBeLessThanOrEqual(Math.max(...documents.map((each) => each.concurrency)));
          expect(end.current).toBe(world.current);
          expect(outcomesOf(end)).toContain(end.outcome);
          for (const stage of end.stages) {
            stage.targets.forEach(({ state }, index) => {
              if (state !== 'done') return;
              const version = end.current === 'release' ? 'v2' : 'v1';
              expect(world.has.get(`${stage.hook} ${index}`)).toBe(version);
            });
          }
          if (end.outcome === 'deployed') {
            expect(end.stages.flatMap(({ targets }) => targets).every(({ state }) => state === 'done')).toBe(true);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

/** What outcomes go with what else the record says. */
function outcomesOf({ phase, current, failureCount, failuresBefore = 0 }: RolloutRecord): readonly string[] {
  if (phase === 'deployed') return ['deployed'];
  if (current === 'fallback') return [failureCount > failuresBefore ? 'incomplete' : 'rolledBack'];
  return ['halted', 'incomplete'];
}

describe('five hundred services behind one certificate', () => {
  const policy = aPolicy({
    waves: { canary: { count: 2 }, size: { share: 20 }, pauseSeconds: 600 },
    concurrency: 20,
  });

  it('are deployed in waves, within the concurrency, in a record that stays small', () => {
    const world = new World(
      () => [aStage(policy, 500, 500)],
      () => ({ looks: 3, ends: 'done' }),
    );
    let largest = 0;
    const waves: number[] = [];
    const { rollout } = finish(opened(), world, (state) => {
      largest = Math.max(largest, JSON.stringify(z.encode(rolloutRecord, state)).length);
      if (state.stages.length > 0 && waves.at(-1) !== state.wave) waves.push(state.wave);
    });
    expect(rollout).toMatchObject({ phase: 'deployed', outcome: 'deployed' });
    expect(world.has.size).toBe(500);
    expect(rollout.stages[0]?.waves).toEqual([2, 100, 100, 100, 100, 98]);
    expect(waves).toEqual([0, 1, 2, 3, 4, 5]);
    expect(world.mostUnderWay).toBe(20);
    expect(largest).toBeLessThan(60_000);
    expect(rollout.outbox).toEqual([]);
  });

  it('are left alone but for two, when the canaries do not come up', () => {
    const world = new World(
      () => [aStage(policy, 500)],
      (_, version) => (version === 'v2' ? { looks: 1, ends: 'failed' } : { looks: 1, ends: 'done' }),
    );
    const { rollout } = finish(opened(), world);
    expect(rollout).toMatchObject({ phase: 'held', outcome: 'rolledBack', current: 'fallback' });
    expect(rollout.stages[0]?.targets.filter(({ state }) => state === 'done')).toHaveLength(2);
    expect(rollout.stages[0]?.targets.filter(({ state }) => state === 'left')).toHaveLength(498);
  });

  it('begin in the nights of a year only, also of those in which the clocks change', () => {
    const window = { cron: '0 2 * * *', durationSeconds: 3 * 3_600, timeZone: 'Europe/Berlin' };
    const nightly = { ...policy, window };
    const world = new World(
      () => [aStage(nightly, 500)],
      () => ({ looks: 10, ends: 'done' }),
    );
    let rollout = opened();
    for (let generation = 3; generation < 15; generation++) {
      rollout = finish(rollout, world).rollout;
      expect(rollout.outcome).toBe('deployed');
      world.now += 26 * DAY_MS;
      rollout = opened(generation, rollout);
    }
    const hour = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', hourCycle: 'h23', timeZone: 'Europe/Berlin' });
    expect(world.startedAt).toHaveLength(12 * 500);
    const hours = new Set(world.startedAt.map((at) => hour.format(at)));
    // Three hours by the clock that nobody changes: in spring the last of them is the one after four.
    expect([...hours].every((each) => ['02', '03', '04', '05'].includes(each))).toBe(true);
    expect(world.now - NOON).toBeGreaterThan(300 * DAY_MS);
  });
});

describe('a roll-out that is held', () => {
  const failing = (): World =>
    new World(
      () => [aStage(aPolicy(), 1)],
      (_, version) => (version === 'v2' ? { looks: 0, ends: 'failed' } : { looks: 0, ends: 'done' }),
    );

  it('is tried again after an hour, after six, and then daily, under another id each time', () => {
    const world = failing();
    let rollout = finish(opened(), world).rollout;
    const waits: number[] = [];
    const ids = [rolloutIdOf(rollout)];
    for (let round = 0; round < 4; round++) {
      const retryAt = rollout.hold?.retryAt ?? 0;
      waits.push((retryAt - world.now) / HOUR_MS);
      expect(rolloutDueAt(rollout)).toBe(retryAt);
      expect(decideRollout(rollout, retryAt - 1).do).toBe('rest');
      world.now = retryAt;
      rollout = noted(rollout, world.act(rollout), world.now);
      rollout = finish(rollout, world).rollout;
      ids.push(rolloutIdOf(rollout));
    }
    expect(waits.map(Math.round)).toEqual([1, 6, 24, 24]);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('is not tried once it has expired', () => {
    const world = failing();
    const { rollout } = finish(opened(), world);
    const expired = { ...rollout, release: { ...rollout.release, notAfter: world.now } };
    expect(rolloutDueAt(expired)).toBeUndefined();
    expect(decideRollout(expired, world.now + 365 * DAY_MS).do).toBe('rest');
  });

  it('makes the version current again only when its window is open', () => {
    const window = { cron: '0 2 * * *', durationSeconds: 3_600, timeZone: 'UTC' };
    const world = new World(
      () => [aStage(aPolicy({ window }), 1)],
      (_, version) => (version === 'v2' ? { looks: 0, ends: 'failed' } : { looks: 0, ends: 'done' }),
    );
    let { rollout } = finish(opened(), world);
    world.now = rollout.hold?.retryAt ?? 0;
    for (let step = 0; step < 3; step++) rollout = noted(rollout, world.act(rollout), world.now);
    expect(rollout).toMatchObject({ phase: 'rolling', current: 'fallback' });
    expect(new Date(rolloutDueAt(rollout) ?? 0).toISOString()).toBe('2026-06-03T02:00:00.000Z');
    expect(world.current).toBe('fallback');
  });
});

describe('endpoints that never show the version', () => {
  it('are asked to the deadline, and far less than a hundred times: MySQL locks out who asks more', () => {
    let asked = 0;
    const world: World = new World(
      () => [aStage(aPolicy({ progressDeadlineSeconds: 900 }), 1)],
      () => ({ looks: 0, ends: 'done' }),
      () => {
        if (world.current === 'fallback') return true;
        asked += 1;
        return false;
      },
    );
    const { rollout } = finish(opened(), world);
    expect(rollout).toMatchObject({ phase: 'held', outcome: 'rolledBack', failures: [{ code: 'NotServed' }] });
    const failed = rollout.history.find(({ event }) => event === 'Restored');
    expect(failed?.at).toBe(NOON + 900 * SECOND_MS);
    expect(asked).toBeGreaterThan(15);
    expect(asked).toBeLessThan(50);
  });
});

describe('what a document wants done about a failure', () => {
  const withFailure = (onFailure: 'halt' | 'continue') =>
    new World(
      () => [aStage(aPolicy({ onFailure, concurrency: 1 }), 4)],
      (target) => ({ looks: 0, ends: target.endsWith(' 1') ? 'failed' : 'done' }),
    );

  it('halt: nothing more is begun, and the version stays current', () => {
    const world = withFailure('halt');
    const { rollout } = finish(opened(), world);
    expect(rollout).toMatchObject({ phase: 'held', outcome: 'halted', current: 'release', failureCount: 1 });
    expect(rollout.stages[0]?.targets.map(({ state }) => state)).toEqual(['done', 'failed', 'waiting', 'waiting']);
  });

  it('continue: all others have it, and the one that failed is tried again alone', () => {
    const world = withFailure('continue');
    const { rollout } = finish(opened(), world);
    expect(rollout).toMatchObject({ phase: 'held', outcome: 'incomplete', current: 'release' });
    expect(rollout.stages[0]?.targets.map(({ state }) => state)).toEqual(['done', 'failed', 'done', 'done']);
    const before = world.startedAt.length;
    world.now = rollout.hold?.retryAt ?? 0;
    finish(noted(rollout, world.act(rollout), world.now), world);
    expect(world.startedAt.length - before).toBe(1);
  });
});

it('a deployment that is not done by its deadline has failed, at the deadline and not a look later', () => {
  const world = new World(
    () => [aStage(aPolicy({ onFailure: 'halt' }), 1)],
    () => ({ looks: 0, ends: 'never' }),
  );
  const { rollout } = finish(opened(), world);
  expect(rollout.failures).toMatchObject([{ code: 'ProgressDeadlineExceeded', message: 'not done after 900 s' }]);
  expect(world.now - NOON).toBeLessThanOrEqual(15 * MINUTE_MS + 2 * SECOND_MS);
});

it('endpoints that do not serve it by the deadline are a failure with what they served', () => {
  const world = new World(
    () => [aStage(aPolicy({ onFailure: 'halt' }), 1)],
    () => ({ looks: 0, ends: 'done' }),
    () => false,
  );
  const { rollout } = finish(opened(), world);
  expect(rollout.failures).toMatchObject([{ hook: 'payments/orders', code: 'NotServed' }]);
});

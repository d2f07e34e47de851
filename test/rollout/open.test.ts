import { describe, expect, it } from 'vitest';
import { hookRef } from '../../functions/core/rollout/hook-spec.ts';
import { openRollout, type Wanted } from '../../functions/core/rollout/open.ts';
import { rolloutIdOf, type RolloutRecord } from '../../functions/core/rollout/record.ts';
import { HOUR_MS } from '../../functions/core/time.ts';
import { id, NOON } from '../support/builders.ts';
import { aPolicy, aRelease, aStage, finish, HOOK, noted, opened, World } from './simulation.ts';

const OTHER = hookRef.parse('payments/orders@ffffffffffff');
const wanted = (overrides: Partial<Wanted> = {}): Wanted => ({
  id: id('payments/orders'),
  hooks: [HOOK],
  release: aRelease(2),
  fallback: aRelease(1),
  ...overrides,
});
const open = (stored: RolloutRecord | undefined, overrides: Partial<Wanted> = {}): RolloutRecord =>
  openRollout(stored, wanted(overrides), { actor: 'issue', at: NOON });

const world = (fails = false): World =>
  new World(
    () => [aStage(aPolicy(), 2)],
    (_, version) => ({ looks: 0, ends: fails && version === 'v2' ? 'failed' : 'done' }),
  );
const deployed = (): RolloutRecord => finish(opened(), world()).rollout;
const rolledBack = (): RolloutRecord => finish(opened(), world(true)).rollout;
/** Under way: planned, and begun with its first target. */
const underWay = (): RolloutRecord => {
  const w = world();
  return [1, 2].reduce((rollout) => noted(rollout, w.act(rollout), NOON), opened());
};

describe('the roll-out that a certificate wants', () => {
  it('is opened once: the same wish again changes nothing, whatever has become of it', () => {
    for (const stored of [opened(), underWay(), deployed()]) expect(open(stored)).toBe(stored);
    const back = rolledBack();
    expect(open(back, { release: aRelease(1) })).toBe(back);
  });

  it('of a newer version takes the place of an older one’s, and keeps its lease, its trail and what is to be told', () => {
    const stored = { ...underWay(), lease: { owner: 'x', token: 3, expiresAt: NOON + 1 } };
    const next = open(stored, { release: aRelease(3), fallback: aRelease(2) });
    expect(next).toMatchObject({ phase: 'opened', release: { generation: 3 }, stages: [], lease: { token: 3 } });
    expect(rolloutIdOf(next)).not.toBe(rolloutIdOf(stored));
    expect(next.history.map(({ event }) => event)).toEqual([...stored.history.map(({ event }) => event), 'Opened']);
    expect(next.hold).toBeUndefined();
  });

  it('of a newer version ends a hold', () => {
    const next = open(rolledBack(), { release: aRelease(3), fallback: aRelease(1) });
    expect(next).toMatchObject({ phase: 'opened', current: 'release', intent: 'deploy' });
    expect(next.hold).toBeUndefined();
  });

  it('with other hooks is planned anew, under the same id while it goes well', () => {
    const stored = underWay();
    const next = open(stored, { hooks: [OTHER] });
    expect(next).toMatchObject({ phase: 'opened', hooks: [OTHER] });
    expect(rolloutIdOf(next)).toBe(rolloutIdOf(stored));
  });

  it('with other hooks is tried again at once when it is held, under another id', () => {
    const stored = rolledBack();
    const next = open(stored, { hooks: [OTHER], release: aRelease(1) });
    expect(next).toMatchObject({ phase: 'opened', intent: 'deploy', current: 'fallback', release: { version: 'v2' } });
    expect(rolloutIdOf(next)).not.toBe(rolloutIdOf(stored));
  });

  it('with other hooks waits while the version before is being brought back', () => {
    const w = world(true);
    let rollout = opened();
    while (rollout.phase !== 'restoring') rollout = noted(rollout, w.act(rollout), NOON);
    const next = open(rollout, { hooks: [OTHER] });
    expect(next).toMatchObject({ phase: 'restoring', hasNewHooks: true, hooks: [OTHER] });
    const end = finish(next, w).rollout;
    // It was held, tried again at once with what the hooks say by now, and failed again.
    expect(end).toMatchObject({ phase: 'held', hold: { count: 2 } });
    expect(w.now - NOON).toBeLessThan(HOUR_MS);
  });

  it('without a hook is withdrawn, and opened again with one', () => {
    const withdrawn = open(underWay(), { hooks: [] });
    expect(withdrawn).toMatchObject({ phase: 'withdrawn', stages: [] });
    expect(open(withdrawn)).toMatchObject({ phase: 'opened', hooks: [HOOK] });
  });

  it('that was rolled back and lost its hooks, and gets one again, is of the version that is served', () => {
    const withdrawn = open(rolledBack(), { hooks: [], release: aRelease(1), fallback: aRelease(2) });
    expect(withdrawn).toMatchObject({ phase: 'withdrawn', current: 'fallback' });
    const again = open(withdrawn, { release: aRelease(1), fallback: aRelease(2) });
    expect(again).toMatchObject({ phase: 'opened', intent: 'deploy', current: 'release', release: { version: 'v1' } });
    expect(again.fallback).toBeUndefined();
    expect(rolloutIdOf(again)).not.toBe(rolloutIdOf(withdrawn));
    expect(finish(again, world()).rollout.phase).toBe('deployed');
  });

  it('leaves those in peace that have the version, when a hook is added', () => {
    const more = [HOOK, OTHER];
    const reopened = open(deployed(), { hooks: more });
    const w = new World(
      () => [aStage(aPolicy(), 2), aStage(aPolicy(), 1, 1, OTHER)],
      () => ({ looks: 0, ends: 'done' }),
    );
    const end = finish(reopened, w).rollout;
    expect(end.phase).toBe('deployed');
    expect(w.startedAt).toHaveLength(1);
  });
});

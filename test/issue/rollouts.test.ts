import { describe, expect, it } from 'vitest';
import { PermanentError, TransientError } from '../../functions/core/errors.ts';
import { hookRef } from '../../functions/core/rollout/hook-spec.ts';
import type { RolloutRecord } from '../../functions/core/rollout/record.ts';
import { aSpec } from '../support/builders.ts';
import { type Interruption, interrupted } from '../support/interruptions.ts';
import { type Workshop, workshop } from '../support/workshop.ts';

const HOOK = hookRef.parse('payments/orders@0123456789ab');

const withHook = (): Promise<Workshop> => workshop(aSpec({ hooks: [HOOK] }));
const rollout = async ({ inventory, spec }: Workshop): Promise<RolloutRecord | undefined> =>
  (await inventory.readRollout(spec.id))?.value;

describe('the roll-out of a version', () => {
  it('is opened before anybody is told of that version: who hears of it looks for its roll-out', async () => {
    const shop = await withHook();
    const calls: string[] = [];
    const traced: Interruption = ({ method }, _index, act) => (calls.push(method), act());
    await shop.work(interrupted(shop.parts, traced));
    const { current, rollout: noted } = await shop.record();
    expect(await rollout(shop)).toMatchObject({
      phase: 'opened',
      hooks: [HOOK],
      release: { version: current?.version, generation: 1, sha256Fingerprint: current?.leaf.sha256Fingerprint },
    });
    expect(noted).toEqual({ generation: 1, hooks: [HOOK], state: 'underWay', at: shop.now() });
    expect(calls.filter((method) => method === 'writeRollout')).toHaveLength(1);
    expect(calls.indexOf('writeRollout')).toBeLessThan(calls.indexOf('publish'));
  });

  it('is opened with the version before it, to go back to', async () => {
    const shop = await withHook();
    await shop.work();
    const first = (await shop.record()).current?.version;
    await shop.happens({ event: 'DeploymentEnded', outcome: 'deployed', cause: '' });
    await shop.happens({ event: 'RenewalRequested', by: 'a person' });
    await shop.work();
    const second = (await shop.record()).current?.version;
    expect(await rollout(shop)).toMatchObject({
      release: { version: second, generation: 2 },
      fallback: { version: first, generation: 1 },
    });
  });

  it('that cannot be opened keeps no certificate from being renewed, and is no failure of one', async () => {
    const shop = await withHook();
    const error = new PermanentError('TableGone', 'no such table');
    const refusing: Interruption = ({ method }, _index, act) =>
      method === 'writeRollout' ? Promise.reject(error) : act();
    await expect(shop.work(interrupted(shop.parts, refusing))).rejects.toBe(error);
    await shop.happens({ event: 'RenewalRequested', by: 'a person' });
    await expect(shop.work(interrupted(shop.parts, refusing))).rejects.toBe(error);
    expect(await shop.record()).toMatchObject({ generation: 2, failures: { count: 0, blocked: false } });
    expect(shop.published).toEqual([]);

    await shop.work();
    expect(await rollout(shop)).toMatchObject({ release: { generation: 2 } });
    expect(shop.published.map(({ type }) => type)).toEqual(['Certificate Rotated', 'Certificate Rotated']);
  });

  it('is left alone by a bus that is down', async () => {
    const shop = await withHook();
    const error = new TransientError('BusDown', 'no answer');
    const refusing: Interruption = ({ method }, _index, act) => (method === 'publish' ? Promise.reject(error) : act());
    await expect(shop.work(interrupted(shop.parts, refusing))).rejects.toBe(error);
    expect(await rollout(shop)).toMatchObject({ phase: 'opened', hooks: [HOOK] });
    expect(await shop.record()).toMatchObject({ generation: 1, rollout: { state: 'underWay' } });
  });

  it('is withdrawn with the last hook', async () => {
    const shop = await withHook();
    await shop.work();
    const { hooks: _gone, ...spec } = shop.spec;
    await shop.happens({ event: 'Respecified', spec, fields: ['hooks'] });
    await shop.work();
    expect(await rollout(shop)).toMatchObject({ phase: 'withdrawn', hooks: [] });
    expect(await shop.record()).not.toHaveProperty('rollout');
  });
});

import { describe, expect, it } from 'vitest';
import { isUndeployed, retryRollout } from '../../bin/operator/rollouts.ts';
import { measureRollouts, type MetricName } from '../../functions/core/metrics.ts';
import { type RolloutWorkshop, rolloutWorkshop } from '../support/rollout-workshop.ts';

const PERSON = 'arn:aws:sts::111122223333:assumed-role/operator/alice';

/** One version is served; the next is taken back by its target, as long as somebody has not mended that. */
async function held(): Promise<{ readonly shop: RolloutWorkshop; readonly mend: () => void }> {
  const shop = await rolloutWorkshop({ targets: 1 });
  await shop.work();
  await shop.minutes(20);
  const first = shop.currentFingerprint();
  const [target] = shop.targets;
  if (target === undefined) throw new Error('there is no target');
  target.fate = (fingerprint) => (fingerprint === first ? 'done' : 'undone');
  await shop.happens({ event: 'RenewalRequested', by: 'test' });
  await shop.work();
  await shop.minutes(20);
  return { shop, mend: () => void (target.fate = () => 'done') };
}

describe('a version that is held', () => {
  it('is deployed again at once when a person asks, not an hour later, and the trail says who', async () => {
    const { shop, mend } = await held();
    expect((await shop.rollout()).phase).toBe('held');
    expect(isUndeployed(await shop.record())).toBe(true);
    mend();
    expect(await retryRollout(shop.inventory, shop.spec.id, { arn: PERSON, clock: shop.now })).toHaveProperty(
      'changed',
    );
    await shop.minutes(10);
    const { phase, history } = await shop.rollout();
    expect(phase).toBe('deployed');
    expect(history).toContainEqual(
      expect.objectContaining({ event: 'RetryRequested', actor: PERSON, cause: `requested by ${PERSON}` }),
    );
    expect(isUndeployed(await shop.record())).toBe(false);
  });

  it('waits where nobody asks', async () => {
    const { shop, mend } = await held();
    mend();
    await shop.minutes(10);
    expect((await shop.rollout()).phase).toBe('held');
  });
});

it('a roll-out that is not held is not begun again, and the person is told', async () => {
  const shop = await rolloutWorkshop({ targets: 1 });
  await shop.work();
  await shop.minutes(20);
  const before = await shop.rollout();
  expect(await retryRollout(shop.inventory, shop.spec.id, { arn: PERSON, clock: shop.now })).toEqual({
    because: 'nothing of it is held',
  });
  expect(await shop.rollout()).toEqual(before);
});

it('roll-outs are measured by how they end', async () => {
  const { shop } = await held();
  const measured: MetricName[] = [];
  measureRollouts(shop.published, { record: (name) => void measured.push(name) });
  expect(measured).toEqual(['RolloutsSucceeded', 'RolloutsFailed']);
});

import { describe, expect, it } from 'vitest';
import { claimLease } from '../../functions/core/lease.ts';
import { MINUTE_MS } from '../../functions/core/time.ts';
import { workshop } from '../support/workshop.ts';

describe('a certificate that wants nothing', () => {
  it('is left alone without a word, also while the lease of a worker that died on it runs', async () => {
    const shop = await workshop();
    await shop.work();
    const stored = await shop.inventory.read(shop.spec.id);
    if (stored === undefined) throw new Error('the record is gone');
    const leased = claimLease(stored.value, 'dead', shop.now(), 2 * MINUTE_MS);
    await shop.inventory.write(leased, stored.revision);
    await expect(shop.work()).resolves.toBeUndefined();
    expect(await shop.record()).toEqual(leased);
  });
});

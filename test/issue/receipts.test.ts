import { describe, expect, it } from 'vitest';
import { interrupted, Killed } from '../support/interruptions.ts';
import { workshop } from '../support/workshop.ts';

describe('the receipt of an order', () => {
  it('is in the ledger before the worker waits for anything: one that dies waiting has ordered once', async () => {
    const shop = await workshop();
    let isDead = false;
    const pause = async (): Promise<void> => {
      isDead = true;
      throw new Killed();
    };
    // Whatever would be noted on the way out is not: the worker is gone.
    const parts = interrupted({ ...shop.parts, pause }, async (_call, _index, act) => {
      if (isDead) throw new Killed();
      return act();
    });
    await shop.work(parts).catch(() => undefined);
    expect(isDead).toBe(true);
    expect((await shop.record()).attempt).toMatchObject({ phase: 'orderPlaced', ticket: expect.anything() as unknown });
    await shop.tick(10);
    expect((await shop.record()).generation).toBe(1);
    expect(shop.issuer.signed).toHaveLength(1);
  });
});

import { describe, expect, it } from 'vitest';
import { issuerIdOf } from '../../functions/core/certificate.ts';
import type { IssuerRecord } from '../../functions/core/ports.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../functions/core/time.ts';
import { ISSUER } from '../support/builders.ts';
import { type Workshop, workshop } from '../support/workshop.ts';

async function change(shop: Workshop, changed: (issuer: IssuerRecord) => IssuerRecord): Promise<void> {
  const stored = await shop.inventory.readIssuer(issuerIdOf(ISSUER.ref));
  if (stored === undefined) throw new Error('the issuer is gone');
  await shop.inventory.writeIssuer(changed(stored.value), stored.revision);
}

const limited = (orders: number, perSeconds: number) => (issuer: IssuerRecord) => ({
  ...issuer,
  spec: { ...issuer.spec, orderLimit: { orders, perSeconds } },
});

describe('an issuer’s budget', () => {
  it('that is spent puts an order off, to the second, and is no failure', async () => {
    const shop = await workshop();
    await change(shop, limited(1, 7_200));
    await shop.work();
    await shop.happens({ event: 'RenewalRequested', by: 'a person' });
    const before = shop.now();
    await shop.work();
    const waiting = await shop.record();
    expect(shop.issuer.signed).toHaveLength(1);
    expect(waiting.failures.count).toBe(0);
    expect(waiting.history.at(-1)).toMatchObject({ event: 'Deferred', cause: 'OrderLimit' });
    expect(waiting.waitUntil).toBeLessThanOrEqual(before + 2 * HOUR_MS);
    await shop.tick(118);
    expect(shop.issuer.signed).toHaveLength(1);
    await shop.tick(4);
    expect(shop.issuer.signed).toHaveLength(2);
    expect((await shop.record()).generation).toBe(2);
  });

  it('that has room is waited for by nobody', async () => {
    const shop = await workshop();
    await change(shop, limited(2, 2));
    const waits: number[] = [];
    await shop.work({ ...shop.parts, pause: async (seconds) => (waits.push(seconds), shop.parts.pause(seconds)) });
    expect(waits).toEqual([1]);
  });

  it('that is there again in a moment is waited for in place', async () => {
    const shop = await workshop();
    await change(shop, limited(1, 2));
    await shop.work();
    await shop.happens({ event: 'RenewalRequested', by: 'a person' });
    const waits: number[] = [];
    await shop.work({ ...shop.parts, pause: async (seconds) => (waits.push(seconds), shop.parts.pause(seconds)) });
    // The CA of the workshop takes a second of its own.
    expect(waits).toEqual([1, 1]);
    expect((await shop.record()).generation).toBe(2);
    expect((await shop.record()).history.map(({ event }) => event)).not.toContain('Deferred');
  });

  it('that is spent for long uses nothing of the daily cap up', async () => {
    const shop = await workshop();
    await change(shop, limited(1, 20 * 3_600));
    await shop.work();
    await shop.happens({ event: 'RenewalRequested', by: 'a person' });
    for (let look = 0; look < 12; look++) {
      await shop.work();
      shop.pass(HOUR_MS);
      await shop.happens({ event: 'Reconsidered', cause: 'deployed again' });
    }
    expect((await shop.record()).orders).toHaveLength(1);
    shop.pass(9 * HOUR_MS);
    await shop.tick(2);
    expect((await shop.record()).generation).toBe(2);
  });
});

describe('a circuit that is open', () => {
  it('uses nothing of the daily cap up either: the certificate comes as soon as the CA is back', async () => {
    const shop = await workshop();
    const openUntil = shop.now() + DAY_MS;
    await change(shop, (issuer) => ({ ...issuer, breaker: { ...issuer.breaker, failures: 5, openUntil } }));
    for (let look = 0; look < 12; look++) {
      await shop.work();
      shop.pass(HOUR_MS);
      await shop.happens({ event: 'Reconsidered', cause: 'deployed again' });
    }
    expect((await shop.record()).orders).toEqual([]);
    shop.pass(12 * HOUR_MS + MINUTE_MS);
    await shop.tick(2);
    expect((await shop.record()).generation).toBe(1);
    expect(shop.issuer.signed).toHaveLength(1);
  });
});

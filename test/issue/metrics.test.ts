import { describe, expect, it } from 'vitest';
import { issuerIdOf } from '../../functions/core/certificate.ts';
import { TransientError } from '../../functions/core/errors.ts';
import type { MetricName } from '../../functions/core/metrics.ts';
import { MINUTE_MS } from '../../functions/core/time.ts';
import { workshop, type Workshop } from '../support/workshop.ts';

const count = ({ measured }: Workshop, name: MetricName): number =>
  measured.filter(([each]) => each === name).reduce((sum, [, value]) => sum + value, 0);

describe('what is measured of a renewal', () => {
  it('is one success, one order, the time from its start and the time that the CA took', async () => {
    const shop = await workshop();
    const start = shop.issuer.start.bind(shop.issuer);
    shop.issuer.start = async (request) => {
      shop.pass(1_500);
      return start(request);
    };
    await shop.work();
    expect(shop.measured).toEqual([
      ['OrdersPlaced', 1],
      ['CaResponseTime', 1_500],
      ['CaResponseTime', 0],
      ['RenewalsSucceeded', 1],
      ['RenewalTime', 2.5],
    ]);
  });

  it('is a failure where the CA fails, and how long that took', async () => {
    const shop = await workshop();
    shop.issuer.start = async () => {
      shop.pass(700);
      throw new TransientError('CaFailed', 'out of order');
    };
    await shop.work();
    expect(Object.fromEntries(shop.measured)).toEqual({ OrdersPlaced: 1, CaResponseTime: 700, RenewalsFailed: 1 });
  });

  it('is that a certificate had to wait for the cap of a day', async () => {
    const shop = await workshop();
    for (let order = 0; order < 6; order++) {
      await shop.work();
      await shop.happens({ event: 'RenewalRequested', by: 'test' });
    }
    expect(count(shop, 'OrdersCapped')).toBe(1);
  });

  it('is that a CA was left alone', async () => {
    const shop = await workshop();
    const id = issuerIdOf(shop.spec.issuerRef);
    const stored = await shop.inventory.readIssuer(id);
    if (stored === undefined) throw new Error('there is no issuer');
    const breaker = { failures: 5, probing: false, openUntil: shop.now() + MINUTE_MS, pauseMs: MINUTE_MS };
    await shop.inventory.writeIssuer({ ...stored.value, breaker }, stored.revision);
    await shop.work();
    expect(shop.measured).toEqual([
      ['OrdersPlaced', 1],
      ['CircuitOpen', 1],
    ]);
  });
});

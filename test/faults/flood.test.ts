import { describe, expect, it, onTestFinished } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../functions/core/time.ts';
import {
  type AcmeDeployment,
  acmeIssuerYaml,
  deployWithAcme,
  documents,
  publicCertificateYaml,
} from '../support/acme-deployment.ts';
import { certificateYaml, manifestOf } from '../support/deployment.ts';

const limited = (limit: string): string =>
  acmeIssuerYaml().replace('{ name: public }', `{ name: public, annotations: { everleaf.dev/order-limit: ${limit} } }`);

const numbered = (prefix: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

async function deployed(manifest: string): Promise<AcmeDeployment> {
  const deployment = await deployWithAcme({ manifest });
  onTestFinished(() => deployment.close());
  return deployment;
}

/** When the CA took each order, and for which name. */
const ordersAt = ({ ca }: AcmeDeployment): readonly { readonly at: number; readonly name: string }[] =>
  ca.issued.map(({ at, dnsNames }) => ({ at, name: (dnsNames[0] ?? '').split('.')[0] ?? '' }));

describe('when more falls due than the CA takes', () => {
  it('never more than the issuer’s budget is ordered, what expires first goes first, and nobody fails for it', async () => {
    const names = numbered('c', 12);
    const shop = await deployed(documents(limited('4/8m'), ...names.map((name) => publicCertificateYaml(name))));
    // Four at once and one every other minute: the first expires first.
    for (let minute = 0; minute < 20; minute++) await shop.advance(MINUTE_MS);
    expect(ordersAt(shop)).toHaveLength(names.length);
    expectWithin(
      ordersAt(shop).map(({ at }) => at),
      4,
      8 * MINUTE_MS,
    );
    const inOrder = ordersAt(shop).map(({ name }) => name);

    // Weeks of outage later all are overdue at once.
    shop.twin.clock.advance(80 * DAY_MS);
    for (let minute = 0; minute < 20; minute++) await shop.advance(MINUTE_MS);
    const renewed = ordersAt(shop).slice(names.length);
    expect(renewed).toHaveLength(names.length);
    expectWithin(
      renewed.map(({ at }) => at),
      4,
      8 * MINUTE_MS,
    );
    // Within one tick several are dispatched; from tick to tick the order is that of expiry.
    for (const [index, { name }] of renewed.entries()) {
      expect(Math.abs(inOrder.indexOf(name) - index), `${name} as number ${index}`).toBeLessThan(5);
    }
    for (const name of names) {
      const { generation, failures, orders } = await shop.record(name);
      expect({ generation, failures: failures.count, orders: orders.length }).toEqual({
        generation: 2,
        failures: 0,
        orders: 1,
      });
    }
  }, 240_000);

  it('one issuer’s queue is not in the way of another’s', async () => {
    const [slow, quick] = [numbered('s', 10), numbered('q', 10)];
    const shop = await deployed(
      documents(
        limited('1/1h'),
        ...slow.map((name) => publicCertificateYaml(name)),
        manifestOf(...quick.map((name) => certificateYaml(name))),
      ),
    );
    await shop.tick();
    await shop.tick();
    for (const name of quick) expect((await shop.record(name)).generation, name).toBe(1);
    expect(shop.ca.issued.length).toBe(1);
    for (let minute = 0; minute < 125; minute += 5) await shop.advance(5 * MINUTE_MS);
    expect(shop.ca.issued.length).toBe(3);
    expectWithin(
      ordersAt(shop).map(({ at }) => at),
      1,
      HOUR_MS,
    );
  });

  it('what came too early to the CA is given back: the daily cap counts what was ordered, not what waited', async () => {
    const shop = await deployed(documents(limited('1/2h'), publicCertificateYaml('a'), publicCertificateYaml('b')));
    // Both are told of at once, by a hint that knows of no budget.
    for (let round = 0; round < 8; round++) {
      for (const name of ['a', 'b']) {
        await shop.sendHint(JSON.stringify({ schemaVersion: '1', certificate: `default/${name}` }));
      }
      await shop.advance(10 * MINUTE_MS);
    }
    const waiting = await Promise.all(['a', 'b'].map((name) => shop.record(name)));
    const [issued, other] = waiting[0]?.generation === 1 ? waiting : waiting.toReversed();
    expect([issued?.generation, issued?.orders.length]).toEqual([1, 1]);
    expect([other?.generation, other?.orders.length, other?.failures.count]).toEqual([0, 0, 0]);
    for (let hour = 0; hour < 2; hour++) await shop.advance(HOUR_MS);
    expect(shop.ca.issued).toHaveLength(2);
  });
});

/** A bucket lets as many through at once as it holds, and in any stretch of its time as many again. */
function expectWithin(instants: readonly number[], orders: number, perMs: number): void {
  for (const [index, start] of instants.entries()) {
    const soon = instants.slice(index).filter((at) => at - start < perMs);
    expect(soon.length).toBeLessThanOrEqual(2 * orders);
    const atOnce = instants.slice(index).filter((at) => at - start < perMs / orders - MINUTE_MS);
    expect(atOnce.length).toBeLessThanOrEqual(orders + 1);
  }
}

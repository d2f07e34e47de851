import { describe, expect, it } from 'vitest';
import { TransientError } from '../../functions/core/errors.ts';
import type { Issuer, RenewalInfo } from '../../functions/core/ports.ts';
import type { LeafFacts } from '../../functions/core/certificate.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../functions/core/time.ts';
import type { RenewalParts } from '../../functions/issue/parts.ts';
import { interrupted } from '../support/interruptions.ts';
import { type Workshop, workshop } from '../support/workshop.ts';

/** The issuer of a workshop, with wishes: `answer` says what it says of a leaf. */
function wishful(shop: Workshop, answer?: (leaf: LeafFacts) => Promise<RenewalInfo>, log: unknown[] = []) {
  const { issuer } = shop;
  const own: Issuer = {
    start: (request) => issuer.start(request),
    check: async (request, ticket) => {
      const step = await issuer.check(request, ticket);
      return step.status === 'done' ? { ...step, value: { ...step.value, offersRenewalInfo: true } } : step;
    },
    abandon: () => issuer.abandon(),
    ...(answer === undefined ? {} : { renewalInfo: answer }),
  };
  const parts: RenewalParts = {
    ...shop.parts,
    log: (...line) => void log.push(line),
    connect: async (spec) => ({ ...(await shop.parts.connect(spec)), issuer: own }),
  };
  return parts;
}

const known = async (shop: Workshop) => (await shop.record()).current?.renewalInfo;

describe('a CA with wishes', () => {
  it('is asked as soon as its leaf is in use, about that leaf, and its wish is kept', async () => {
    const shop = await workshop();
    const window = { start: shop.now() + 9 * DAY_MS, end: shop.now() + 10 * DAY_MS };
    const asked: LeafFacts[] = [];
    const parts = wishful(shop, async (leaf) => (asked.push(leaf), { window, checkAfterSeconds: 7_200 }));
    await shop.work(parts);
    const { current, failures } = await shop.record();
    expect(asked).toEqual([current?.leaf]);
    expect(current?.renewalInfo).toEqual({
      checkAt: shop.now() + 2 * HOUR_MS,
      window,
      renewAt: window.start + 12 * HOUR_MS,
    });
    expect(failures.count).toBe(0);
  });

  it.each<[string, number, number]>([
    ['a second', 1, MINUTE_MS],
    ['a minute and a second', 61, MINUTE_MS + 1_000],
    ['a day less a second', 86_399, DAY_MS - 1_000],
    ['a year', 365 * 86_400, DAY_MS],
  ])('that wants to be asked again after %s is asked within reason', async (_what, checkAfterSeconds, afterMs) => {
    const shop = await workshop();
    await shop.work(wishful(shop, async () => ({ window: undefined, checkAfterSeconds })));
    expect(await known(shop)).toEqual({ checkAt: shop.now() + afterMs });
  });

  it.each<[string, number | undefined, number]>([
    ['in two hours', 7_200, 2 * HOUR_MS],
    ['in a second', 1, MINUTE_MS],
    ['in a year', 365 * 86_400, DAY_MS],
    ['at no time', undefined, 6 * HOUR_MS],
  ])(
    'that refuses to say, and wants to be asked again %s, is asked then',
    async (_when, retryAfterSeconds, afterMs) => {
      const shop = await workshop();
      const refuse = async (): Promise<never> => {
        throw new TransientError('CaFailed', 'not now', { retryAfterSeconds });
      };
      await shop.work(wishful(shop, refuse));
      expect(await known(shop)).toEqual({ checkAt: shop.now() + afterMs });
    },
  );

  it('that was replaced by one without is looked at daily', async () => {
    const shop = await workshop();
    await shop.work(wishful(shop));
    expect(await known(shop)).toEqual({ checkAt: shop.now() + DAY_MS });
  });

  it('that fails to answer is asked again after six hours, and no renewal has failed', async () => {
    const shop = await workshop();
    const log: unknown[] = [];
    const down = wishful(shop, () => Promise.reject(new TransientError('Unreachable', 'no answer')), log);
    await shop.work(down);
    expect(await known(shop)).toEqual({ checkAt: shop.now() + 6 * HOUR_MS });
    expect((await shop.record()).failures).toEqual({ count: 0, blocked: false });
    expect(log).toContainEqual([
      'the CA could not be asked for its wish',
      {
        certificate: shop.spec.id,
        failure: { class: 'transient', code: 'Unreachable', message: 'no answer' },
      },
    ]);
  });

  it('is asked by whoever adopts its leaf from the store', async () => {
    const shop = await workshop();
    await shop.work(wishful(shop, async () => ({ window: undefined, checkAfterSeconds: 7_200 })));
    const fresh = await workshop();
    const info = { window: undefined, checkAfterSeconds: 3_600 };
    await fresh.work({ ...wishful(fresh, async () => info), store: shop.store });
    expect(await known(fresh)).toEqual({ checkAt: fresh.now() + HOUR_MS });
  });
});

describe('what an order still holds', () => {
  /** An order that the manifest made obsolete; giving it back goes as `abandon` does. */
  async function obsolete(shop: Workshop, abandon: () => Promise<unknown>, log: unknown[] = []): Promise<RenewalParts> {
    const parts = interrupted({ ...shop.parts, log: (...line) => void log.push(line) }, async (call, _index, act) => {
      if (call.method === 'abandon') return abandon();
      const answer = (await act()) as object;
      return call.method === 'start' ? { ...answer, checkAfterSeconds: 600 } : answer;
    });
    await shop.work(parts);
    const spec = { ...shop.spec, dnsNames: ['other.example'], commonName: 'other.example' };
    await shop.happens({ event: 'Respecified', spec, fields: ['dnsNames'] });
    shop.pass(601_000);
    return parts;
  }

  it('is freed, once', async () => {
    const shop = await workshop();
    let freed = 0;
    const parts = await obsolete(shop, async () => void freed++);
    await shop.tick(30, parts);
    expect(freed).toBe(1);
    expect((await shop.record()).abandoned).toBeUndefined();
    expect((await shop.record()).history.map(({ event }) => event)).toContain('OrderAbandoned');
  });

  it('and cannot be freed is tried again, is in the log, and is no failure of the certificate', async () => {
    const shop = await workshop();
    const log: unknown[] = [];
    const parts = await obsolete(shop, () => Promise.reject(new TransientError('Unreachable', 'no answer')), log);
    await shop.work(parts);
    const { abandoned, failures, attempt } = await shop.record();
    expect(abandoned).toMatchObject([{ ticket: { order: 'order-1' }, tries: 1, tryAt: shop.now() + MINUTE_MS }]);
    expect(failures.count).toBe(0);
    expect(attempt).toMatchObject({ phase: 'orderPlaced', dnsNames: ['other.example'] });
    expect(log).toContainEqual([
      'what an order holds could not be freed',
      {
        certificate: shop.spec.id,
        order: 'order-1',
        tries: 1,
        failure: { class: 'transient', code: 'Unreachable', message: 'no answer' },
      },
    ]);
  });

  it('is counted as tried before it is, so that a worker that dies of it keeps nothing from being renewed', async () => {
    const shop = await workshop();
    const seen: unknown[] = [];
    const parts = await obsolete(shop, async () => void seen.push((await shop.record()).abandoned));
    await shop.work(parts);
    expect(seen).toMatchObject([[{ tries: 1 }]]);
  });
});

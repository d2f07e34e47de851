import { describe, expect, it } from 'vitest';
import { dailyOrderCap } from '../../functions/core/cap.ts';
import { PermanentError, TransientError } from '../../functions/core/errors.ts';
import type { SecretSlot } from '../../functions/core/ports.ts';
import { DAY_MS, MINUTE_MS } from '../../functions/core/time.ts';
import type { Happening } from '../../functions/core/transitions.ts';
import { id } from '../support/builders.ts';
import { type Interruption, interrupted, Killed } from '../support/interruptions.ts';
import { type Workshop, workshop } from '../support/workshop.ts';

const SLOT: SecretSlot = { certificate: id('payments/orders'), secretName: 'orders-tls' };

/** Does `what` once, right before the first call of `method`. */
const before = (method: string, what: () => Promise<unknown>): Interruption => {
  let done = false;
  return async (call, _index, act) => {
    if (!done && `${call.port}.${call.method}` === method) {
      done = true;
      await what();
    }
    return act();
  };
};

describe('a worker that loses the claim', () => {
  it('leaves no trace, however late it writes', async () => {
    const shop = await workshop();
    const paused = before('inventory.write', async () => {
      await shop
        .work(
          interrupted(shop.parts, async ({ port, method }, _index, act) => {
            const answer = await act();
            // The winner stops here, its lease running and its order placed.
            if (port === 'issuer' && method === 'start') throw new Killed();
            return answer;
          }),
        )
        .catch(() => undefined);
    });
    const winner = async (): Promise<unknown> => shop.inventory.read(shop.spec.id);
    await expect(shop.work(interrupted(shop.parts, paused))).rejects.toMatchObject({ code: 'LeaseHeld' });
    const left = await winner();
    expect(left).toMatchObject({ value: { attempt: { phase: 'orderIntended' } } });
    expect((await shop.record()).orders).toHaveLength(1);
    expect((await shop.record()).lease?.expiresAt).toBeGreaterThan(shop.now());
  });
});

describe('a change that lands while a worker is under way', () => {
  it('is seen before the next step: what the manifest no longer wants is not ordered', async () => {
    const shop = await workshop();
    const spec = { ...shop.spec, dnsNames: ['orders.internal.example', 'late.example'] };
    // After the key was staged and before the intent is durable.
    let isStaged = false;
    const parts = interrupted(shop.parts, async ({ port, method }, _index, act) => {
      if (method === 'stageKey') isStaged = true;
      if (isStaged && port === 'inventory' && method === 'write') {
        isStaged = false;
        await shop.happens({ event: 'Respecified', spec, fields: ['dnsNames'] });
      }
      return act();
    });
    await shop.work(parts);
    await shop.tick(5);
    expect(shop.issuer.signed).toHaveLength(1);
    expect(shop.published.at(-1)).toMatchObject({ type: 'Certificate Rotated', detail: { dnsNames: spec.dnsNames } });
  });

  it.each([
    [
      'respecified',
      (shop: Workshop): Happening => ({
        event: 'Respecified',
        spec: { ...shop.spec, dnsNames: ['other.example'], commonName: 'other.example' },
        fields: ['dnsNames'],
      }),
    ],
    ['retired', (): Happening => ({ event: 'Retired' })],
  ])(
    'makes an order that is out obsolete: the certificate was %s, the order is abandoned and never promoted',
    async (_name, change) => {
      const shop = await workshop();
      const abandoned: string[] = [];
      const slow = interrupted(shop.parts, async ({ port, method }, _index, act) => {
        if (port === 'issuer' && method === 'start') {
          const answer = (await act()) as object;
          return { ...answer, checkAfterSeconds: 600 };
        }
        if (port === 'issuer' && method === 'abandon') abandoned.push(method);
        return act();
      });
      await shop.work(slow);
      expect((await shop.record()).attempt?.phase).toBe('orderPlaced');
      const obsolete = (await shop.record()).attempt?.id;
      await shop.happens(change(shop));
      await shop.tick(60, slow);
      expect(abandoned).toHaveLength(1);
      const { history } = await shop.record();
      expect(history.filter(({ event, attempt }) => event === 'VersionPromoted' && attempt === obsolete)).toEqual([]);
      expect(shop.store.secret(SLOT).pending).toBeUndefined();
    },
  );

  it('keeps a request that came during an attempt for the next one', async () => {
    const shop = await workshop();
    await shop.work(
      interrupted(
        shop.parts,
        before('issuer.check', async () => {
          shop.pass(1_000);
          await shop.happens({ event: 'RenewalRequested', by: 'a person' });
        }),
      ),
    );
    await shop.tick(5);
    expect((await shop.record()).generation).toBe(2);
  });
});

describe('storms', () => {
  it('do not come of a worker that is killed after every order', async () => {
    const shop = await workshop();
    for (let minute = 0; minute < 24 * 60; minute++) {
      shop.pass(MINUTE_MS);
      for await (const { certificate } of shop.inventory.due(shop.now(), 10)) {
        expect(certificate).toBe(shop.spec.id);
        await shop
          .work(
            interrupted(shop.parts, async ({ port, method }, _index, act) => {
              const answer = await act();
              if (port === 'issuer' && method === 'start') throw new Killed();
              return answer;
            }),
          )
          .catch(() => undefined);
      }
    }
    expect(shop.issuer.signed.length).toBeLessThanOrEqual(dailyOrderCap(shop.spec.durationSeconds));
    expect(shop.issuer.signed.length).toBeGreaterThan(1);
  });

  it('do not come of answers that are lost', async () => {
    const shop = await workshop();
    const lossy = interrupted(shop.parts, async ({ port, method }, _index, act) => {
      const answer = await act();
      if (port === 'issuer' && method === 'start')
        throw new TransientError('Unreachable', 'the answer was lost', { mayHaveActed: true });
      return answer;
    });
    await shop.work(lossy);
    await shop.tick(24 * 60 - 1, lossy);
    expect(shop.issuer.signed.length).toBeLessThanOrEqual(dailyOrderCap(shop.spec.durationSeconds));
    expect((await shop.record()).orders.length).toBe(shop.issuer.signed.length);
  });

  it('do not come of an impatient person, who is told of the cap once', async () => {
    const shop = await workshop();
    for (let request = 0; request < 12; request++) {
      await shop.happens({ event: 'RenewalRequested', by: 'a person' });
      await shop.work();
      shop.pass(5 * MINUTE_MS);
    }
    expect(shop.issuer.signed).toHaveLength(dailyOrderCap(shop.spec.durationSeconds));
    const told = shop.published.filter(
      ({ type, detail }) => type === 'Certificate Renewal Failed' && detail.failure.code === 'DailyCapReached',
    );
    expect(told.length).toBeGreaterThanOrEqual(1);
    await shop.tick(25 * 60);
    expect((await shop.record()).request).toBeUndefined();
  });

  it('do not use up the cap with refusals: what is mended is issued at once', async () => {
    const shop = await workshop();
    let denied = true;
    const parts = interrupted(shop.parts, async ({ port, method }, _index, act) => {
      if (denied && port === 'issuer' && method === 'start') throw new PermanentError('AccessDenied', 'not allowed');
      return act();
    });
    for (let request = 0; request < 8; request++) {
      await shop.happens({ event: 'RenewalRequested', by: 'a person' });
      await shop.work(parts);
    }
    denied = false;
    await shop.happens({ event: 'Reconsidered', cause: 'deployed again' });
    await shop.work(parts);
    expect(shop.servedSerial()).toBeDefined();
  });
});

describe('a bus that refuses', () => {
  it('keeps no certificate from being renewed, and hears everything when it is back', async () => {
    const shop = await workshop();
    let refusing = true;
    const parts = interrupted(shop.parts, async ({ port }, _index, act) => {
      if (refusing && port === 'bus') throw new TransientError('EventsRefused', 'no');
      return act();
    });
    await expect(shop.work(parts)).rejects.toMatchObject({ code: 'EventsRefused' });
    shop.pass(61.5 * DAY_MS);
    await expect(shop.work(parts)).rejects.toMatchObject({ code: 'EventsRefused' });
    expect((await shop.record()).generation).toBe(2);
    expect((await shop.record()).failures.count).toBe(0);
    refusing = false;
    await shop.tick(3, parts);
    expect(shop.published.map(({ detail }) => 'generation' in detail && detail.generation)).toEqual([1, 2]);
  });
});

describe('receipts that were lost', () => {
  it('are found in the store: a promotion that the ledger never heard of is taken up', async () => {
    const shop = await workshop();
    await shop.work();
    await shop.happens({ event: 'RenewalRequested', by: 'a person' });
    // Promoted, killed before the receipt; then the manifest changes, so that the attempt is given up.
    await shop
      .work(
        interrupted(shop.parts, async ({ port, method }, _index, act) => {
          const answer = await act();
          if (port === 'store' && method === 'promote') throw new Killed();
          return answer;
        }),
      )
      .catch(() => undefined);
    const spec = { ...shop.spec, dnsNames: ['orders.internal.example', 'new.example'] };
    await shop.happens({ event: 'Respecified', spec, fields: ['dnsNames'] });
    await shop.tick(30);
    const { generation, current } = await shop.record();
    expect(generation).toBe(3);
    expect(shop.store.secret(SLOT).current).toBe(current?.version);
  });

  it('never make generations go back, also when a person rolls back by hand', async () => {
    const shop = await workshop();
    for (let rotation = 0; rotation < 3; rotation++) {
      await shop.happens({ event: 'RenewalRequested', by: 'a person' });
      await shop.work();
    }
    const [first] = shop.store.secret(SLOT).bundles.keys();
    if (first !== undefined) shop.store.secret(SLOT).current = first;
    await shop.happens({ event: 'RenewalRequested', by: 'a person' });
    await shop.tick(5);
    const generations = shop.published.flatMap(({ type, detail }) =>
      type === 'Certificate Rotated' ? detail.generation : [],
    );
    expect(generations).toEqual([1, 2, 3, 4]);
  });

  it('of a stored version that is gone lead to a new one', async () => {
    const shop = await workshop();
    await shop.work();
    let lost = 0;
    const parts = interrupted(shop.parts, async ({ port, method }, _index, act) => {
      if (port === 'store' && method === 'promote' && ++lost <= 1) {
        throw new TransientError('StoredVersionLost', 'the version is gone', { endsAttempt: true });
      }
      return act();
    });
    await shop.happens({ event: 'RenewalRequested', by: 'a person' });
    await shop.tick(30, parts);
    expect((await shop.record()).generation).toBe(2);
    expect(shop.issuer.signed).toHaveLength(3);
  });

  it('are noted before the circuit breaker is told: a CA that answered is not asked again', async () => {
    const shop = await workshop();
    const parts = interrupted(shop.parts, async ({ port, method }, index, act) => {
      if (port === 'inventory' && method === 'readIssuer' && index > 8) throw new TransientError('Throttled', 'table');
      return act();
    });
    await shop.work(parts).catch(() => undefined);
    await shop.tick(60);
    expect(shop.issuer.signed).toHaveLength(1);
  });
});

describe('an expired certificate', () => {
  it('is tried again every ten minutes at the latest while its CA is down', async () => {
    const shop = await workshop();
    await shop.work();
    const asked: number[] = [];
    const down = interrupted(shop.parts, async ({ port, method }, _index, act) => {
      if (port !== 'issuer' || method !== 'start') return act();
      asked.push(shop.now());
      throw new TransientError('Unreachable', 'the CA is down');
    });
    shop.pass(91 * DAY_MS);
    await shop.tick(2 * 60, down);
    expect(asked.length).toBeGreaterThan(8);
    expect(shop.now() - (asked.at(-1) ?? 0)).toBeLessThanOrEqual(20 * MINUTE_MS);
  });
});

describe('a clock that jumps', () => {
  it.each([
    ['back by two hours', -2 * 60 * MINUTE_MS],
    ['ahead by a week', 7 * DAY_MS],
  ])('%s, at any call: one certificate, and one more at the most', async (_name, jumpMs) => {
    for (let at = 0; at < 24; at++) {
      const shop = await workshop();
      const jumping = interrupted(shop.parts, async (_call, index, act) => {
        if (index === at) shop.pass(jumpMs);
        return act();
      });
      await shop.work(jumping).catch(() => undefined);
      // A leaf that begins hours from now is refused, and looked at again a day later.
      for (const pauseMs of [0, 2 * 60 * MINUTE_MS, DAY_MS]) {
        shop.pass(pauseMs);
        await shop.tick(10);
      }
      const { generation, attempt, current } = await shop.record();
      expect({ generation, attempt }, `at call ${at}`).toEqual({ generation: 1, attempt: undefined });
      expect(shop.store.secret(SLOT).current).toBe(current?.version);
      expect(shop.issuer.signed.length, `at call ${at}`).toBeLessThanOrEqual(2);
    }
  });

  it('back after a renewal renews nothing', async () => {
    const shop = await workshop();
    await shop.work();
    shop.pass(-60 * MINUTE_MS);
    await shop.tick(120);
    expect(shop.issuer.signed).toHaveLength(1);
  });
});

import { describe, expect, it } from 'vitest';
import { FAILURES_TO_OPEN } from '../../functions/core/breaker.ts';
import { issuerIdOf } from '../../functions/core/certificate.ts';
import { TransientError } from '../../functions/core/errors.ts';
import type { SecretSlot } from '../../functions/core/ports.ts';
import type { CertificateRecord } from '../../functions/core/record.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../functions/core/time.ts';

import { id, ISSUER, NOON } from '../support/builders.ts';
import { interrupted, Killed } from '../support/interruptions.ts';
import { type LeafWishes, newKey, TestCa, TestIssuer } from '../support/test-ca.ts';
import { type Workshop, workshop } from '../support/workshop.ts';

const SLOT: SecretSlot = { certificate: id('payments/orders'), secretName: 'orders-tls' };

describe('a renewal', () => {
  it('takes a declared certificate to a current version and tells of it', async () => {
    const { work, record, store, published, issuer } = await workshop();
    await work();
    const { current, attempt, generation, history, failures } = await record();
    expect(failures).toEqual({ count: 0, blocked: false });
    expect(attempt).toBeUndefined();
    expect(generation).toBe(1);
    expect(store.served(SLOT)?.provenance.leaf.serialNumber).toBe(current?.leaf.serialNumber);
    expect(store.secret(SLOT).pending).toBeUndefined();
    expect(issuer.signed).toHaveLength(1);
    expect(published.map(({ type }) => type)).toEqual(['Certificate Rotated']);
    expect(history.map(({ event, actor }) => `${actor} ${event}`)).toEqual([
      'sync Declared',
      'issue StoreInspected',
      'issue AttemptStarted',
      'issue OrderIntended',
      'issue OrderPlaced',
      'issue VersionStored',
      'issue VersionPromoted',
    ]);
  });

  it('does nothing for a certificate that is not due, at the cost of one read', async () => {
    const shop = await workshop();
    await shop.work();
    const calls: string[] = [];
    await shop.work(
      interrupted(shop.parts, ({ port, method }, _index, act) => {
        calls.push(`${port}.${method}`);
        return act();
      }),
    );
    expect(calls).toEqual(['inventory.read']);
  });

  it('renews when the window is reached, with a new key, and names the version it replaces', async () => {
    const shop = await workshop();
    await shop.work();
    const first = (await shop.record()).current;
    const firstKey = shop.store.served(SLOT)?.key;
    shop.pass(61.5 * DAY_MS);
    await shop.work();
    const { current, previous, generation } = await shop.record();
    expect(generation).toBe(2);
    expect(previous).toEqual(first);
    expect(current?.version).not.toBe(first?.version);
    expect(firstKey !== undefined && shop.store.served(SLOT)?.key.equals(firstKey)).toBe(false);
    const [, second] = shop.published;
    expect(second).toMatchObject({
      type: 'Certificate Rotated',
      detail: { generation: 2, reason: 'RenewalWindowReached', store: { previousVersion: first?.version } },
    });
  });

  it('re-issues when the manifest asks for other names and leaves the certificate in use alone until then', async () => {
    const shop = await workshop();
    await shop.work();
    const before = shop.servedSerial();
    const spec = { ...shop.spec, dnsNames: ['orders.internal.example', 'new.internal.example'] };
    await shop.happens({ event: 'Respecified', spec, fields: ['dnsNames'] });
    expect(shop.servedSerial()).toBe(before);
    await shop.work();
    expect(shop.servedSerial()).not.toBe(before);
    expect(shop.published.at(-1)).toMatchObject({ detail: { reason: 'SpecChanged', dnsNames: spec.dnsNames } });
  });

  it('renews on request, once', async () => {
    const shop = await workshop();
    await shop.work();
    await shop.happens({ event: 'RenewalRequested', by: 'a person' });
    await shop.work();
    await shop.work();
    expect(shop.issuer.signed).toHaveLength(2);
    expect(shop.published.at(-1)).toMatchObject({ detail: { reason: 'Requested' } });
  });

  it('does not renew what was retired, and leaves its secret as it is', async () => {
    const shop = await workshop();
    await shop.work();
    const before = shop.servedSerial();
    await shop.happens({ event: 'Retired' });
    shop.pass(80 * DAY_MS);
    await shop.tick(60);
    expect(shop.issuer.signed).toHaveLength(1);
    expect(shop.servedSerial()).toBe(before);
  });

  it('adopts what the store already holds when the inventory was lost, and issues nothing', async () => {
    const shop = await workshop();
    await shop.work();
    const fresh = await workshop();
    const parts = { ...fresh.parts, store: shop.store };
    await fresh.work(parts);
    const { current, generation } = await fresh.record();
    expect(current?.leaf.serialNumber).toBe(shop.servedSerial());
    expect(generation).toBe(1);
    expect(fresh.issuer.signed).toHaveLength(0);
  });
});

describe('a CA that answers something else than was asked for', () => {
  const lies: readonly [string, () => Promise<LeafWishes>, RegExp][] = [
    ['a leaf for another key', async () => ({ publicKey: (await newKey()).publicKey }), /for another key/],
    [
      'a leaf for other names',
      async () => ({ dnsNames: ['evil.example'] }),
      /"orders.internal.example" is missing.*"evil.example" was not asked for/,
    ],
    [
      'an additional name',
      async () => ({ dnsNames: ['orders.internal.example', 'orders.payments.svc', 'x.example'] }),
      /"x.example" was not asked for/,
    ],
    ['another common name', async () => ({ subject: 'CN=x.example' }), /common name is "x.example"/],
    ['an expired leaf', async () => ({ notBefore: NOON - DAY_MS, notAfter: NOON - HOUR_MS }), /it expired at/],
    ['a leaf of next week', async () => ({ notBefore: NOON + 7 * DAY_MS }), /not valid before/],
    [
      'a leaf that lives longer than asked',
      async () => ({ notAfter: NOON + 400 * DAY_MS }),
      /later than the .* asked for/,
    ],
    ['a CA certificate', async () => ({ isCa: true }), /it is a CA certificate/],
    [
      'a purpose nobody asked for',
      async () => ({ purposes: ['1.3.6.1.5.5.7.3.3'] }),
      /"code signing" was not asked for/,
    ],
    ['a key that may sign certificates', async () => ({ keyUsages: 0b100101 }), /may sign certificates/],
    ['a key that may not sign', async () => ({ keyUsages: 0b100 }), /key usage bits are missing/],
  ];

  it.each(lies)(
    'is refused: %s; the version in use stays and the next look is a day away',
    async (_name, wishes, message) => {
      const shop = await workshop();
      await shop.work();
      const before = shop.servedSerial();
      await shop.happens({ event: 'RenewalRequested', by: 'a person' });
      shop.issuer.wishes = await wishes();
      await shop.tick(12 * 60);
      const { failures, attempt } = await shop.record();
      expect(failures.last).toMatchObject({ code: 'GateRefused', message: expect.stringMatching(message) });
      expect(failures.blocked).toBe(true);
      expect(attempt).toBeUndefined();
      expect(shop.servedSerial()).toBe(before);
      expect(shop.issuer.signed).toHaveLength(2);
      expect(shop.published.at(-1)).toMatchObject({ type: 'Certificate Renewal Failed', detail: { blocked: true } });
    },
  );

  it('is refused when its chain leads to another root', async () => {
    const shop = await workshop();
    const stranger = new TestIssuer(await TestCa.create('stranger', NOON), shop.now);
    const parts = interrupted(shop.parts, async ({ port, method }, _index, act) => {
      const answer = await act();
      if (port !== 'issuer' || method !== 'check') return answer;
      const { value } = answer as { value: object };
      const start = await stranger.start({ ...request(await shop.record()) });
      const forged =
        start.status === 'waiting' ? await stranger.check(request(await shop.record()), start.ticket) : start;
      return {
        status: 'done',
        value: {
          ...value,
          ...(forged.status === 'done' ? forged.value : {}),
          trustAnchors: (value as { trustAnchors: string[] }).trustAnchors,
        },
      };
    });
    await shop.work(parts);
    const { failures } = await shop.record();
    expect(failures.last?.message).toMatch(/nothing in the chain or among the trust anchors signed/);
    expect(shop.servedSerial()).toBeUndefined();
  });

  it('is waited for when its clock is three minutes ahead', async () => {
    const shop = await workshop();
    shop.issuer.wishes = { notBefore: NOON + 3 * MINUTE_MS };
    await shop.work();
    expect(shop.servedSerial()).toBeUndefined();
    await shop.tick(5);
    expect(shop.servedSerial()).toBeDefined();
    expect(shop.issuer.signed).toHaveLength(1);
    expect((await shop.record()).failures.count).toBe(0);
  });
});

function request({ attempt, spec }: CertificateRecord): Parameters<TestIssuer['start']>[0] {
  if (attempt?.phase !== 'orderPlaced') throw new Error('no order');
  return { attempt: attempt.id, certificate: spec, csr: attempt.csr, notAfter: attempt.notAfter };
}

describe('a failing CA', () => {
  it('is asked again after 1, 10 and 100 minutes, then daily, and heals by itself', async () => {
    const shop = await workshop();
    const asked: number[] = [];
    let down = true;
    const parts = interrupted(shop.parts, async ({ port, method }, _index, act) => {
      if (port === 'issuer' && method === 'start') {
        asked.push((shop.now() - NOON) / MINUTE_MS);
        if (down) throw new TransientError('Unreachable', 'the CA is down');
      }
      return act();
    });
    await shop.work(parts);
    await shop.tick(3 * 24 * 60, parts);
    expect(asked.map(Math.floor)).toEqual([0, 1, 11, 111, 1551, 2991]);
    down = false;
    await shop.tick(24 * 60, parts);
    expect(shop.servedSerial()).toBeDefined();
    expect((await shop.record()).failures).toEqual({ count: 0, blocked: false });
  });

  it('that falls with an order in its hands is waited for no longer than one that falls before', async () => {
    const shop = await workshop();
    let isDown = true;
    const parts = interrupted(shop.parts, async ({ port, method }, _index, act) => {
      if (isDown && port === 'issuer' && method === 'check') throw new TransientError('Unreachable', 'the CA is down');
      return act();
    });
    await shop.work(parts);
    await shop.tick(25 * 60, parts);
    expect((await shop.record()).attempt?.phase).toBe('orderPlaced');
    isDown = false;
    // The next look is due by now, and finds the attempt too old: that is no failure of its own.
    await shop.tick(60, parts);
    expect(shop.servedSerial()).toBeDefined();
    expect(shop.issuer.signed).toHaveLength(2);
  });

  it('is not asked before the second it named', async () => {
    const shop = await workshop();
    const asked: number[] = [];
    const parts = interrupted(shop.parts, async ({ port, method }, _index, act) => {
      if (port === 'issuer' && method === 'start') {
        asked.push(shop.now() - NOON);
        if (asked.length === 1) throw new TransientError('Throttled', 'slow down', { retryAfterSeconds: 7_200 });
      }
      return act();
    });
    await shop.work(parts);
    await shop.happens({ event: 'Reconsidered', cause: 'an impatient person' });
    await shop.tick(3 * 60, parts);
    expect(asked).toHaveLength(2);
    expect(asked[1]).toBeGreaterThanOrEqual(7_200_000);
    expect(asked[1]).toBeLessThanOrEqual(7_200_000 + MINUTE_MS);
  });

  it('opens the circuit of its issuer, which then costs it nothing', async () => {
    const shop = await workshop();
    let asked = 0;
    const parts = interrupted(shop.parts, async ({ port, method }, _index, act) => {
      if (port === 'issuer' && method === 'start') {
        asked += 1;
        throw new TransientError('Unreachable', 'the CA is down');
      }
      return act();
    });
    for (let failure = 0; failure < FAILURES_TO_OPEN; failure++) {
      await shop.happens({ event: 'RenewalRequested', by: 'a person' });
      await shop.work(parts);
    }
    expect((await shop.inventory.readIssuer(issuerIdOf(ISSUER.ref)))?.value.breaker.openUntil).toBeDefined();
    await shop.happens({ event: 'RenewalRequested', by: 'a person' });
    await shop.work(parts);
    expect(asked).toBe(FAILURES_TO_OPEN);
    const { waitUntil, failures } = await shop.record();
    expect(waitUntil).toBeGreaterThan(shop.now());
    expect(failures.count).toBe(FAILURES_TO_OPEN);
  });

  it('gets a new order when the old one is stuck', async () => {
    const shop = await workshop();
    const parts = interrupted(shop.parts, async ({ port, method }, _index, act) => {
      const stuck = shop.issuer.signed.length === 1;
      return port === 'issuer' && method === 'check' && stuck
        ? { status: 'waiting', ticket: { order: 'order-1' }, checkAfterSeconds: 600 }
        : act();
    });
    await shop.work(parts);
    await shop.tick(26 * 60, parts);
    expect(shop.issuer.signed).toHaveLength(2);
    expect(shop.servedSerial()).toBeDefined();
  });
});

describe('a secret that somebody else wrote', () => {
  it('is never written over, costs one certificate, and is taken up again when it is put right', async () => {
    const shop = await workshop();
    await shop.work();
    await shop.store.overwriteByStranger(SLOT);
    await shop.happens({ event: 'RenewalRequested', by: 'a person' });
    await shop.work();
    await shop.tick(3 * 24 * 60);
    const { failures, attempt } = await shop.record();
    expect(failures.last?.code).toBe('SecretChangedElsewhere');
    expect(attempt?.phase).toBe('stored');
    expect(shop.issuer.signed).toHaveLength(2);

    const [first] = shop.store.secret(SLOT).bundles.keys();
    if (first !== undefined) shop.store.secret(SLOT).current = first;
    await shop.tick(24 * 60);
    expect(shop.issuer.signed).toHaveLength(2);
    expect((await shop.record()).generation).toBe(2);
  });
});

describe('killed anywhere', () => {
  /** How a call ends for the worker: it dies before the server acted, after it acted, or is refused once. */
  const modes = ['before', 'after', 'refused'] as const;

  async function boundaries(prepare: (shop: Workshop) => Promise<void>): Promise<number> {
    const shop = await workshop();
    await prepare(shop);
    let calls = 0;
    await shop.work(interrupted(shop.parts, (_call, _index, act) => (calls++, act())));
    return calls;
  }

  const firstIssuance = async (): Promise<void> => {};
  const renewal = async (shop: Workshop): Promise<void> => {
    await shop.work();
    shop.pass(61.5 * DAY_MS);
  };

  it.each([
    ['a first issuance', firstIssuance, 0],
    ['a renewal', renewal, 1],
  ])(
    '%s converges from every boundary to one current version, with one extra certificate at most',
    async (_name, prepare, issuedBefore) => {
      const total = await boundaries(prepare);
      expect(total).toBeGreaterThan(12);
      for (const mode of modes) {
        for (let boundary = 0; boundary < total; boundary++) {
          const shop = await workshop();
          await prepare(shop);
          const before = shop.servedSerial();
          const parts = interrupted(shop.parts, async (_call, index, act) => {
            if (index !== boundary) return act();
            if (mode === 'refused') throw new TransientError('Refused', 'this once');
            if (mode === 'after') await act();
            throw new Killed();
          });
          await shop.work(parts).catch(() => undefined);
          expect([before, shop.servedSerial()]).toContain(shop.servedSerial());
          await shop.tick(30);
          const { current, attempt, generation, outbox } = await shop.record();
          const where = `${mode} call ${boundary}`;
          expect(current?.version, where).toBe(shop.store.secret(SLOT).current);
          expect(current?.leaf.serialNumber, where).toBe(shop.servedSerial());
          expect({ attempt, outbox, pending: shop.store.secret(SLOT).pending, generation }, where).toEqual({
            attempt: undefined,
            outbox: [],
            pending: undefined,
            generation: issuedBefore + 1,
          });
          expect(shop.issuer.signed.length - issuedBefore, where).toBeLessThanOrEqual(2);
          const rotations = shop.published.filter(
            ({ type, detail }) => type === 'Certificate Rotated' && detail.generation === generation,
          );
          expect(rotations.length, where).toBeGreaterThanOrEqual(1);
        }
      }
    },
  );
});

describe('two workers on one certificate', () => {
  it('issue once, whichever way their calls interleave', async () => {
    for (let seed = 0; seed < 40; seed++) {
      const shop = await workshop();
      let state = seed + 1;
      const jitter = async (): Promise<void> => {
        state = (state * 48_271) % 2_147_483_647;
        for (let turn = state % 5; turn > 0; turn--) await Promise.resolve();
      };
      const worker = (): Promise<void> =>
        shop
          .work(interrupted(shop.parts, async (_call, _index, act) => (await jitter(), act())))
          .catch(() => undefined);
      await Promise.all([worker(), worker(), worker()]);
      await shop.tick(5);
      expect(shop.issuer.signed, `seed ${seed}`).toHaveLength(1);
      expect((await shop.record()).generation).toBe(1);
    }
  });

  it('fences off the one whose lease ran out while it still worked', async () => {
    const shop = await workshop();
    let second: Promise<void> | undefined;
    const slow = interrupted(shop.parts, async ({ port, method }, _index, act) => {
      if (port === 'issuer' && method === 'check' && second === undefined) {
        shop.pass(10 * MINUTE_MS);
        second = shop.work();
        await second;
      }
      return act();
    });
    await expect(shop.work(slow)).rejects.toMatchObject({ class: 'conflict' });
    await shop.tick(5);
    expect((await shop.record()).generation).toBe(1);
    expect(shop.issuer.signed).toHaveLength(1);
    expect(shop.published).toHaveLength(1);
  });
});

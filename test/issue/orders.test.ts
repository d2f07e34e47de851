import { describe, expect, it } from 'vitest';
import { issuerIdOf } from '../../functions/core/certificate.ts';
import { CLOSED } from '../../functions/core/breaker.ts';
import { ConflictError, TransientError } from '../../functions/core/errors.ts';
import type { RenewalHint } from '../../functions/core/events.ts';
import type { SecretSlot, SigningRequest } from '../../functions/core/ports.ts';
import type { CertificateRecord, Transition } from '../../functions/core/record.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../functions/core/time.ts';
import type { RenewalParts } from '../../functions/issue/parts.ts';
import { renew } from '../../functions/issue/renew.ts';
import { aSpec, id, ISSUER, NOON } from '../support/builders.ts';
import { type Interruption, interrupted, Killed } from '../support/interruptions.ts';
import { type Workshop, workshop } from '../support/workshop.ts';

/** The workshop's parts, each request to the CA kept in `requests`, each answer without a chain wanting `seconds`. */
function slowCa(shop: Workshop, seconds: number, requests: SigningRequest[] = []): RenewalParts {
  const connect: RenewalParts['connect'] = async (spec) => ({
    ...(await shop.parts.connect(spec)),
    issuer: {
      start: async (request) => {
        requests.push(request);
        return { ...(await shop.issuer.start(request)), checkAfterSeconds: seconds };
      },
      check: (request, ticket) => (requests.push(request), shop.issuer.check(request, ticket)),
      abandon: () => shop.issuer.abandon(),
    },
  });
  return { ...shop.parts, connect };
}

const FULL = [1, 2, 3, 4, 5].map((hours) => NOON - hours * HOUR_MS);

/** The last worker died in the call to the CA, and its claim is over; its record is otherwise as in `also`. */
async function leftAtTheCall(shop: Workshop, also: Partial<CertificateRecord> = {}): Promise<void> {
  const dying: Interruption = ({ method }, _index, act) => {
    if (method === 'start') throw new Killed();
    return act();
  };
  await shop.work(interrupted(shop.parts, dying)).catch(() => undefined);
  const stored = await shop.inventory.read(shop.spec.id);
  if (stored === undefined) throw new Error('the record is gone');
  const lease = { owner: 'gone', token: 7, expiresAt: 0 };
  await shop.inventory.write({ ...stored.value, lease, ...also }, stored.revision);
}

const withAccount = (shop: Workshop): RenewalParts =>
  interrupted(shop.parts, async ({ method }, _index, act) => {
    const answer = (await act()) as { status: string; value: object };
    return method === 'check' ? { ...answer, value: { ...answer.value, account: 'us' } } : answer;
  });

describe('the CA is told', () => {
  it('of a first certificate nothing that it replaces, and to the second when it shall end', async () => {
    const shop = await workshop();
    shop.pass(123);
    const requests: SigningRequest[] = [];
    await shop.work(slowCa(shop, 1, requests));
    const [start, check] = requests;
    const { history, current } = await shop.record();
    expect(start).toStrictEqual({
      attempt: history.find(({ event }) => event === 'AttemptStarted')?.attempt,
      certificate: shop.spec,
      csr: shop.issuer.signed[0],
      notAfter: Math.floor((shop.now() - SECOND_MS) / SECOND_MS) * SECOND_MS + 90 * DAY_MS,
    });
    expect(check).toEqual(start);
    expect(current?.leaf.notAfter).toBe(start?.notAfter);
  });

  it('which leaf of its own is replaced, and under which account it was ordered', async () => {
    const shop = await workshop();
    await shop.work(withAccount(shop));
    const { current } = await shop.record();
    await shop.happens({ event: 'RenewalRequested', by: 'a person' });
    const requests: SigningRequest[] = [];
    await shop.work(slowCa(shop, 1, requests));
    expect(requests[0]?.replaces).toStrictEqual({ leaf: current?.leaf, account: 'us' });
  });

  it('no account where none is known', async () => {
    const shop = await workshop();
    await shop.work();
    const { current } = await shop.record();
    await shop.happens({ event: 'RenewalRequested', by: 'a person' });
    const requests: SigningRequest[] = [];
    await shop.work(slowCa(shop, 1, requests));
    expect(requests[0]?.replaces).toStrictEqual({ leaf: current?.leaf });
  });

  it('nothing of another CA’s leaf', async () => {
    const shop = await workshop();
    await shop.work();
    const ref = { ...ISSUER.ref, name: 'another' };
    await shop.inventory.writeIssuer({ id: issuerIdOf(ref), spec: { ...ISSUER, ref }, breaker: CLOSED }, undefined);
    const spec = { ...shop.spec, issuerRef: ref };
    await shop.happens({ event: 'Respecified', spec, fields: ['issuerRef'] });
    const requests: SigningRequest[] = [];
    await shop.work(slowCa(shop, 1, requests));
    expect(requests).toHaveLength(2);
    expect(requests.map(({ replaces }) => replaces)).toEqual([undefined, undefined]);
  });
});

describe('the store is told', () => {
  it.each([[['DER' as const]], [undefined]])('which further forms are wanted: %j', async (outputFormats) => {
    const shop = await workshop(aSpec(outputFormats === undefined ? {} : { outputFormats }));
    const slots: unknown[] = [];
    const store = { ...shop.parts.store };
    const commit: typeof store.commit = (slot, chain, provenance) => (
      slots.push(slot),
      shop.parts.store.commit(slot, chain, provenance)
    );
    await shop.work({ ...shop.parts, store: { ...store, commit } });
    const slot = { certificate: shop.spec.id, secretName: 'orders-tls' };
    expect(slots).toStrictEqual([outputFormats === undefined ? slot : { ...slot, outputFormats }]);
  });

  it('where a certificate comes from', async () => {
    const shop = await workshop();
    await shop.work(withAccount(shop));
    const { current, history } = await shop.record();
    const slot: SecretSlot = { certificate: shop.spec.id, secretName: 'orders-tls' };
    expect(shop.store.served(slot)?.provenance).toEqual({
      certificate: shop.spec.id,
      attempt: history.at(-1)?.attempt,
      generation: 1,
      issuerRef: ISSUER.ref,
      specDigest: current?.specDigest,
      issuedAt: current?.issuedAt,
      leaf: current?.leaf,
      account: 'us',
      offersRenewalInfo: undefined,
    });
  });
});

describe('a renewal costs no more than', () => {
  /** The calls of one delivery. */
  async function callsOf(shop: Workshop): Promise<readonly string[]> {
    const calls: string[] = [];
    const traced: Interruption = ({ port, method }, _index, act) => {
      calls.push(`${port}.${method}`);
      return act();
    };
    await shop.work(interrupted(shop.parts, traced));
    return calls;
  }

  it('one call of each kind, with a write before and after what cannot be repeated', async () => {
    const shop = await workshop();
    expect(await callsOf(shop)).toMatchInlineSnapshot(`
      [
        "inventory.read",
        "inventory.write",
        "store.current",
        "inventory.write",
        "store.stageKey",
        "inventory.write",
        "inventory.readIssuer",
        "issuer.start",
        "inventory.write",
        "inventory.readIssuer",
        "issuer.check",
        "store.commit",
        "inventory.write",
        "store.promote",
        "inventory.write",
        "bus.publish",
        "inventory.write",
      ]
    `);
  });

  it('one write before the call where the last worker may have ordered', async () => {
    const shop = await workshop();
    await leftAtTheCall(shop);
    shop.pass(HOUR_MS);
    expect(await callsOf(shop)).toMatchInlineSnapshot(`
      [
        "inventory.read",
        "inventory.write",
        "inventory.readIssuer",
        "issuer.start",
        "inventory.write",
        "inventory.write",
        "hints.later",
      ]
    `);
  });

  it('two writes where all it can do is wait, and tell of it', async () => {
    const shop = await workshop();
    await leftAtTheCall(shop, { orders: FULL });
    expect(await callsOf(shop)).toMatchInlineSnapshot(`
      [
        "inventory.read",
        "inventory.write",
        "bus.publish",
        "inventory.write",
      ]
    `);
  });
});

describe('a short wait', () => {
  it.each([
    [5, true],
    [6, false],
  ])('of %d seconds is spent in place: %s', async (seconds, isSpent) => {
    const shop = await workshop();
    await shop.work(slowCa(shop, seconds));
    expect(shop.servedSerial() !== undefined).toBe(isSpent);
  });

  it('is left to the queue when the order is no longer young', async () => {
    const shop = await workshop();
    await shop.work(slowCa(shop, 6));
    shop.pass(6 * SECOND_MS);
    const pauses: number[] = [];
    const parts: RenewalParts = {
      ...shop.parts,
      pause: async (seconds) => void pauses.push(seconds),
      connect: async (spec) => ({
        ...(await shop.parts.connect(spec)),
        issuer: {
          start: (request) => shop.issuer.start(request),
          check: async (_request, ticket) => ({ status: 'waiting', ticket, checkAfterSeconds: 1 }),
          abandon: () => shop.issuer.abandon(),
        },
      }),
    };
    await shop.work(parts);
    expect(pauses).toEqual([]);
    expect((await shop.record()).retryAfter).toBe(shop.now() + SECOND_MS);
  });
});

describe('a hint', () => {
  async function hinted(seconds: number, later?: RenewalParts['hints']['later']) {
    const shop = await workshop();
    const hints: [RenewalHint, number][] = [];
    const log: unknown[] = [];
    await shop.work({
      ...slowCa(shop, seconds),
      log: (...line) => void log.push(line),
      hints: { later: later ?? (async (...hint) => void hints.push(hint)) },
    });
    return { hints, log, shop };
  }

  it.each([6, 900])('brings us back when the CA wants to be asked again after %d seconds', async (seconds) => {
    const { hints, shop } = await hinted(seconds);
    expect(hints).toEqual([[{ schemaVersion: '1', certificate: shop.spec.id }, seconds]]);
  });

  it('is not sent for a wait that no message can make', async () => {
    expect((await hinted(901)).hints).toEqual([]);
  });

  it('is not sent when all is done, or when nothing is at the CA', async () => {
    expect((await hinted(1)).hints).toEqual([]);
    const shop = await workshop();
    const hints: unknown[] = [];
    const parts = { ...shop.parts, hints: { later: async (...hint: unknown[]) => void hints.push(hint) } };
    const error = new TransientError('Throttled', 'slow down', { retryAfterSeconds: 60 });
    const refusing: Interruption = ({ method }, _index, act) => (method === 'start' ? Promise.reject(error) : act());
    await shop.work(interrupted(parts, refusing));
    expect((await shop.record()).retryAfter).toBeDefined();
    expect(hints).toEqual([]);
  });

  it('is not sent after an order at a CA that the manifest has left, whose patience is nothing to the other', async () => {
    const { hints, shop } = await hinted(60);
    const spec = { ...shop.spec, issuerRef: { ...ISSUER.ref, name: 'another' } };
    await shop.happens({ event: 'Respecified', spec, fields: ['issuerRef'] });
    hints.length = 0;
    const later: RenewalParts['hints']['later'] = async (...hint) => void hints.push(hint);
    await renew(shop.spec.id, { ...shop.parts, hints: { later } }, { owner: 'two', leaseMs: 1, deadline: shop.now() });
    expect((await shop.record()).attempt?.phase).toBe('orderPlaced');
    expect(hints).toEqual([]);
  });

  it('carries at least a second', async () => {
    const shop = await workshop();
    await shop.work(slowCa(shop, 6));
    shop.pass(6 * SECOND_MS);
    const delays: number[] = [];
    const stuck = interrupted(shop.parts, async ({ method }, _index, act) => {
      const wait = { status: 'waiting', ticket: { order: 'order-1' }, checkAfterSeconds: 2 };
      if (method !== 'check') return act();
      return wait;
    });
    const later = async (_hint: RenewalHint, delay: number): Promise<void> => void delays.push(delay);
    const inventory = {
      ...stuck.inventory,
      write: async (...values: Parameters<typeof stuck.inventory.write>) => {
        const answer = await stuck.inventory.write(...values);
        shop.pass(1_500);
        return answer;
      },
    };
    await shop.work({ ...stuck, inventory, hints: { later } });
    expect(delays).toEqual([1]);
  });

  it('that cannot be sent is in the log, and nothing more: the schedule looks anyway', async () => {
    const { log, shop } = await hinted(60, () => Promise.reject(new TransientError('QueueDown', 'no')));
    expect(log).toContainEqual([
      'a hint could not be sent',
      { certificate: shop.spec.id, failure: { class: 'transient', code: 'QueueDown', message: 'no' } },
    ]);
    expect((await shop.record()).failures.count).toBe(0);
  });
});

describe('a worker', () => {
  const shift = (shop: Workshop, ms = MINUTE_MS) => ({
    owner: 'one',
    leaseMs: 2 * MINUTE_MS,
    deadline: shop.now() + ms,
  });

  it('says so and does nothing when the certificate is not in the inventory', async () => {
    const shop = await workshop();
    const log: unknown[] = [];
    const parts = { ...shop.parts, log: (...line: unknown[]) => void log.push(line) };
    await renew(id('payments/nobody'), parts, shift(shop));
    expect(log).toEqual([['certificate is not in the inventory', { certificate: 'payments/nobody' }]]);
  });

  it('logs each transition, its time in words', async () => {
    const shop = await workshop();
    const log: unknown[] = [];
    await shop.work({ ...shop.parts, log: (...line) => void log.push(line) });
    expect(log[0]).toEqual([
      'transition',
      {
        certificate: shop.spec.id,
        at: '2026-06-01T12:00:00.000Z',
        actor: 'issue',
        event: 'StoreInspected',
        cause: 'nothing to adopt',
      },
    ]);
    expect(log).toHaveLength(6);
  });

  it('logs what failed, and at which step', async () => {
    const shop = await workshop();
    const log: unknown[] = [];
    const parts = { ...shop.parts, log: (...line: unknown[]) => void log.push(line) };
    const error = new TransientError('Unreachable', 'no answer');
    await shop.work(interrupted(parts, ({ method }, _i, act) => (method === 'start' ? Promise.reject(error) : act())));
    expect(log).toContainEqual([
      'renewal failed',
      {
        certificate: shop.spec.id,
        step: 'placeOrder',
        failure: { class: 'transient', code: 'Unreachable', message: 'no answer' },
      },
    ]);
  });

  it('begins no forty-first step, whatever keeps it busy', async () => {
    const shop = await workshop();
    let promotions = 0;
    const moved: Interruption = ({ method }, _index, act) => {
      if (method !== 'promote') return act();
      promotions += 1;
      throw new ConflictError('CurrentMoved', 'somebody was quicker');
    };
    await shop.work(interrupted(shop.parts, moved));
    // Look into the store, begin, intend, order, look: then thirty-five times the same.
    expect(promotions).toBe(35);
    expect((await shop.record()).attempt?.phase).toBe('stored');
  });

  it('begins no step at its deadline, and leaves the rest to the next', async () => {
    const shop = await workshop();
    await renew(shop.spec.id, shop.parts, shift(shop, 0));
    expect(await shop.record()).toMatchObject({ storeInspected: false, history: [{ event: 'Declared' }] });
    await renew(shop.spec.id, shop.parts, shift(shop, SECOND_MS));
    // The CA's second is over, and the deadline with it.
    expect((await shop.record()).attempt?.phase).toBe('orderPlaced');
    await shop.work();
    expect(shop.servedSerial()).toBeDefined();
  });

  it('leaves the claim to nobody when it is done', async () => {
    const shop = await workshop();
    await shop.work();
    expect((await shop.record()).lease).toMatchObject({ token: 1, expiresAt: 0 });
  });

  it('waits with its CA as long as the circuit is open, and says why', async () => {
    const shop = await workshop();
    const breaker = { ...CLOSED, failures: 5, openUntil: shop.now() + HOUR_MS };
    await shop.inventory.writeIssuer({ id: issuerIdOf(ISSUER.ref), spec: ISSUER, breaker }, 1);
    await shop.work();
    const { waitUntil, history, failures } = await shop.record();
    expect(waitUntil).toBe(shop.now() + HOUR_MS);
    expect(history.at(-1)).toMatchObject({ event: 'Deferred', cause: 'CircuitOpen' });
    expect(failures.count).toBe(0);
  });

  it('waits for the daily cap also where that was told before: another look finds nothing due', async () => {
    const shop = await workshop();
    const deferred: Transition = { at: shop.now(), actor: 'issue', event: 'Deferred', cause: 'CircuitOpen' };
    await leftAtTheCall(shop, { orders: FULL, history: [deferred] });
    await shop.work();
    expect((await shop.record()).waitUntil).toBe(shop.now() + 19 * HOUR_MS);
    expect(shop.issuer.signed).toEqual([]);
    expect(shop.published).toEqual([]);
  });

  it('that meets a conflict stops there, and it is no failure of the certificate', async () => {
    const shop = await workshop();
    const error = new ConflictError('Elsewhere', 'somebody was quicker');
    const refusing: Interruption = ({ method }, _index, act) => (method === 'promote' ? Promise.reject(error) : act());
    await expect(shop.work(interrupted(shop.parts, refusing))).rejects.toBe(error);
    const { failures, attempt } = await shop.record();
    expect(failures.count).toBe(0);
    expect(attempt?.phase).toBe('stored');
  });

  it('says all that the gate has against an answer', async () => {
    const shop = await workshop();
    shop.issuer.wishes = { isCa: true, dnsNames: shop.spec.dnsNames.slice(0, 1) };
    await shop.work();
    expect((await shop.record()).failures.last?.message).toBe(
      'the CA\'s answer is not what was asked for: the DNS name "orders.payments.svc" is missing; it is a CA certificate',
    );
  });

  it('that cannot tidy up goes on, and says what it left behind', async () => {
    const shop = await workshop();
    await shop.work(slowCa(shop, 600));
    await shop.happens({ event: 'Retired' });
    shop.pass(601 * SECOND_MS);
    const log: unknown[] = [];
    const parts = { ...shop.parts, log: (...line: unknown[]) => void log.push(line) };
    const error = new TransientError('Throttled', 'slow down');
    const refusing: Interruption = ({ method }, _index, act) => (method === 'discard' ? Promise.reject(error) : act());
    await shop.work(interrupted(parts, refusing));
    expect(log).toContainEqual([
      'a pending version was left behind',
      { certificate: shop.spec.id, failure: { class: 'transient', code: 'Throttled', message: 'slow down' } },
    ]);
    expect((await shop.record()).attempt).toBeUndefined();
  });
});

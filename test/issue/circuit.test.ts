import { describe, expect, it } from 'vitest';
import { type CircuitBreaker, CLOSED, FAILURES_TO_OPEN } from '../../functions/core/breaker.ts';
import { issuerIdOf } from '../../functions/core/certificate.ts';
import { ConflictError, PermanentError, TransientError } from '../../functions/core/errors.ts';
import type { Meter } from '../../functions/core/metrics.ts';
import type { Inventory } from '../../functions/core/ports.ts';
import { type Instant, MINUTE_MS } from '../../functions/core/time.ts';
import { Circuit } from '../../functions/issue/circuit.ts';
import { ISSUER, NOON } from '../support/builders.ts';
import { memoryInventory } from '../support/memory-inventory.ts';

const ID = issuerIdOf(ISSUER.ref);
const FAILING: CircuitBreaker = { ...CLOSED, failures: 2 };
const OPEN: CircuitBreaker = { ...CLOSED, failures: FAILURES_TO_OPEN, openUntil: NOON + MINUTE_MS };

/** A circuit that was opened at noon; `calls` are those it made since. */
async function circuit(breaker: CircuitBreaker, now: Instant = NOON, faults: Partial<Inventory> = {}) {
  const rows = memoryInventory();
  await rows.writeIssuer({ id: ID, spec: ISSUER, breaker: { ...breaker } }, undefined);
  const calls: string[] = [];
  const log: unknown[] = [];
  const metered: unknown[] = [];
  let faulty: Inventory = rows;
  const inventory: Inventory = {
    ...rows,
    readIssuer: async (id) => (calls.push('read'), faulty.readIssuer(id)),
    writeIssuer: async (record, revision) => (calls.push('write'), faulty.writeIssuer(record, revision)),
  };
  const meter: Meter = { record: (...measured) => void metered.push(measured) };
  const parts = { inventory, clock: () => now, meter, log: (...line: unknown[]) => void log.push(line) };
  const opened = await Circuit.open(parts, ID);
  calls.length = 0;
  faulty = { ...rows, ...faults };
  return { opened, rows, calls, log, metered, breaker: async () => (await rows.readIssuer(ID))?.value.breaker };
}

const fails = (error: unknown) => async (): Promise<never> => {
  throw error;
};
const UNREAD: Meter = { record: () => {} };
const noReceipt = async (): Promise<void> => {};

describe('the way to a CA', () => {
  it('begins at its issuer in the inventory: where there is none, a deploy is due', async () => {
    const parts = { inventory: memoryInventory(), clock: () => NOON, meter: UNREAD, log: () => {} };
    await expect(Circuit.open(parts, ID)).rejects.toMatchObject({
      class: 'permanent',
      code: 'UnknownIssuer',
      message: `issuer ${ID} is not in the inventory; deploy the manifest that declares it`,
    });
  });

  it('is free while nothing failed, at no cost', async () => {
    const { opened, calls } = await circuit(CLOSED);
    expect(await opened.openUntil()).toBeUndefined();
    expect(await opened.watch(async () => 42, noReceipt)).toBe(42);
    expect(calls).toEqual([]);
  });

  it('is barred until the pause is over', async () => {
    const { opened, calls } = await circuit(OPEN);
    expect(await opened.openUntil()).toBe(NOON + MINUTE_MS);
    expect(calls).toEqual([]);
  });

  it('is free for one when the pause is over, and barred for the other', async () => {
    const later = NOON + MINUTE_MS;
    const first = await circuit(OPEN, later);
    const second = await Circuit.open({ inventory: first.rows, clock: () => later, meter: UNREAD, log: () => {} }, ID);
    expect(await first.opened.openUntil()).toBeUndefined();
    expect(await first.breaker()).toEqual({ ...OPEN, probing: true, openUntil: later + MINUTE_MS });
    expect(await second.openUntil()).toBe(later + MINUTE_MS);
  });

  it('is not taken for barred when the inventory fails', async () => {
    const error = new TransientError('Throttled', 'slow down');
    const { opened } = await circuit(OPEN, NOON + MINUTE_MS, { writeIssuer: fails(error) });
    await expect(opened.openUntil()).rejects.toBe(error);
  });
});

describe('a call that ends', () => {
  it.each<[string, unknown, CircuitBreaker, CircuitBreaker]>([
    ['in a time-out counts', new TransientError('Unreachable', 'no'), FAILING, { ...FAILING, failures: 3 }],
    ['in what nobody expected counts', new Error('what?'), FAILING, { ...FAILING, failures: 3 }],
    ['in a refusal is an answer', new PermanentError('AccessDenied', 'no'), FAILING, CLOSED],
    ['in a dead order is an answer', new TransientError('Dead', 'no', { endsAttempt: true }), FAILING, CLOSED],
    ['in a failure of somebody else’s is none', new TransientError('Dns', 'no', { blamesCa: false }), FAILING, FAILING],
    [
      'in the fifth failure bars the way',
      new TransientError('Unreachable', 'no'),
      { ...CLOSED, failures: FAILURES_TO_OPEN - 1 },
      OPEN,
    ],
  ])('%s', async (_how, error, before, after) => {
    const { opened, breaker } = await circuit(before);
    await expect(opened.watch(fails(error), noReceipt)).rejects.toBe(error);
    expect(await breaker()).toEqual(after);
  });

  it('well makes all forgotten, once the receipt is taken', async () => {
    const { opened, breaker } = await circuit(FAILING);
    const seen: unknown[] = [];
    await opened.watch(
      async () => 'answer',
      async (answer) => void seen.push(answer, await breaker()),
    );
    expect(seen).toEqual(['answer', FAILING]);
    expect(await breaker()).toEqual(CLOSED);
  });

  it('well and whose receipt could not be taken is not reported', async () => {
    const error = new Error('disk full');
    const { opened, calls } = await circuit(FAILING);
    await expect(opened.watch(async () => 42, fails(error))).rejects.toBe(error);
    expect(calls).toEqual([]);
  });

  it('in a refusal while all is well is not written down', async () => {
    const { opened, calls } = await circuit(CLOSED);
    await expect(opened.watch(fails(new PermanentError('AccessDenied', 'no')), noReceipt)).rejects.toThrow('no');
    expect(calls).toEqual(['read']);
  });

  it('is added to what others reported meanwhile', async () => {
    const { opened, rows, breaker } = await circuit(CLOSED);
    await rows.writeIssuer({ id: ID, spec: ISSUER, breaker: FAILING }, 1);
    await expect(opened.watch(fails(new Error('what?')), noReceipt)).rejects.toThrow('what?');
    expect(await breaker()).toMatchObject({ failures: 3 });
  });
});

describe('a report that cannot be made', () => {
  const error = new TransientError('Unreachable', 'the CA is down');

  it('is in the log, and in nobody’s way', async () => {
    const { opened, log } = await circuit(CLOSED, NOON, { readIssuer: fails(new TransientError('Throttled', 'slow')) });
    await expect(opened.watch(fails(error), noReceipt)).rejects.toBe(error);
    expect(log).toEqual([
      [
        'the circuit breaker could not be told',
        { issuer: ID, failure: { class: 'transient', code: 'Throttled', message: 'slow' } },
      ],
    ]);
  });

  it('since another worker made one at the same time is left at that', async () => {
    const conflict = new ConflictError('StaleRevision', 'changed');
    const { opened, log, calls } = await circuit(CLOSED, NOON, { writeIssuer: fails(conflict) });
    await expect(opened.watch(fails(error), noReceipt)).rejects.toBe(error);
    expect(log).toEqual([]);
    expect(calls).toEqual(['read', 'write']);
  });

  it('since the issuer is gone is none', async () => {
    const { opened, log, calls } = await circuit(CLOSED, NOON, { readIssuer: async () => undefined });
    await expect(opened.watch(fails(error), noReceipt)).rejects.toBe(error);
    expect(log).toEqual([]);
    expect(calls).toEqual(['read']);
  });
});

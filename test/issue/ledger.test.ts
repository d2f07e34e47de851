import { describe, expect, it } from 'vitest';
import { ConflictError, TransientError } from '../../functions/core/errors.ts';
import type { Inventory, Versioned } from '../../functions/core/ports.ts';
import { type CertificateRecord, HISTORY_LIMIT, type Transition } from '../../functions/core/record.ts';
import { MINUTE_MS } from '../../functions/core/time.ts';
import { apply, declare, type Happening } from '../../functions/core/transitions.ts';
import { Ledger } from '../../functions/issue/ledger.ts';
import { aSpec, NOON } from '../support/builders.ts';
import { memoryInventory } from '../support/memory-inventory.ts';

const SPEC = aSpec();
const INSPECTED: Happening = { event: 'StoreInspected' };
const REQUESTED: Happening = { event: 'RenewalRequested', by: 'a person' };

interface Desk {
  readonly ledger: Ledger;
  readonly rows: Inventory;
  readonly told: Transition[];
  readonly writes: () => number;
  readonly row: () => Promise<CertificateRecord>;
  /** Somebody else writes the record. */
  readonly meanwhile: (change: (record: CertificateRecord) => CertificateRecord) => Promise<void>;
}

/** The record as it rests in the table. */
async function storedIn(rows: Inventory): Promise<Versioned<CertificateRecord>> {
  const found = await rows.read(SPEC.id);
  if (found === undefined) throw new Error('the record is gone');
  return found;
}

/** A claim of one minute. */
const ledgerOver = (
  inventory: Inventory,
  stored: Versioned<CertificateRecord>,
  told: (line: Transition) => void = () => {},
): Ledger => new Ledger(inventory, stored, { owner: 'one', ttlMs: MINUTE_MS }, () => NOON, told);

/** One worker's ledger, a minute long, over a record that was just declared. */
async function desk(start: CertificateRecord = declare(SPEC, { actor: 'sync', at: NOON })): Promise<Desk> {
  let writes = 0;
  const rows = memoryInventory();
  await rows.write(start, undefined);
  const read = () => storedIn(rows);
  const inventory: Inventory = {
    ...rows,
    write: (record, revision) => ((writes += 1), rows.write(record, revision)),
  };
  const told: Transition[] = [];
  const ledger = ledgerOver(inventory, await read(), (line) => void told.push(line));
  return {
    ledger,
    rows,
    told,
    writes: () => writes,
    row: async () => (await read()).value,
    meanwhile: async (change) => {
      const { value, revision } = await read();
      await rows.write(change(value), revision);
    },
  };
}

const note = (happening: Happening) => (record: CertificateRecord) =>
  apply(record, happening, { actor: 'test', at: NOON });
const takenOver = (record: CertificateRecord): CertificateRecord => ({
  ...record,
  lease: { owner: 'two', token: (record.lease?.token ?? 0) + 1, expiresAt: NOON + 9 * MINUTE_MS },
});

describe('what a worker notes', () => {
  it('is in its own view at once, with the claim, and durable when it is saved', async () => {
    const { ledger, row } = await desk();
    ledger.note(INSPECTED);
    expect(ledger.record).toMatchObject({ storeInspected: true, lease: { owner: 'one', token: 1 } });
    expect((await row()).storeInspected).toBe(false);
    expect(await ledger.save()).toBe('saved');
    expect(await row()).toEqual(ledger.record);
    expect((await row()).history.at(-1)).toMatchObject({ actor: 'issue', event: 'StoreInspected', at: NOON });
  });

  it('is written once, with all that was noted since the last time', async () => {
    const { ledger, writes } = await desk();
    ledger.note(INSPECTED);
    ledger.note(REQUESTED);
    await ledger.save();
    expect(await ledger.save()).toBe('saved');
    expect(writes()).toBe(1);
    ledger.note(REQUESTED);
    expect(await ledger.save()).toBe('saved');
    expect(writes()).toBe(2);
  });

  it('is told line by line when it is durable, each line once', async () => {
    const { ledger, told } = await desk();
    ledger.note(INSPECTED);
    expect(told).toEqual([]);
    await ledger.save();
    ledger.note(REQUESTED);
    await ledger.save();
    await ledger.release();
    expect(told.map(({ event }) => event)).toEqual(['StoreInspected', 'RenewalRequested']);
  });

  it('is told also where the trail is full and only its end is new', async () => {
    const line: Transition = { at: NOON, actor: 'test', event: 'Reconsidered', cause: 'deployed again' };
    const record = declare(SPEC, { actor: 'sync', at: NOON });
    const history = Array.from({ length: HISTORY_LIMIT }, () => ({ ...line }));
    const { ledger, told } = await desk({ ...record, history });
    ledger.note(INSPECTED);
    await ledger.save();
    expect(told.map(({ event }) => event)).toEqual(['StoreInspected']);
  });
});

describe('what somebody else wrote meanwhile', () => {
  it('stays, with ours on top, and the worker is told to decide anew', async () => {
    const { ledger, row, meanwhile } = await desk();
    ledger.note(INSPECTED);
    await meanwhile(note(REQUESTED));
    expect(await ledger.save()).toBe('rebased');
    expect(await row()).toMatchObject({ storeInspected: true, request: { by: 'a person' }, lease: { owner: 'one' } });
    expect(ledger.record).toEqual(await row());
    expect(await ledger.save()).toBe('saved');
  });

  it('is not told as ours', async () => {
    const { ledger, told, meanwhile } = await desk();
    ledger.note(INSPECTED);
    await meanwhile(note(REQUESTED));
    await ledger.save();
    expect(told.map(({ event }) => event)).toEqual(['StoreInspected']);
  });

  it('after the claim was durable takes it over only with a greater token: then ours is void', async () => {
    const { ledger, row, meanwhile } = await desk();
    await ledger.save();
    await meanwhile(takenOver);
    ledger.note(INSPECTED);
    await expect(ledger.save()).rejects.toMatchObject({ code: 'LeaseLost' });
    expect((await row()).storeInspected).toBe(false);
  });

  it('before the claim was durable may be another claim: ours is refused, and nothing of it is left', async () => {
    const { ledger, row, meanwhile } = await desk();
    ledger.note(INSPECTED);
    await meanwhile(takenOver);
    await expect(ledger.save()).rejects.toMatchObject({ code: 'LeaseHeld' });
    await ledger.release();
    expect(await row()).toMatchObject({ storeInspected: false, lease: { owner: 'two' } });
  });

  it('each time, five times in a row, is too much', async () => {
    const { rows, meanwhile } = await desk();
    const stored = await storedIn(rows);
    let rounds = 0;
    const inventory: Inventory = {
      ...rows,
      write: async (record, revision) => {
        rounds += 1;
        await meanwhile(note(REQUESTED));
        return rows.write(record, revision);
      },
    };
    const ledger = ledgerOver(inventory, stored);
    await expect(ledger.save()).rejects.toMatchObject({ code: 'StaleRevision' });
    expect(rounds).toBe(5);
  });
});

describe('a save whose answer was lost, so that the SDK sent it again', () => {
  const answeredLate = (rows: Inventory): Inventory => ({
    ...rows,
    write: async (record, revision) => {
      await rows.write(record, revision);
      return rows.write(record, revision);
    },
  });

  it('is done: nobody else was there', async () => {
    const { rows, row } = await desk();
    const stored = await storedIn(rows);
    const told: Transition[] = [];
    const ledger = ledgerOver(answeredLate(rows), stored, (line) => void told.push(line));
    ledger.note(INSPECTED);
    expect(await ledger.save()).toBe('saved');
    expect(await row()).toMatchObject({ storeInspected: true, lease: { owner: 'one', token: 1 } });
    expect(told.map(({ event }) => event)).toEqual(['StoreInspected']);
    await ledger.release();
    expect(await row()).toMatchObject({ lease: { owner: 'one', token: 1, expiresAt: 0 } });
    expect((await rows.read(SPEC.id))?.revision).toBe(3);
  });
});

describe('a save that fails', () => {
  const refusing = async (error: Error, otherwise: Partial<Inventory> = {}) => {
    const { rows } = await desk();
    const stored = await storedIn(rows);
    let writes = 0;
    const write = async (): Promise<never> => {
      writes += 1;
      throw error;
    };
    const inventory = { ...rows, write, ...otherwise };
    const ledger = ledgerOver(inventory, stored);
    return { ledger, writes: () => writes };
  };

  it('for another reason than a conflict is not repeated', async () => {
    const error = new TransientError('Throttled', 'slow down');
    const { ledger, writes } = await refusing(error);
    await expect(ledger.save()).rejects.toBe(error);
    expect(writes()).toBe(1);
  });

  it('since the record is gone says so', async () => {
    const { ledger } = await refusing(new ConflictError('StaleRevision', 'changed'), { read: async () => undefined });
    await expect(ledger.save()).rejects.toMatchObject({
      code: 'RecordGone',
      message: 'payments/orders was removed from the inventory',
    });
  });
});

describe('giving the record back', () => {
  it('ends the claim and keeps its number', async () => {
    const { ledger, row } = await desk();
    await ledger.save();
    await ledger.release();
    expect((await row()).lease).toEqual({ owner: 'one', token: 1, expiresAt: 0 });
  });

  it('saves what was noted last', async () => {
    const { ledger, row } = await desk();
    await ledger.save();
    ledger.note(INSPECTED);
    await ledger.release();
    expect(await row()).toMatchObject({ storeInspected: true, lease: { expiresAt: 0 } });
  });

  it('is nothing where it was never ours', async () => {
    const { ledger, writes } = await desk();
    ledger.note(INSPECTED);
    await ledger.release();
    expect(writes()).toBe(0);
  });

  it('leaves another’s claim alone', async () => {
    const { ledger, row, meanwhile } = await desk();
    await ledger.save();
    await meanwhile(takenOver);
    await expect(ledger.release()).rejects.toMatchObject({ code: 'LeaseLost' });
    expect((await row()).lease?.owner).toBe('two');
  });

  it('happens though somebody changed the record meanwhile', async () => {
    const { ledger, row, meanwhile } = await desk();
    await ledger.save();
    await meanwhile(note(REQUESTED));
    await ledger.release();
    expect(await row()).toMatchObject({ request: { by: 'a person' }, lease: { expiresAt: 0 } });
  });
});

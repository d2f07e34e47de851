import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { CLOSED } from '../../functions/core/breaker.ts';
import { type CertificateId, issuerIdOf } from '../../functions/core/certificate.ts';
import type { Inventory } from '../../functions/core/ports.ts';
import type { CertificateRecord } from '../../functions/core/record.ts';
import { HOUR_MS } from '../../functions/core/time.ts';
import { apply, declare } from '../../functions/core/transitions.ts';
import { aSpec, id, ISSUER, NOON } from '../support/builders.ts';

const declared = (certificate: CertificateId = id(`contract/${randomUUID()}`)): CertificateRecord =>
  declare(aSpec({ id: certificate }), { actor: 'contract', at: NOON });

async function collect<T>(values: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

/** The duties of every Inventory. */
export function inventoryContract(name: string, make: () => Promise<Inventory>): void {
  describe(`inventory: ${name}`, () => {
    it('answers what was written, with its revision', async () => {
      const inventory = await make();
      const record = declared();
      const revision = await inventory.write(record, undefined);
      expect(await inventory.read(record.id)).toEqual({ value: record, revision });
    });

    it('knows nothing of what was never written', async () => {
      const inventory = await make();
      expect(await inventory.read(id(`contract/${randomUUID()}`))).toBeUndefined();
    });

    it('refuses to create what exists', async () => {
      const inventory = await make();
      const record = declared();
      await inventory.write(record, undefined);
      await expect(inventory.write(record, undefined)).rejects.toMatchObject({ class: 'conflict' });
    });

    it('refuses a write over a revision that is not the latest', async () => {
      const inventory = await make();
      const record = declared();
      const first = await inventory.write(record, undefined);
      await inventory.write(record, first);
      await expect(inventory.write(record, first)).rejects.toMatchObject({ class: 'conflict' });
    });

    it('lets exactly one of many writers of one revision win', async () => {
      const inventory = await make();
      const record = declared();
      const revision = await inventory.write(record, undefined);
      const writes = await Promise.allSettled(Array.from({ length: 8 }, () => inventory.write(record, revision)));
      expect(writes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    });

    it('lists what is due and leaves out what is not, is leased, or is retired', async () => {
      const inventory = await make();
      const due = declared();
      const later = { ...declared(), waitUntil: NOON + 2 * HOUR_MS };
      const leased = { ...declared(), lease: { owner: 'x', token: 1, expiresAt: NOON + 2 * HOUR_MS } };
      const retired = apply(declared(), { event: 'Retired' }, { actor: 'contract', at: NOON });
      for (const record of [due, later, leased, retired]) await inventory.write(record, undefined);
      const listed = await collect(inventory.due(NOON + HOUR_MS, 1_000_000));
      expect(listed).toContain(due.id);
      for (const { id: other } of [later, leased, retired]) expect(listed).not.toContain(other);
    });

    it('lists every record', async () => {
      const inventory = await make();
      const records = [declared(), declared()];
      for (const record of records) await inventory.write(record, undefined);
      const ids = (await collect(inventory.all())).map(({ value }) => value.id);
      expect(ids).toEqual(expect.arrayContaining(records.map((record) => record.id)));
    });

    it('keeps issuers beside certificates, under the same rule of revisions', async () => {
      const inventory = await make();
      const ref = { ...ISSUER.ref, name: `i-${randomUUID()}` };
      const record = { id: issuerIdOf(ref), spec: { ...ISSUER, ref }, breaker: CLOSED };
      const revision = await inventory.writeIssuer(record, undefined);
      expect(await inventory.readIssuer(record.id)).toEqual({ value: record, revision });
      await expect(inventory.writeIssuer(record, undefined)).rejects.toMatchObject({ class: 'conflict' });
    });
  });
}

import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { CLOSED } from '../../functions/core/breaker.ts';
import { type CertificateId, issuerId, issuerIdOf, versionId } from '../../functions/core/certificate.ts';
import type { Inventory } from '../../functions/core/ports.ts';
import type { CertificateRecord } from '../../functions/core/record.ts';
import { hookId, hookRefOf } from '../../functions/core/rollout/hook-spec.ts';
import type { RolloutRecord } from '../../functions/core/rollout/record.ts';
import { specDigest } from '../../functions/core/spec-change.ts';
import { standingOf } from '../../functions/core/standing.ts';
import { DAY_MS, HOUR_MS } from '../../functions/core/time.ts';
import { apply, declare } from '../../functions/core/transitions.ts';
import { aPolicy, opened } from '../rollout/simulation.ts';
import { aLeaf, aSpec, id, ISSUER, NOON } from '../support/builders.ts';

const declared = (certificate: CertificateId = id(`contract/${randomUUID()}`)): CertificateRecord =>
  declare(aSpec({ id: certificate }), { actor: 'contract', at: NOON });

const aVersion = (notAfter: number): NonNullable<CertificateRecord['current']> => ({
  version: versionId.parse('v1'),
  secretName: 'orders-tls',
  issuerRef: ISSUER.ref,
  leaf: aLeaf({ notBefore: notAfter - 90 * DAY_MS, notAfter }),
  specDigest: specDigest(aSpec()),
  issuedAt: notAfter - 90 * DAY_MS,
});

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
      const listed = (await collect(inventory.due(NOON + HOUR_MS, 1_000_000))).map(({ certificate }) => certificate);
      expect(listed).toContain(due.id);
      for (const { id: other } of [later, leased, retired]) expect(listed).not.toContain(other);
    });

    it('says of what is due for an order who is to sign it, and when what is in use ends', async () => {
      const inventory = await make();
      const fresh = declared();
      const served = { ...declared(), storeInspected: true, current: aVersion(NOON + HOUR_MS) };
      const told = {
        ...served,
        ...declared(),
        outbox: [{ type: 'Certificate Renewal Due', detail: { schemaVersion: '1', certificate: served.id } }],
      };
      for (const record of [fresh, served]) await inventory.write(record, undefined);
      await inventory.write({ ...told, outbox: told.outbox as CertificateRecord['outbox'] }, undefined);
      const due = new Map<CertificateId, unknown>();
      for await (const { certificate, order } of inventory.due(NOON + HOUR_MS, 1_000_000)) due.set(certificate, order);
      const issuer = issuerIdOf(ISSUER.ref);
      expect(due.get(fresh.id)).toEqual({ issuer, expiresAt: undefined });
      expect(due.get(served.id)).toEqual({ issuer, expiresAt: NOON + HOUR_MS });
      expect(due.get(told.id)).toBeUndefined();
      expect([...due.keys()]).toContain(told.id);
    });

    it('gives an issuer’s orders out one by one, however many ask at once, and says when the next one comes', async () => {
      const inventory = await make();
      const issuer = issuerId.parse(`contract/Kind/${randomUUID()}`);
      const limit = { orders: 5, perSeconds: 10 };
      const take = (now: number, waitsMs = 0) => inventory.takeOrder(issuer, limit, { now, latest: now + waitsMs });
      expect(await inventory.readBudget(issuer)).toBeUndefined();
      expect(await take(NOON)).toEqual({ taken: true, placeableAt: NOON });
      const four = await Promise.all([1, 2, 3, 4].map(() => take(NOON)));
      expect(four).toEqual([1, 2, 3, 4].map(() => ({ taken: true, placeableAt: NOON })));
      expect(await inventory.readBudget(issuer)).toBe(NOON + 10_000);
      expect(await take(NOON)).toEqual({ taken: false, placeableAt: NOON + 2_000 });
      expect(await take(NOON + 500, 2_000)).toEqual({ taken: true, placeableAt: NOON + 2_000 });
      expect(await take(NOON + 500, 2_000)).toEqual({ taken: false, placeableAt: NOON + 4_000 });
      // After a rest it is as in the beginning.
      expect(await take(NOON + HOUR_MS)).toEqual({ taken: true, placeableAt: NOON + HOUR_MS });
      expect(await inventory.readBudget(issuer)).toBe(NOON + HOUR_MS + 2_000);
    });

    it('keeps a certificate’s roll-out beside it, under the same rule of revisions, and lists it when it is due', async () => {
      const inventory = await make();
      const certificate = id(`contract/${randomUUID()}`);
      const due: RolloutRecord = { ...opened(), id: certificate };
      expect(await inventory.readRollout(certificate)).toBeUndefined();
      const revision = await inventory.writeRollout(due, undefined);
      expect(await inventory.readRollout(certificate)).toEqual({ value: due, revision });
      await expect(inventory.writeRollout(due, undefined)).rejects.toMatchObject({ class: 'conflict' });
      // Far ahead of whatever else the table holds.
      const found = await collect(inventory.due(NOON + HOUR_MS, 1_000_000));
      expect(found.filter((each) => each.certificate === certificate)).toEqual([
        { certificate, rollout: true, dueAt: NOON },
      ]);
      await inventory.writeRollout({ ...due, phase: 'deployed' }, revision);
      const left = await collect(inventory.due(NOON + HOUR_MS, 1_000_000));
      expect(left.filter((each) => each.certificate === certificate)).toEqual([]);
      // And is none of the certificates.
      expect((await collect(inventory.all())).map(({ value }) => value.id)).not.toContain(certificate);
    });

    it('keeps a hook by what it says, as often as it is written', async () => {
      const inventory = await make();
      const hook = {
        ...aPolicy(),
        id: hookId.parse(`contract/h-${randomUUID()}`),
        plugin: 'ecs',
        targets: [{ name: 'ecs:prod/orders', options: { cluster: 'prod', service: 'orders' } }],
        endpoints: [{ host: 'orders.internal.example', port: 443 }],
      };
      const changed = { ...hook, concurrency: 7 };
      expect(await inventory.readHook(hookRefOf(hook))).toBeUndefined();
      for (const each of [hook, hook, changed]) await inventory.writeHook(each);
      expect(await inventory.readHook(hookRefOf(hook))).toEqual(hook);
      expect(await inventory.readHook(hookRefOf(changed))).toEqual(changed);
    });

    it('tells how each certificate is doing that is renewed, without its ledger', async () => {
      const inventory = await make();
      const fresh = declared();
      const served = { ...declared(), storeInspected: true, current: aVersion(NOON + 30 * DAY_MS) };
      const failure = { class: 'transient', code: 'CaFailed', message: 'no', at: NOON };
      const blocked = { ...served, id: declared().id, failures: { count: 2, blocked: true, last: failure } };
      const retired = apply(declared(), { event: 'Retired' }, { actor: 'contract', at: NOON });
      for (const record of [fresh, served, blocked, retired]) await inventory.write(record, undefined);
      const found = new Map((await collect(inventory.standings())).map((each) => [each.certificate, each]));
      for (const record of [fresh, served, blocked]) expect(found.get(record.id)).toEqual(standingOf(record));
      expect(found.has(retired.id)).toBe(false);
    });

    it('forgets a record, unless somebody has written it meanwhile', async () => {
      const inventory = await make();
      const record = declared();
      const first = await inventory.write(record, undefined);
      const second = await inventory.write(record, first);
      await expect(inventory.remove(record.id, first)).rejects.toMatchObject({ class: 'conflict' });
      await inventory.remove(record.id, second);
      expect(await inventory.read(record.id)).toBeUndefined();
      await expect(inventory.remove(record.id, second)).rejects.toMatchObject({ class: 'conflict' });
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

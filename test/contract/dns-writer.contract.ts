import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { DnsWriter, Step, TxtRecord } from '../../functions/core/ports.ts';

export interface WriterUnderTest {
  readonly writer: DnsWriter;
  /** Apex of a zone that it may write. */
  readonly apex: string;
  /** Apex of a zone inside of that one. */
  readonly inner: string;
  /** Values at a name, in no order. */
  readonly values: (name: string) => Promise<readonly string[]>;
  /** What a person has there already. */
  readonly putByPerson: (name: string, value: string) => Promise<void>;
}

const newValue = (): string => randomUUID().replaceAll('-', '');

/** Looks until the service says that all of its servers have it. */
export async function settled(writer: DnsWriter, step: Step<void>): Promise<void> {
  for (let looks = 0, next = step; next.status === 'waiting'; looks++) {
    if (looks === 100) throw new Error('never in sync');
    next = await writer.check(next.ticket);
  }
}

/** The duties of every DnsWriter. */
export function dnsWriterContract(name: string, make: () => Promise<WriterUnderTest>): void {
  describe(`DNS writer: ${name}`, () => {
    async function record(under: WriterUnderTest, host = `h-${newValue()}`): Promise<TxtRecord> {
      const at = `_acme-challenge.${host}.${under.apex}`;
      return { zone: await under.writer.zoneOf(at), name: at, value: newValue() };
    }

    it('finds the zone of a name by the longest match', async () => {
      const { writer, apex, inner } = await make();
      const [outerZone, innerZone] = [
        await writer.zoneOf(`_acme-challenge.${apex}`),
        await writer.zoneOf(`a.${inner}`),
      ];
      expect(outerZone).not.toBe(innerZone);
      expect(await writer.zoneOf(`not-${inner}`)).toBe(outerZone);
      expect(await writer.zoneOf(inner)).toBe(innerZone);
    });

    it('says of a name in no zone that there is none', async () => {
      const { writer } = await make();
      await expect(writer.zoneOf('_acme-challenge.nowhere.invalid')).rejects.toMatchObject({
        class: 'permanent',
        code: 'NoZone',
      });
    });

    it('adds several values to one name, of one certificate or of two, and takes each back alone', async () => {
      const under = await make();
      const first = await record(under, 'shared');
      const [second, third] = [await record(under, 'shared'), await record(under, 'shared')];
      await settled(under.writer, await under.writer.add([first, second]));
      await settled(under.writer, await under.writer.add([third]));
      expect(new Set(await under.values(first.name))).toEqual(new Set([first.value, second.value, third.value]));
      await under.writer.remove([second]);
      expect(new Set(await under.values(first.name))).toEqual(new Set([first.value, third.value]));
      await under.writer.remove([first, third]);
      expect(await under.values(first.name)).toEqual([]);
    });

    it('may be asked for the same twice, to add and to remove, and to remove what was never there', async () => {
      const under = await make();
      const [there, never] = [await record(under), await record(under)];
      for (let round = 0; round < 2; round++) await settled(under.writer, await under.writer.add([there]));
      expect(await under.values(there.name)).toEqual([there.value]);
      for (let round = 0; round < 2; round++) await under.writer.remove([never, there]);
      expect(await under.values(there.name)).toEqual([]);
    });

    it('writes to several zones at once', async () => {
      const under = await make();
      const outer = await record(under);
      const name = `_acme-challenge.h-${newValue()}.${under.inner}`;
      const inner = { zone: await under.writer.zoneOf(name), name, value: newValue() };
      await settled(under.writer, await under.writer.add([outer, inner]));
      expect([await under.values(outer.name), await under.values(inner.name)]).toEqual([[outer.value], [inner.value]]);
      await under.writer.remove([outer, inner]);
    });

    it('serves fifty certificates side by side', async () => {
      const under = await make();
      const records = await Promise.all(Array.from({ length: 50 }, () => record(under)));
      const steps = await Promise.all(records.map(async (each) => ({ each, step: await under.writer.add([each]) })));
      await Promise.all(steps.map(({ step }) => settled(under.writer, step)));
      for (const each of records) expect(await under.values(each.name)).toEqual([each.value]);
      await Promise.all(records.map((each) => under.writer.remove([each])));
      for (const each of records) expect(await under.values(each.name)).toEqual([]);
    });

    it("leaves a person's record of the same name alone, and says that it is in the way", async () => {
      const under = await make();
      const [mine, other] = [await record(under), await record(under)];
      await under.putByPerson(mine.name, 'by-a-person');
      // One that is fine, in the same batch, does not suffer for it.
      const [refused, added] = await Promise.allSettled([under.writer.add([mine]), under.writer.add([other])]);
      expect(refused).toMatchObject({ status: 'rejected', reason: { class: 'permanent', code: 'DnsChangeRefused' } });
      expect(added.status).toBe('fulfilled');
      expect(await under.values(mine.name)).toEqual(['by-a-person']);
      await under.writer.remove([other, mine]);
      expect(await under.values(mine.name)).toEqual(['by-a-person']);
    });
  });
}

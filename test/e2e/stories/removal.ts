import { describe, expect, it } from 'vitest';
import type { CertificateRecord } from '../../../functions/core/record.ts';
import { dynamoDbInventory } from '../../../functions/inventories/dynamodb.ts';
import { eventually } from '../support/eventually.ts';
import { HOOKS, isAtRest, STACK, type World } from '../support/world.ts';

/** The stack goes, and comes back. */
export function removal(world: () => World): void {
  describe('destroying the stack', () => {
    it('keeps the table, its records as they were, every secret and the key', async () => {
      const records = await world().operator.records();
      const versions = await currentVersions(world(), records);
      const table = world().output('TableName');
      const key = world().resource('EverleafStoreKey');
      expect(await world().destroy()).toContain(`${STACK}: destroyed`);

      await expect(world().tick()).rejects.toThrow('Function not found');
      expect(await world().account.tableStatus(table)).toBe('ACTIVE');
      expect(await world().account.keyState(key)).toBe('Enabled');
      const kept = [];
      for await (const { value } of dynamoDbInventory(table, world().account.dynamodb).all()) kept.push(value);
      expect(kept.sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual(records);
      expect(await currentVersions(world(), records)).toEqual(versions);
    });

    it('lets the next deploy take up what is there: nothing is issued anew', async () => {
      const { issued } = world();
      world().removeManifest('impossible.yaml');
      world().removeManifest(HOOKS);
      await world().deploy();
      // The deployed schedule may have fired just before: whichever comes first, the trail below says that it found work.
      await world().tick();
      const records = await eventually('every certificate is adopted', async () => {
        const all = await world().operator.records();
        return all.every((record) => record.current !== undefined && isAtRest(record)) ? all : undefined;
      });
      for (const record of records) {
        const { version, bundle } = await world().account.bundle(world().secretOf(record));
        expect(record.current?.version).toBe(version);
        expect(record.generation).toBe(bundle.everleaf.generation);
        // After that, a CA that has a wish is asked for it.
        expect(record.history).toContainEqual(
          expect.objectContaining({ event: 'StoreInspected', cause: 'adopted from the secret store' }),
        );
      }
      expect(await world().tick()).toBe(0);
      expect(world().issued).toBe(issued);
    });
  });
}

/** Undefined for a certificate that was never issued. */
async function currentVersions(
  world: World,
  records: readonly CertificateRecord[],
): Promise<readonly (string | undefined)[]> {
  const versions = [];
  for (const record of records) {
    const issued = record.current !== undefined;
    versions.push(issued ? (await world.account.bundle(world.secretOf(record))).version : undefined);
  }
  return versions;
}

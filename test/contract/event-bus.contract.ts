import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Announcement } from '../../functions/core/events.ts';
import type { EventBus } from '../../functions/core/ports.ts';
import { id } from '../support/builders.ts';

export interface BusUnderTest {
  readonly bus: EventBus;
  /** The certificates that a subscriber was told of so far, at least `count` of them. */
  readonly told: (count: number) => Promise<readonly string[]>;
}

const hintOf = (certificate: string): Announcement => ({
  type: 'Certificate Renewal Due',
  detail: { schemaVersion: '1', certificate: id(certificate) },
});

/** The duties of every EventBus. */
export function eventBusContract(name: string, make: () => Promise<BusUnderTest>): void {
  describe(`event bus: ${name}`, () => {
    it('brings a subscriber every event of more than one call holds', async () => {
      const { bus, told } = await make();
      const certificates = Array.from({ length: 25 }, () => `contract/${randomUUID()}`);
      await bus.publish(certificates.map(hintOf));
      expect(new Set(await told(certificates.length))).toEqual(new Set(certificates));
    });

    it('takes nothing for nothing to do', async () => {
      const { bus } = await make();
      await expect(bus.publish([])).resolves.toBeUndefined();
    });
  });
}

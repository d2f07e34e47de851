import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { HintQueue } from '../../functions/core/ports.ts';
import { id } from '../support/builders.ts';

/** A hint as a worker gets it. */
export interface Delivered {
  readonly body: string;
  /** From sending to the first delivery. */
  readonly delayedMs: number;
}

export interface QueueUnderTest {
  readonly hints: HintQueue;
  /** Waits as long as it takes. */
  readonly delivered: () => Promise<Delivered>;
}

/** The duties of every HintQueue. */
export function hintQueueContract(name: string, make: () => Promise<QueueUnderTest>): void {
  describe(`hint queue: ${name}`, () => {
    it('delivers a hint as it was given, and not before its time', async () => {
      const { hints, delivered } = await make();
      const hint = { schemaVersion: '1', certificate: id(`contract/${randomUUID()}`) } as const;
      await hints.later(hint, 2);
      const { body, delayedMs } = await delivered();
      expect(JSON.parse(body)).toEqual(hint);
      expect(delayedMs).toBeGreaterThanOrEqual(2_000);
    });
  });
}

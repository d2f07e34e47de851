import { randomUUID } from 'node:crypto';
import { CLOSED } from '../../functions/core/breaker.ts';
import { attemptId, type CertificateSpec, issuerIdOf } from '../../functions/core/certificate.ts';
import type { Announcement } from '../../functions/core/events.ts';
import type { MetricName } from '../../functions/core/metrics.ts';
import type { Inventory } from '../../functions/core/ports.ts';
import type { CertificateRecord } from '../../functions/core/record.ts';
import { type Instant, MINUTE_MS, SECOND_MS } from '../../functions/core/time.ts';
import { apply, declare, type Happening } from '../../functions/core/transitions.ts';
import type { RenewalParts } from '../../functions/issue/parts.ts';
import { renew } from '../../functions/issue/renew.ts';
import { aSpec, ISSUER, NOON } from './builders.ts';
import { memoryInventory } from './memory-inventory.ts';
import { type MemoryStore, memoryStore } from './memory-store.ts';
import { TestCa, TestIssuer } from './test-ca.ts';

/** The whole of a renewal on in-memory ports: for tests that need every interleaving, quickly. */
export interface Workshop {
  readonly parts: RenewalParts;
  readonly inventory: Inventory;
  readonly store: MemoryStore;
  readonly issuer: TestIssuer;
  readonly published: Announcement[];
  readonly measured: (readonly [MetricName, number])[];
  readonly spec: CertificateSpec;
  readonly now: () => Instant;
  readonly pass: (ms: number) => void;
  /** One delivery of a hint. */
  readonly work: (parts?: RenewalParts) => Promise<void>;
  /** Schedule ticks, a minute each, until nothing is due or `limit` minutes are over. */
  readonly tick: (limit: number, parts?: RenewalParts) => Promise<void>;
  readonly record: () => Promise<CertificateRecord>;
  /** Somebody else, a deploy or a person, writes the record. */
  readonly happens: (happening: Happening) => Promise<void>;
  /** Serial number of the leaf that a consumer would read now. */
  readonly servedSerial: () => string | undefined;
}

const CA = await TestCa.create('test', NOON);

export async function workshop(spec: CertificateSpec = aSpec()): Promise<Workshop> {
  let now = NOON;
  const clock = (): Instant => now;
  const inventory = memoryInventory();
  const store = memoryStore();
  const issuer = new TestIssuer(CA, clock);
  const published: Announcement[] = [];
  const measured: [MetricName, number][] = [];
  await inventory.writeIssuer({ id: issuerIdOf(ISSUER.ref), spec: ISSUER, breaker: CLOSED }, undefined);
  await inventory.write(declare(spec, { actor: 'sync', at: NOON }), undefined);
  const own: RenewalParts = {
    inventory,
    store,
    bus: { publish: async (announcements) => void published.push(...announcements) },
    hints: { later: async () => {} },
    meter: { record: (name, value) => void measured.push([name, value]) },
    connect: async () => ({
      issuer,
      uninvitedUsages: ['server auth', 'client auth'],
      withheldUsages: [],
      honoursNotAfter: true,
    }),
    clock,
    pause: async (seconds) => void (now += seconds * SECOND_MS),
    newAttemptId: () => attemptId.parse(randomUUID()),
    random: () => 0.5,
    log: () => {},
  };
  const work = (parts = own): Promise<void> =>
    renew(spec.id, parts, { owner: randomUUID(), leaseMs: 2 * MINUTE_MS, deadline: now + MINUTE_MS });
  const record = async (): Promise<CertificateRecord> => {
    const stored = await inventory.read(spec.id);
    if (stored === undefined) throw new Error('the record is gone');
    return stored.value;
  };
  return {
    parts: own,
    inventory,
    store,
    issuer,
    published,
    measured,
    spec,
    now: clock,
    pass: (ms) => void (now += ms),
    work,
    tick: async (limit, parts = own) => {
      for (let minute = 0; minute < limit; minute++) {
        now += MINUTE_MS;
        for await (const { certificate } of inventory.due(now, 10)) if (certificate === spec.id) await work(parts);
      }
    },
    record,
    happens: async (happening) => {
      const stored = await inventory.read(spec.id);
      if (stored === undefined) throw new Error('the record is gone');
      await inventory.write(apply(stored.value, happening, { actor: 'test', at: now }), stored.revision);
    },
    servedSerial: () =>
      store.served({ certificate: spec.id, secretName: spec.secretName })?.provenance.leaf.serialNumber,
  };
}

import { describe, expect, it } from 'vitest';
import { CLOSED } from '../../functions/core/breaker.ts';
import { type CertificateSpec, issuerIdOf, type IssuerSpec } from '../../functions/core/certificate.ts';
import { ConflictError } from '../../functions/core/errors.ts';
import type { Inventory, Versioned } from '../../functions/core/ports.ts';
import type { CertificateRecord } from '../../functions/core/record.ts';
import { HOUR_MS, MINUTE_MS } from '../../functions/core/time.ts';
import { applyManifest, type SyncReport } from '../../functions/sync/apply-manifest.ts';
import { aSpec, id, ISSUER, NOON } from '../support/builders.ts';
import { memoryInventory } from '../support/memory-inventory.ts';

const ORDERS = aSpec();
const WIKI = aSpec({ id: id('default/wiki'), secretName: 'wiki-tls' });
const LATER = NOON + HOUR_MS;
const NOTHING: SyncReport = { declared: 0, changed: 0, retired: 0, unchanged: 0 };
const OPEN = { failures: 5, openUntil: NOON + HOUR_MS, probing: false, pauseMs: MINUTE_MS };

/** An inventory that counts what is written, in which a stranger may step between. */
interface Scene {
  readonly inventory: Inventory;
  /** What was written, by id. */
  readonly writes: string[];
  /** While set, is called before each write. */
  before: ((written: string) => Promise<void>) | undefined;
  deploy(certificates: readonly CertificateSpec[], issuers?: readonly IssuerSpec[]): Promise<SyncReport>;
  record(spec?: CertificateSpec): Promise<CertificateRecord>;
  /** What a worker does to a record. */
  change(change: Partial<CertificateRecord>, spec?: CertificateSpec): Promise<void>;
}

function scene(): Scene {
  const memory = memoryInventory();
  const writes: string[] = [];
  const read = async ({ id } = ORDERS): Promise<Versioned<CertificateRecord>> => {
    const stored = await memory.read(id);
    if (stored === undefined) throw new Error(`${id} is not in the inventory`);
    return stored;
  };
  const made: Scene = {
    inventory: {
      ...memory,
      write: async (record, revision) => {
        writes.push(record.id);
        await made.before?.(record.id);
        return memory.write(record, revision);
      },
      writeIssuer: async (record, revision) => {
        writes.push(record.id);
        await made.before?.(record.id);
        return memory.writeIssuer(record, revision);
      },
    },
    writes,
    before: undefined,
    deploy: async (certificates, issuers = [ISSUER]) => {
      writes.length = 0;
      return applyManifest(made.inventory, { certificates: [...certificates], issuers: [...issuers] }, LATER);
    },
    record: async (spec) => (await read(spec)).value,
    change: async (change, spec) => {
      const { value, revision } = await read(spec);
      await memory.write({ ...value, ...change }, revision);
    },
  };
  return made;
}

async function deployed(...certificates: readonly CertificateSpec[]): Promise<Scene> {
  const made = scene();
  await made.deploy(certificates);
  return made;
}

const ISSUER_ID = issuerIdOf(ISSUER.ref);
const OTHER_ROLE: IssuerSpec = { ...ISSUER, options: { ...(ISSUER.options as object), role: 'another' } };
const FAILED = { count: 3, blocked: true };
const lastEvent = ({ history }: CertificateRecord): unknown => {
  const { actor, at, event } = history.at(-1) ?? {};
  return { actor, at, event };
};
const bySync = (event: string): object => ({ actor: 'sync', at: LATER, event });

describe('a deploy', () => {
  it('declares what is new, and knows its issuer', async () => {
    const made = scene();
    expect(await made.deploy([ORDERS, WIKI])).toEqual({ ...NOTHING, declared: 2 });
    for (const spec of [ORDERS, WIKI]) {
      const record = await made.record(spec);
      expect(record).toMatchObject({ id: spec.id, spec, origin: 'managed', generation: 0, failures: { count: 0 } });
      expect(lastEvent(record)).toEqual(bySync('Declared'));
    }
    expect((await made.inventory.readIssuer(ISSUER_ID))?.value).toEqual({
      id: ISSUER_ID,
      spec: ISSUER,
      breaker: CLOSED,
    });
  });

  it('writes nothing when nothing has changed', async () => {
    const made = await deployed(ORDERS, WIKI);
    const reordered = { ...ORDERS, dnsNames: ORDERS.dnsNames.toReversed() };
    expect(await made.deploy([WIKI, reordered])).toEqual({ ...NOTHING, unchanged: 2 });
    expect(made.writes).toEqual([]);
  });

  it('changes what is wanted, and ends its patience, but not that of the CA', async () => {
    const made = await deployed(ORDERS, WIKI);
    await made.change({ failures: FAILED, waitUntil: NOON + 9 * HOUR_MS, retryAfter: NOON + 8 * HOUR_MS });
    const wanted = { ...ORDERS, dnsNames: ['new.example'] };
    expect(await made.deploy([wanted, WIKI])).toEqual({ ...NOTHING, changed: 1, unchanged: 1 });
    expect(made.writes).toEqual([ORDERS.id]);
    const record = await made.record();
    expect(record).toMatchObject({ spec: wanted, failures: { blocked: false }, retryAfter: NOON + 8 * HOUR_MS });
    expect(record.waitUntil).toBeUndefined();
    expect(lastEvent(record)).toEqual(bySync('Respecified'));
  });

  it('retires what is gone, once, and keeps its record', async () => {
    const made = await deployed(ORDERS, WIKI);
    expect(await made.deploy([WIKI])).toEqual({ ...NOTHING, retired: 1, unchanged: 1 });
    expect(await made.record()).toMatchObject({ spec: ORDERS, retiredAt: LATER });
    expect(await made.deploy([WIKI])).toEqual({ ...NOTHING, unchanged: 2 });
    expect(made.writes).toEqual([]);
  });

  it('retires nothing that is only watched', async () => {
    const made = await deployed(ORDERS);
    await made.change({ origin: 'observed' });
    expect(await made.deploy([])).toEqual({ ...NOTHING, unchanged: 1 });
    expect((await made.record()).retiredAt).toBeUndefined();
  });

  it('reinstates what comes back, as it is wanted now', async () => {
    const made = await deployed(ORDERS);
    await made.change({ waitUntil: NOON + 9 * HOUR_MS });
    await made.deploy([]);
    const wanted = { ...ORDERS, durationSeconds: 3_600 };
    expect(await made.deploy([wanted])).toEqual({ ...NOTHING, declared: 1 });
    const record = await made.record();
    expect(record.spec).toEqual(wanted);
    expect([record.retiredAt, record.waitUntil]).toEqual([undefined, undefined]);
    expect(lastEvent(record)).toEqual(bySync('Reinstated'));
  });

  it('has another look at what failed, and forgets that it was blocked', async () => {
    const made = await deployed(ORDERS, WIKI);
    await made.change({ failures: FAILED, waitUntil: NOON + 9 * HOUR_MS });
    expect(await made.deploy([ORDERS, WIKI])).toEqual({ ...NOTHING, changed: 1, unchanged: 1 });
    const record = await made.record();
    expect(record).toMatchObject({ failures: { count: 3, blocked: false } });
    expect(record.waitUntil).toBeUndefined();
    expect(lastEvent(record)).toEqual(bySync('Reconsidered'));
  });

  it('has another look at the certificates of a changed issuer, whose circuit it closes', async () => {
    const apart = { ...ISSUER, ref: { ...ISSUER.ref, name: 'apart' } };
    const [made, wiki] = [scene(), { ...WIKI, issuerRef: apart.ref }];
    await made.deploy([ORDERS, wiki], [ISSUER, apart]);
    await made.inventory.writeIssuer({ id: ISSUER_ID, spec: ISSUER, breaker: OPEN }, 1);
    await made.change({ waitUntil: NOON + 9 * HOUR_MS });
    expect(await made.deploy([ORDERS, wiki], [OTHER_ROLE, apart])).toEqual({ ...NOTHING, changed: 1, unchanged: 1 });
    expect(made.writes).toEqual([ISSUER_ID, ORDERS.id]);
    expect((await made.inventory.readIssuer(ISSUER_ID))?.value).toMatchObject({ spec: OTHER_ROLE, breaker: CLOSED });
    const record = await made.record();
    expect(record.waitUntil).toBeUndefined();
    expect(lastEvent(record)).toEqual(bySync('Reconsidered'));
  });

  it('leaves the open circuit of an issuer that is as it was', async () => {
    const made = await deployed(ORDERS);
    await made.inventory.writeIssuer({ id: ISSUER_ID, spec: ISSUER, breaker: OPEN }, 1);
    await made.deploy([ORDERS]);
    expect((await made.inventory.readIssuer(ISSUER_ID))?.value.breaker).toEqual(OPEN);
  });

  it('gets through a fleet that is larger than what it writes side by side', async () => {
    const made = scene();
    const fleet = Array.from({ length: 120 }, (_, n) => aSpec({ id: id(`fleet/c${n}`), secretName: `c${n}-tls` }));
    expect(await made.deploy(fleet)).toEqual({ ...NOTHING, declared: 120 });
    expect(new Set(made.writes).size).toBe(121);
    expect(await made.deploy([])).toEqual({ ...NOTHING, retired: 120 });
  });
});

describe('a deploy among workers', () => {
  it('decides anew when one wrote the record meanwhile, and keeps what it wrote', async () => {
    const made = await deployed(ORDERS);
    let times = 3;
    made.before = async () => {
      if (times-- > 0) await made.change({ generation: 4 - times });
    };
    const wanted = { ...ORDERS, dnsNames: ['new.example'] };
    expect(await made.deploy([wanted])).toEqual({ ...NOTHING, changed: 1 });
    expect(await made.record()).toMatchObject({ spec: wanted, generation: 4 });
    expect(made.writes).toHaveLength(4);
  });

  it('decides anew when one opened the circuit of a changed issuer meanwhile', async () => {
    const made = await deployed(ORDERS);
    const memory = made.inventory;
    let once = true;
    made.before = async (written) => {
      if (written !== ISSUER_ID || !once) return;
      once = false;
      await memory.writeIssuer({ id: ISSUER_ID, spec: ISSUER, breaker: OPEN }, 1);
    };
    expect(await made.deploy([ORDERS], [OTHER_ROLE])).toEqual({ ...NOTHING, changed: 1 });
    expect((await memory.readIssuer(ISSUER_ID))?.value).toMatchObject({ spec: OTHER_ROLE, breaker: CLOSED });
  });

  it.each(['a record', 'an issuer'])('gives up on %s that never stands still', async (what) => {
    const made = await deployed(ORDERS);
    made.before = async () => {
      throw new ConflictError('StaleRevision', 'somebody was faster');
    };
    const work = what === 'a record' ? made.deploy([]) : made.deploy([ORDERS], [OTHER_ROLE]);
    await expect(work).rejects.toMatchObject({ class: 'conflict' });
    expect(made.writes).toHaveLength(10);
  });

  it('fails with what the inventory says, without another try', async () => {
    const made = await deployed(ORDERS);
    made.before = async () => {
      throw new Error('the table is gone');
    };
    await expect(made.deploy([])).rejects.toThrow('the table is gone');
    expect(made.writes).toHaveLength(1);
  });
});

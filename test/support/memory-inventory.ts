import * as z from 'zod/mini';
import { type CertificateId, type IssuerId, issuerIdOf } from '../../functions/core/certificate.ts';
import { dueAt, wantsOrder } from '../../functions/core/decide.ts';
import { ConflictError } from '../../functions/core/errors.ts';
import { type FullAgainAt, placeableAt, shareMs } from '../../functions/core/order-limit.ts';
import type { Inventory, IssuerRecord, Versioned } from '../../functions/core/ports.ts';
import { type CertificateRecord, certificateRecord } from '../../functions/core/record.ts';
import { rolloutDueAt } from '../../functions/core/rollout/decide.ts';
import { type DeployHookSpec, type HookRef, hookRefOf } from '../../functions/core/rollout/hook-spec.ts';
import { rolloutRecord } from '../../functions/core/rollout/record.ts';
import { standingOf } from '../../functions/core/standing.ts';

/** The inventory as a map; passes the same contract suite as the real one. Records rest encoded, as they do in a table. */
export function memoryInventory(): Inventory {
  const records = new Map<CertificateId, Versioned<z.input<typeof certificateRecord>>>();
  const issuers = new Map<IssuerId, Versioned<IssuerRecord>>();
  const rollouts = new Map<CertificateId, Versioned<z.input<typeof rolloutRecord>>>();
  const hooks = new Map<HookRef, DeployHookSpec>();
  const budgets = new Map<IssuerId, FullAgainAt>();
  const decoded = ({
    value,
    revision,
  }: Versioned<z.input<typeof certificateRecord>>): Versioned<CertificateRecord> => ({
    value: z.decode(certificateRecord, structuredClone(value)),
    revision,
  });

  function put<K, V>(map: Map<K, Versioned<V>>, key: K, value: V, revision: number | undefined): number {
    if (map.get(key)?.revision !== revision) throw new ConflictError('StaleRevision', `${String(key)} has changed`);
    map.set(key, { value, revision: (revision ?? 0) + 1 });
    return (revision ?? 0) + 1;
  }

  return {
    read: async (id) => {
      const found = records.get(id);
      return found === undefined ? undefined : decoded(found);
    },
    write: async (record, revision) => put(records, record.id, z.encode(certificateRecord, record), revision),
    remove: async (id, revision) => {
      if (records.get(id)?.revision !== revision) throw new ConflictError('StaleRevision', `${id} has changed`);
      records.delete(id);
    },
    async *due(now, limit) {
      const due = [...records.values()]
        .map((stored) => decoded(stored).value)
        .flatMap((record) => ({ record, at: dueAt(record) ?? Infinity }))
        .filter(({ at }) => at <= now)
        .sort((a, b) => a.at - b.at);
      for (const { record, at } of due.slice(0, limit)) {
        const { id: certificate, spec, current } = record;
        const order = { issuer: issuerIdOf(spec.issuerRef), expiresAt: current?.leaf.notAfter };
        yield { certificate, dueAt: at, ...(wantsOrder(record, at) ? { order } : {}) };
      }
      for (const { value } of rollouts.values()) {
        const record = z.decode(rolloutRecord, structuredClone(value));
        const at = rolloutDueAt(record) ?? Infinity;
        if (at <= now) yield { certificate: record.id, dueAt: at, rollout: true };
      }
    },
    async *standings() {
      for (const stored of records.values()) {
        const standing = standingOf(decoded(stored).value);
        if (!standing.isRetired) yield standing;
      }
    },
    async *all() {
      for (const stored of records.values()) yield decoded(stored);
    },
    readRollout: async (id) => {
      const found = rollouts.get(id);
      return found === undefined
        ? undefined
        : { value: z.decode(rolloutRecord, structuredClone(found.value)), revision: found.revision };
    },
    writeRollout: async (record, revision) => put(rollouts, record.id, z.encode(rolloutRecord, record), revision),
    readHook: async (ref) => hooks.get(ref),
    writeHook: async (spec) => void hooks.set(hookRefOf(spec), spec),
    readIssuer: async (id) => issuers.get(id),
    writeIssuer: async (record, revision) => put(issuers, record.id, record, revision),
    readBudget: async (id) => budgets.get(id),
    takeOrder: async (id, limit, { now, latest }) => {
      const fullAgainAt = Math.max(budgets.get(id) ?? now, now);
      const at = placeableAt(fullAgainAt, limit);
      if (at > latest) return { taken: false, placeableAt: at };
      budgets.set(id, fullAgainAt + shareMs(limit));
      return { taken: true, placeableAt: Math.max(now, at) };
    },
  };
}

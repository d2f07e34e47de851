import * as z from 'zod/mini';
import type { CertificateId, IssuerId } from '../../functions/core/certificate.ts';
import { dueAt } from '../../functions/core/decide.ts';
import { ConflictError } from '../../functions/core/errors.ts';
import type { Inventory, IssuerRecord, Versioned } from '../../functions/core/ports.ts';
import { type CertificateRecord, certificateRecord } from '../../functions/core/record.ts';

/** The inventory as a map; passes the same contract suite as the real one. Records rest encoded, as they do in a table. */
export function memoryInventory(): Inventory {
  const records = new Map<CertificateId, Versioned<z.input<typeof certificateRecord>>>();
  const issuers = new Map<IssuerId, Versioned<IssuerRecord>>();
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
    async *due(now, limit) {
      const due = [...records.values()]
        .map((stored) => decoded(stored).value)
        .flatMap((record) => ({ id: record.id, at: dueAt(record) ?? Infinity }))
        .filter(({ at }) => at <= now)
        .sort((a, b) => a.at - b.at);
      for (const { id } of due.slice(0, limit)) yield id;
    },
    async *all() {
      for (const stored of records.values()) yield decoded(stored);
    },
    readIssuer: async (id) => issuers.get(id),
    writeIssuer: async (record, revision) => put(issuers, record.id, record, revision),
  };
}

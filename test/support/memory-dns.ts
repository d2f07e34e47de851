import { PermanentError } from '../../functions/core/errors.ts';
import type { DnsWriter, TxtRecord } from '../../functions/core/ports.ts';
import type { Resolution } from '../../local/services/route53/resolve.ts';

/** A DNS service in memory, with a DnsWriter's duties; `answers` is what its servers say. */
export interface MemoryDns extends DnsWriter {
  readonly values: (name: string) => readonly string[];
  readonly putByPerson: (name: string, value: string) => void;
  readonly answers: (name: string, type: string) => Resolution | undefined;
  /** Every record that was ever added, in order. */
  readonly added: TxtRecord[];
}

export function memoryDns(...apexes: readonly string[]): MemoryDns {
  const ours = new Map<string, Set<string>>();
  const byPerson = new Map<string, string>();
  const added: TxtRecord[] = [];
  const values = (name: string): readonly string[] => [
    ...(ours.get(name) ?? []),
    ...(byPerson.get(name)?.split(' ') ?? []),
  ];
  const within = (name: string): readonly string[] =>
    apexes.filter((apex) => name === apex || name.endsWith(`.${apex}`)).sort((a, b) => b.length - a.length);
  return {
    added,
    values,
    putByPerson: (name, value) => void byPerson.set(name, value),
    zoneOf: async (name) => {
      const [zone] = within(name);
      if (zone !== undefined) return zone;
      throw new PermanentError('NoZone', `there is no zone for ${name}`);
    },
    add: async (records) => {
      for (const record of records) {
        if (byPerson.has(record.name))
          throw new PermanentError('DnsChangeRefused', `${record.name} is somebody else's`);
        ours.set(record.name, (ours.get(record.name) ?? new Set()).add(record.value));
        added.push(record);
      }
      return { status: 'done', value: undefined };
    },
    check: async () => ({ status: 'done', value: undefined }),
    remove: async (records) => {
      for (const { name, value } of records) ours.get(name)?.delete(value);
    },
    answers: (asked, type) => {
      const name = asked.toLowerCase().replace(/\.$/, '');
      if (within(name).length === 0) return undefined;
      const found = type === 'TXT' ? values(name) : [];
      const records = found.map((value) => ({ name: `${name}.`, type, ttl: 1, value: JSON.stringify(value) }));
      return { records, exists: records.length > 0, soa: undefined };
    },
  };
}

import { isWithin, normalize, parentOf } from './names.ts';
import type { RecordSet, RecordSets } from './rules.ts';

/** So many of a multivalue answer's records are in one answer, chosen at random. */
const MOST_ANSWERS = 8;

export interface ResourceRecord {
  /** Normalized, as is a name that is a value. */
  readonly name: string;
  readonly type: string;
  readonly ttl: number;
  /** As Route 53 writes it. */
  readonly value: string;
}

export interface Resolution {
  /** CNAMEs on the way, then what was asked for. */
  readonly records: readonly ResourceRecord[];
  /** Whether there is the name that the CNAMEs led to, be it without records of the type. */
  readonly exists: boolean;
  /** Of the zone of that name; undefined when it is in none of them, or there is a loop. */
  readonly soa: ResourceRecord | undefined;
}

export interface ServedZone {
  readonly name: string;
  readonly served: RecordSets;
}

/** Follows CNAMEs over all `zones`; undefined for a name that is in none of them. */
export function resolve(zones: readonly ServedZone[], asked: string, type: string): Resolution | undefined {
  const records: ResourceRecord[] = [];
  const seen = new Set<string>();
  let name = normalize(asked);
  while (!seen.has(name)) {
    seen.add(name);
    const zone = zoneOf(zones, name);
    if (zone === undefined) break;
    const found = setsAt(zone, name);
    const cname = type === 'CNAME' ? undefined : found?.find((set) => set.type === 'CNAME');
    const wanted = cname === undefined ? pick(found?.filter((set) => set.type === type) ?? []) : [cname];
    for (const set of wanted) records.push(...recordsOf(set, name));
    if (cname === undefined) return { records, exists: found !== undefined, soa: soaOf(zone) };
    name = normalize(cname.values[0] ?? '');
  }
  return records.length === 0 ? undefined : { records, exists: true, soa: undefined };
}

/** The nearest. */
export function zoneOf<Zone extends Pick<ServedZone, 'name'>>(zones: readonly Zone[], name: string): Zone | undefined {
  return zones
    .filter((zone) => isWithin(name, zone.name))
    .toSorted((a, b) => b.name.length - a.name.length)
    .at(0);
}

/** Undefined when there is no such name: neither itself, nor one below it, nor a wildcard beside it (RFC 4592). */
function setsAt({ name: apex, served }: ServedZone, name: string): RecordSet[] | undefined {
  const sets = [...served.values()];
  const exists = (owner: string): boolean => sets.some((set) => isWithin(set.name, owner));
  if (exists(name)) return sets.filter((set) => set.name === name);
  let encloser = parentOf(name);
  while (encloser !== apex && !exists(encloser)) encloser = parentOf(encloser);
  const wildcard = sets.filter((set) => set.name === String.raw`\052.${encloser}`);
  return wildcard.length > 0 ? wildcard : undefined;
}

function soaOf({ name, served }: ServedZone): ResourceRecord | undefined {
  const set = [...served.values()].find(({ type }) => type === 'SOA');
  return set && recordsOf(set, name)[0];
}

function pick(sets: readonly RecordSet[]): RecordSet[] {
  return sets
    .map((set) => ({ set, order: Math.random() }))
    .toSorted((a, b) => a.order - b.order)
    .slice(0, MOST_ANSWERS)
    .map(({ set }) => set);
}

function recordsOf({ type, ttl, values }: RecordSet, name: string): ResourceRecord[] {
  return values.map((value) => ({ name, type, ttl, value }));
}

import { sortKey } from './names.ts';
import type { RecordSet } from './rules.ts';
import { type Change, NAME_SERVERS, type Zone } from './zone.ts';

export const compare = (a: string, b: string): number => (a < b ? -1 : 1);
export const orderOf = ({
  name,
  type,
  setIdentifier = '',
}: Pick<RecordSet, 'name' | 'type' | 'setIdentifier'>): string => `${sortKey(name)} ${type} ${setIdentifier}`;
export const inOrder = ({ records }: Zone): RecordSet[] =>
  [...records.values()].toSorted((a, b) => compare(orderOf(a), orderOf(b)));

export function pageOf<Item>(all: readonly Item[], from: number, asked: number | undefined, largest: number) {
  const MaxItems = Math.min(asked ?? largest, largest);
  const next = all[from + MaxItems];
  return { page: all.slice(from, from + MaxItems), next, MaxItems, IsTruncated: next !== undefined };
}

export const DelegationSet = { NameServers: { NameServer: NAME_SERVERS } };

export function describeZone({ id, name, callerReference, isPrivate, records }: Zone): unknown {
  return {
    Id: `/hostedzone/${id}`,
    Name: name,
    CallerReference: callerReference,
    Config: { PrivateZone: isPrivate },
    ResourceRecordSetCount: records.size,
  };
}

export function describeChange({ id, status, submittedAt }: Change): unknown {
  return { Id: `/change/${id}`, Status: status, SubmittedAt: new Date(submittedAt).toISOString() };
}

export function describeSet({ name, type, setIdentifier, ttl, values }: RecordSet): unknown {
  return {
    Name: name,
    Type: type,
    SetIdentifier: setIdentifier,
    MultiValueAnswer: setIdentifier === undefined ? undefined : true,
    TTL: ttl,
    ResourceRecords: { ResourceRecord: values.map((value) => ({ Value: value })) },
  };
}

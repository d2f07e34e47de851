import { AwsError } from '../../wire/service.ts';
import { isWithin } from './names.ts';
import { characterStrings } from './txt.ts';

/** Quotas of one batch, of one multivalue answer, and RFC 1035's of one label and one character-string. */
const MOST_RECORDS = 1_000;
const MOST_CHARACTERS = 32_000;
const MOST_MULTIVALUE_SETS = 100;
const LONGEST_LABEL = 63;
const LONGEST_STRING = 255;

export interface RecordSet {
  /** Normalized. */
  readonly name: string;
  readonly type: string;
  readonly ttl: number;
  readonly values: readonly string[];
  /** Present in a multivalue answer only: the twin has no other routing policy. */
  readonly setIdentifier: string | undefined;
}

export interface Edit {
  readonly action: 'CREATE' | 'UPSERT' | 'DELETE';
  readonly set: RecordSet;
}

/** By name, type and set identifier. */
export type RecordSets = ReadonlyMap<string, RecordSet>;

export function identityOf({ name, type, setIdentifier = '' }: RecordSet): string {
  return `${name} ${type} ${setIdentifier}`;
}

/** All of a batch or nothing: what the zone holds after it, or InvalidChangeBatch with everything that is wrong. */
export function applyBatch(zoneName: string, current: RecordSets, edits: readonly Edit[]): RecordSets {
  const next = new Map(current);
  const messages = [...beyondQuota(edits), ...repeated(edits)];
  for (const edit of edits) {
    const fault = faultAlone(zoneName, edit.set) ?? faultBeside(zoneName, next, edit);
    if (fault !== undefined) messages.push(fault);
    else if (edit.action === 'DELETE') next.delete(identityOf(edit.set));
    else next.set(identityOf(edit.set), edit.set);
  }
  if (messages.length > 0) throw new AwsError('InvalidChangeBatch', `[${messages.join(', ')}]`);
  return next;
}

/** An UPSERT counts twice, as the DELETE and the CREATE that it may be. */
function beyondQuota(edits: readonly Edit[]): string[] {
  const weigh = (weightOf: (values: readonly string[]) => number): number =>
    edits.reduce((sum, { action, set }) => sum + weightOf(set.values) * (action === 'UPSERT' ? 2 : 1), 0);
  const messages: string[] = [];
  if (weigh((values) => values.length) > MOST_RECORDS) {
    messages.push(`Number of records limit of ${MOST_RECORDS} exceeded.`);
  }
  if (weigh((values) => values.join('').length) > MOST_CHARACTERS) {
    messages.push(`RDATA character limit of ${MOST_CHARACTERS} exceeded.`);
  }
  return messages;
}

/** One set may be changed once in a batch, or deleted and then created. */
function repeated(edits: readonly Edit[]): string[] {
  return [...Map.groupBy(edits, ({ set }) => identityOf(set)).values()]
    .filter((group) => !/^(\w+|DELETE,CREATE)$/.test(group.map(({ action }) => action).join(',')))
    .flatMap(([first]) => first ?? [])
    .map(
      ({ set }) => `The request contains an invalid set of changes for a resource record set '${set.type} ${set.name}'`,
    );
}

function faultAlone(zoneName: string, { name, type, values }: RecordSet): string | undefined {
  if (!isWithin(name, zoneName)) return `RRSet with DNS name ${name} is not permitted in zone ${zoneName}`;
  const fatal = (problem: string, value: string): string =>
    `Invalid Resource Record: FATAL problem: ${problem} encountered with '${value}'`;
  if (name.split('.').some((label) => label.length > LONGEST_LABEL)) {
    return fatal('DomainLabelTooLong (Domain label is too long)', name);
  }
  for (const value of type === 'TXT' ? values : []) {
    const strings = characterStrings(value);
    if (strings === undefined) {
      return fatal('InvalidCharacterString (Value should be enclosed in quotation marks)', value);
    }
    if (strings.some(({ length }) => length > LONGEST_STRING)) {
      return fatal('CharacterStringTooLong (Value is too long)', value);
    }
  }
  const twice = values.find((value, index) => values.indexOf(value) !== index);
  return twice === undefined ? undefined : `Duplicate Resource Record: '${twice}'`;
}

function faultBeside(zoneName: string, current: RecordSets, { action, set }: Edit): string | undefined {
  const { name, type, setIdentifier } = set;
  const identifier = setIdentifier === undefined ? '' : `, set-identifier='${setIdentifier}'`;
  const called = `resource record set [name='${name}', type='${type}'${identifier}]`;
  const present = current.get(identityOf(set));
  if (action === 'DELETE') {
    if (present === undefined) return `Tried to delete ${called} but it was not found`;
    if (isSame(present, set)) return undefined;
    return `Tried to delete ${called} but the values provided do not match the current values`;
  }
  if (action === 'CREATE' && present !== undefined) return `Tried to create ${called} but it already exists`;
  return faultAmong(zoneName, current, set);
}

/** What may not stand side by side. */
function faultAmong(zoneName: string, current: RecordSets, set: RecordSet): string | undefined {
  const { name, type, setIdentifier } = set;
  const namesakes = [...current.values()].filter((other) => other.name === name);
  if (type === 'CNAME') {
    if (name === zoneName)
      return `RRSet of type CNAME with DNS name ${name} is not permitted at apex in zone ${zoneName}`;
    if (setIdentifier !== undefined) return `RRSet of type CNAME with DNS name ${name} cannot be a multivalue answer`;
    if (namesakes.some((other) => other.type !== type)) {
      return `RRSet of type CNAME with DNS name ${name} is not permitted as it conflicts with other records with the same DNS name in zone ${zoneName}`;
    }
  } else if (namesakes.some((other) => other.type === 'CNAME')) {
    return `RRSet of type ${type} with DNS name ${name} is not permitted because a conflicting RRSet of type CNAME with the same DNS name already exists in zone ${zoneName}`;
  }
  const others = namesakes.filter((other) => other.type === type && other.setIdentifier !== setIdentifier);
  if (others.length === 0) return undefined;
  if (setIdentifier === undefined) {
    return `RRSet with DNS name ${name}, type ${type} cannot be created as other RRSets exist with the same name and type.`;
  }
  if (others.some((other) => other.setIdentifier === undefined)) {
    return `RRSet with DNS name ${name}, type ${type}, SetIdentifier ${setIdentifier} cannot be created because a non multivalue answer rrset exists with the same name and type.`;
  }
  if (others.length < MOST_MULTIVALUE_SETS) return undefined;
  return `Cannot have more than ${MOST_MULTIVALUE_SETS} multivalue answer RRSets with DNS name ${name}, type ${type}`;
}

function isSame(one: RecordSet, other: RecordSet): boolean {
  return one.ttl === other.ttl && one.values.toSorted().join('\n') === other.values.toSorted().join('\n');
}

import {
  type CertificateId,
  type CertificateSpec,
  type IssuerId,
  issuerIdOf,
  type IssuerSpec,
  type Manifest,
} from './certificate.ts';
import { formatDuration } from './manifest/duration.ts';
import { happeningFor, isChangedIssuer } from './reconcile.ts';
import type { CertificateRecord } from './record.ts';
import { canonicalJson, compareSpecs, specDigest } from './spec-change.ts';

/** `reschedule`: only dates or labels; `retry`: it failed for good, or its issuer changed, and is tried anew. */
export const ACTIONS = ['issue', 'reissue', 'retire', 'reinstate', 'reschedule', 'retry', 'leave'] as const;
export type Action = (typeof ACTIONS)[number];

export interface PlannedChange {
  readonly certificate: CertificateId;
  readonly action: Action;
  /** Each a reason or a difference, for a person. */
  readonly because: readonly string[];
}

/** The inventory that a deploy would find. Empty on an account that has none. */
export interface Deployed {
  readonly records: readonly CertificateRecord[];
  readonly issuers: readonly IssuerSpec[];
}

/** What a deploy of this manifest would do, certificate by certificate, in the order of their names. Sync acts by the same rules. */
export function planManifest({ certificates, issuers }: Manifest, deployed: Deployed): readonly PlannedChange[] {
  const records = new Map(deployed.records.map((record) => [record.id, record]));
  const wanted = new Map(certificates.map((spec) => [spec.id, spec]));
  const stored = new Map(deployed.issuers.map((spec) => [issuerIdOf(spec.ref), spec]));
  const changedIssuers = new Set(
    issuers.filter((spec) => isChangedIssuer(stored.get(issuerIdOf(spec.ref)), spec)).map(({ ref }) => issuerIdOf(ref)),
  );
  return [...new Set([...wanted.keys(), ...records.keys()])]
    .sort()
    .map((id) => ({ certificate: id, ...planOne(records.get(id), wanted.get(id), changedIssuers) }));
}

type Planned = Omit<PlannedChange, 'certificate'>;

function planOne(
  record: CertificateRecord | undefined,
  spec: CertificateSpec | undefined,
  changedIssuers: ReadonlySet<IssuerId>,
): Planned {
  if (record === undefined) return { action: 'issue', because: ['new in the manifest'] };
  const happening = happeningFor(record, spec, changedIssuers);
  switch (happening?.event) {
    case 'Retired':
      return { action: 'retire', because: ['no longer in the manifest: its secret stays, and is not renewed'] };
    case 'Reinstated':
      return { action: 'reinstate', because: ['in the manifest again', ...differences(record, happening.spec)] };
    case 'Respecified':
      return { action: actionFor(record, happening.spec), because: differences(record, happening.spec) };
    case 'Reconsidered':
      return { action: 'retry', because: [happening.cause] };
    default:
      return { action: 'leave', because: [reasonToLeave(record)] };
  }
}

/** A change that leads back to what was issued costs nothing. */
function actionFor({ current }: CertificateRecord, spec: CertificateSpec): Action {
  if (current === undefined) return 'issue';
  return current.specDigest === specDigest(spec) ? 'reschedule' : 'reissue';
}

function reasonToLeave({ retiredAt, origin, current }: CertificateRecord): string {
  if (retiredAt !== undefined) return 'retired';
  if (origin !== 'managed') return 'only watched';
  return current === undefined ? 'unchanged; its first certificate is still to come' : 'unchanged';
}

function differences({ spec: before }: CertificateRecord, after: CertificateSpec): readonly string[] {
  return compareSpecs(before, after).fields.map((name) => {
    const field = name as keyof CertificateSpec;
    const [from, to] = [before[field], after[field]];
    if (Array.isArray(from) || Array.isArray(to)) return `${field}: ${listChange(asList(from), asList(to))}`;
    if (field === 'durationSeconds') return `duration: ${hours(from)} → ${hours(to)}`;
    return `${field}: ${inWords(from)} → ${inWords(to)}`;
  });
}

const asList = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);
const hours = (seconds: unknown): string => formatDuration(Number(seconds));
const inWords = (value: unknown): string =>
  value === undefined ? 'none' : typeof value === 'string' ? value : canonicalJson(value);

function listChange(before: readonly string[], after: readonly string[]): string {
  const gone = before.filter((value) => !after.includes(value)).map((value) => `− ${value}`);
  const come = after.filter((value) => !before.includes(value)).map((value) => `+ ${value}`);
  return [...gone, ...come].join(', ');
}

import { createHash } from 'node:crypto';
import type { CertificateSpec } from './certificate.ts';

/** What a leaf, its key and its place depend on. A change of any of these wants a new certificate. */
function issuanceFields(spec: CertificateSpec): Readonly<Record<string, unknown>> {
  return {
    secretName: spec.secretName,
    issuerRef: spec.issuerRef,
    commonName: spec.commonName,
    subject: spec.subject,
    dnsNames: sorted(spec.dnsNames),
    ipAddresses: sorted(spec.ipAddresses),
    uris: sorted(spec.uris),
    emailAddresses: sorted(spec.emailAddresses),
    privateKey: spec.privateKey,
    usages: sorted(spec.usages),
    durationSeconds: spec.durationSeconds,
    // A version is written once: another form of its key is another version. Absent, so that older digests stay equal.
    outputFormats: spec.outputFormats === undefined ? undefined : sorted(spec.outputFormats),
  };
}

const sorted = (values: readonly string[]): readonly string[] => [...values].sort();

/** Equal for two manifests exactly when a certificate issued for one serves the other. Order of names means nothing. */
export function specDigest(spec: CertificateSpec): string {
  return createHash('sha256')
    .update(canonicalJson(issuanceFields(spec)))
    .digest('hex');
}

export interface SpecChange {
  /** `reschedule`: only when to renew, or labels; the certificate in use serves on. */
  readonly consequence: 'none' | 'reschedule' | 'reissue';
  /** Names of the fields that differ, for the audit trail. */
  readonly fields: readonly string[];
}

export function compareSpecs(before: CertificateSpec, after: CertificateSpec): SpecChange {
  const reissue = differingFields(issuanceFields(before), issuanceFields(after));
  if (reissue.length > 0) return { consequence: 'reissue', fields: reissue };
  const rest = differingFields({ ...before, ...issuanceFields(before) }, { ...after, ...issuanceFields(after) });
  return { consequence: rest.length > 0 ? 'reschedule' : 'none', fields: rest };
}

type Fields = Readonly<Record<string, unknown>>;

function differingFields(before: Fields, after: Fields): readonly string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => canonicalJson(before[name]) !== canonicalJson(after[name])).sort();
}

/**
 * JSON with sorted keys and without members that are absent or empty, at any depth: equal text for equal meaning. A list that
 * a later version knows and this one does not must not change what both say of a certificate without it.
 */
export const canonicalJson = (value: unknown): string => JSON.stringify(prune(value) ?? null);

/** Undefined for what is empty all through. */
function prune(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((item) => prune(item) ?? null);
  const members = Object.entries(value)
    .map(([name, member]) => [name, prune(member)] as const)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return members.length === 0 ? undefined : Object.fromEntries(members);
}

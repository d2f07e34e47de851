import { type CertificateId, certificateId, type IssuerRef, issuerIdOf } from '../../functions/core/certificate.ts';
import { nearest } from '../../functions/core/manifest/nearest.ts';
import type { CertificateRecord } from '../../functions/core/record.ts';
import { UsageError } from '../commands/exit-codes.ts';

/** More names than this are no help. */
const WORTH_LISTING = 20;

/** A bare name is enough where only one namespace has it. Throws UsageError with the nearest one for a name that nobody has. */
export function resolveName(wanted: string, known: readonly string[]): CertificateId {
  const exact = known.filter((id) => id === wanted);
  const matches = exact.length > 0 ? exact : known.filter((id) => id.endsWith(`/${wanted}`));
  const [match] = matches;
  if (match !== undefined && matches.length === 1) return certificateId.parse(match);
  if (matches.length > 1) throw new UsageError(`${wanted}: ${matches.join(' and ')} both fit; name one in full`);
  throw new UsageError(`there is no certificate ${wanted}. ${suggestion(wanted, known)}`);
}

function suggestion(wanted: string, known: readonly string[]): string {
  // Whoever leaves the namespace out, and mistypes the rest, means the same.
  const bare = new Map(known.map((id) => [id.slice(id.indexOf('/') + 1), id]));
  const meant = nearest(wanted, known) ?? bare.get(nearest(wanted, bare.keys()) ?? '');
  if (meant !== undefined) return `Did you mean ${meant}?`;
  if (known.length === 0) return 'There are none at all.';
  return known.length <= WORTH_LISTING
    ? `Certificates here: ${known.join(', ')}`
    : `There are ${known.length.toLocaleString('en')} here; everleaf status lists them.`;
}

/** Those of one issuer: by its name, `Kind/name`, or as events and plans have it in full. */
export function ofIssuer(records: readonly CertificateRecord[], wanted: string): readonly CertificateRecord[] {
  const found = records.filter(({ spec }) => namesOf(spec.issuerRef).includes(wanted));
  if (found.length > 0) return found;
  const known = new Set(records.map(({ spec }) => spec.issuerRef.name));
  const meant = nearest(wanted, known);
  const help = meant === undefined ? `Issuers here: ${[...known].sort().join(', ')}` : `Did you mean ${meant}?`;
  throw new UsageError(`no certificate is from an issuer ${wanted}. ${help}`);
}

const namesOf = (ref: IssuerRef): readonly string[] => [ref.name, `${ref.kind}/${ref.name}`, issuerIdOf(ref)];

import { type CertificateSpec, type IssuerId, issuerIdOf, type IssuerSpec } from './certificate.ts';
import type { CertificateRecord } from './record.ts';
import { canonicalJson, compareSpecs } from './spec-change.ts';
import type { Happening } from './transitions.ts';

/** What has to happen to a record so that the inventory wants what the manifest says. `spec` undefined: the manifest has it no more. */
export function happeningFor(
  record: CertificateRecord,
  spec: CertificateSpec | undefined,
  changedIssuers: ReadonlySet<IssuerId>,
): Happening | undefined {
  const retired = record.retiredAt !== undefined;
  if (spec === undefined) return retired || record.origin !== 'managed' ? undefined : { event: 'Retired' };
  if (retired) return { event: 'Reinstated', spec };
  const { consequence, fields } = compareSpecs(record.spec, spec);
  if (consequence !== 'none') return { event: 'Respecified', spec, fields };
  if (changedIssuers.has(issuerIdOf(spec.issuerRef)))
    return { event: 'Reconsidered', cause: 'its issuer changed in the manifest' };
  return record.failures.count > 0 ? { event: 'Reconsidered', cause: 'deployed again' } : undefined;
}

/** A new issuer is not a changed one. */
export const isChangedIssuer = (stored: IssuerSpec | undefined, wanted: IssuerSpec): boolean =>
  stored !== undefined && canonicalJson(stored) !== canonicalJson(wanted);

import { bindIssuer } from '../functions/catalogue.ts';
import type { IssuerSpec } from '../functions/core/certificate.ts';
import type { Grant } from '../functions/core/ports.ts';
import { canonicalJson } from '../functions/core/spec-change.ts';

/** What the declared issuers need, with grants of the same actions merged: a role's policies end at 10,240 characters. */
export function issuerGrants(issuers: readonly IssuerSpec[]): readonly Grant[] {
  const merged = new Map<string, Grant>();
  for (const grant of issuers.flatMap((spec) => bindIssuer(spec).needs)) {
    const key = canonicalJson([grant.actions, grant.conditions]);
    const resources = new Set([...(merged.get(key)?.resources ?? []), ...grant.resources]);
    merged.set(key, { ...grant, resources: [...resources].sort() });
  }
  return [...merged.values()];
}

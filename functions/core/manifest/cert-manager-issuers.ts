import type { IssuerDocumentKind } from '../ports.ts';
import { CERT_MANAGER_GROUP } from './read-certificate.ts';

/** cert-manager's own issuers: one pair of kinds for all types, which a field of `spec` tells. */
export const CERT_MANAGER_ISSUERS: readonly IssuerDocumentKind[] = [
  { group: CERT_MANAGER_GROUP, version: 'v1', kind: 'Issuer', scope: 'Namespaced' },
  { group: CERT_MANAGER_GROUP, version: 'v1', kind: 'ClusterIssuer', scope: 'Cluster' },
];

/** The fields of the types that no plug-in has. */
export const NOT_BUILT_ISSUER_TYPES = ['ca', 'selfSigned', 'vault', 'venafi'] as const;

/** `Vault issuers`, at the start of a sentence. */
export const ISSUER_TYPE_NAMES: Readonly<Record<string, string>> = {
  ca: 'Issuers over a CA in a Secret',
  selfSigned: 'Self-signed issuers',
  vault: 'Vault issuers',
  venafi: 'Venafi issuers',
} satisfies Record<(typeof NOT_BUILT_ISSUER_TYPES)[number], string>;

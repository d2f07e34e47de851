import type { Field } from './fields.ts';

const notBuilt = (path: string, what: string): Field => ({
  path,
  verdict: 'refused',
  because: `${what} are not built yet`,
  remedy: 'Refer to an issuer kind that is.',
});

/** `cert-manager.io/v1` Issuer and ClusterIssuer, whose documents are refused whole. */
export const CERT_MANAGER_ISSUER_FIELDS: readonly Field[] = [
  { path: 'metadata', verdict: 'record', holds: 'its name, which its certificates are told is not built' },
  notBuilt('spec.acme', 'ACME issuers'),
  notBuilt('spec.ca', 'issuers over a CA in a Secret'),
  notBuilt('spec.selfSigned', 'self-signed issuers'),
  notBuilt('spec.vault', 'Vault issuers'),
  notBuilt('spec.venafi', 'Venafi issuers'),
  { path: 'status', verdict: 'record', holds: 'what cert-manager has observed' },
];

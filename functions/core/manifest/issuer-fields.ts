import type { Field } from './fields.ts';
import { orderLimitField } from './order-limit-field.ts';

const REMEDY = 'Refer to an issuer kind that is.';

/** `cert-manager.io/v1` Issuer and ClusterIssuer, of whatever type. */
export const ISSUER_METADATA_FIELDS = [
  { path: 'metadata.name', verdict: 'honoured', does: 'What `issuerRef.name` refers to.' },
  {
    path: 'metadata.namespace',
    verdict: 'honoured',
    does: 'Where an Issuer serves, and where its secrets are. A ClusterIssuer serves everywhere, and is warned about one.',
    default: '`default`',
  },
  { path: 'metadata', verdict: 'record', holds: 'labels, other annotations and what an API server adds' },
  orderLimitField('`none`'),
] as const satisfies readonly Field[];

/** Beside the types that plug-ins read: those have rows of their own. */
export const OTHER_ISSUER_FIELDS = [
  { path: 'spec.ca', verdict: 'refused', because: 'issuers over a CA in a Secret are not built yet', remedy: REMEDY },
  { path: 'spec.selfSigned', verdict: 'refused', because: 'self-signed issuers are not built yet', remedy: REMEDY },
  { path: 'spec.vault', verdict: 'refused', because: 'Vault issuers are not built yet', remedy: REMEDY },
  { path: 'spec.venafi', verdict: 'refused', because: 'Venafi issuers are not built yet', remedy: REMEDY },
  { path: 'status', verdict: 'record', holds: 'what cert-manager has observed' },
] as const satisfies readonly Field[];

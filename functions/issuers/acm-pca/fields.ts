import type { Field } from '../../core/manifest/fields.ts';
import { orderLimitField } from '../../core/manifest/order-limit-field.ts';

/** Every field of `awspca.cert-manager.io/v1beta1` AWSPCAIssuer and AWSPCAClusterIssuer. */
export const ACM_PCA_FIELDS = [
  { path: 'metadata.name', verdict: 'honoured', does: 'What `issuerRef.name` refers to.' },
  {
    path: 'metadata.namespace',
    verdict: 'honoured',
    does: 'Where an AWSPCAIssuer serves. An AWSPCAClusterIssuer serves everywhere, and is warned about one.',
    default: '`default`',
  },
  { path: 'metadata', verdict: 'record', holds: 'labels, other annotations and what an API server adds' },
  orderLimitField('`25/1s`, the quota that AWS gives an account and Region'),
  {
    path: 'spec.arn',
    verdict: 'honoured',
    does: 'The private CA. The role of the issuing function is granted it alone.',
  },
  {
    path: 'spec.region',
    verdict: 'honoured',
    does: 'Has to be the Region in the ARN, which is what is used.',
    default: 'as the ARN says',
    deviates: 'another Region is refused, since no call to it could succeed',
  },
  {
    path: 'spec.role',
    verdict: 'honoured',
    does: 'A role that is assumed before the CA is called, for a CA in another account.',
    default: "none: the function's own role",
  },
  {
    path: 'spec.secretRef',
    verdict: 'refused',
    because: 'it names static access keys, which are never used here',
    remedy: "Remove it: the function's own role calls the CA. For a CA in another account, name a `role` to assume.",
  },
  { path: 'status', verdict: 'record', holds: 'what the controller has observed' },
] as const satisfies readonly Field[];

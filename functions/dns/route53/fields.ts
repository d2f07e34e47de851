import type { Field } from '../../core/manifest/fields.ts';

const OWN_ROLE =
  "Remove it: the function's own role calls Route 53. For a zone in another account, name a `role` to assume.";
const STATIC_KEY = 'it is part of a static access key, and none is ever used here';

/** Fields of `route53` in a dns-01 solver. */
export const ROUTE53_FIELDS = [
  {
    path: 'spec.acme.solvers[].dns01.route53.hostedZoneID',
    verdict: 'honoured',
    does: 'The zone that is written to. The role of the issuing function is granted it alone.',
    default: 'the zone with the longest name that holds the record',
  },
  {
    path: 'spec.acme.solvers[].dns01.route53.role',
    verdict: 'honoured',
    does: 'A role that is assumed before the zone is written, for a zone in another account.',
    default: "none: the function's own role",
  },
  {
    path: 'spec.acme.solvers[].dns01.route53.region',
    verdict: 'honoured',
    does: 'Where that role is assumed. Route 53 itself has no Regions, and without a role it changes nothing.',
    default: "the function's own",
  },
  {
    path: 'spec.acme.solvers[].dns01.route53.accessKeyID',
    verdict: 'refused',
    because: STATIC_KEY,
    remedy: OWN_ROLE,
  },
  {
    path: 'spec.acme.solvers[].dns01.route53.accessKeyIDSecretRef',
    verdict: 'refused',
    because: STATIC_KEY,
    remedy: OWN_ROLE,
  },
  {
    path: 'spec.acme.solvers[].dns01.route53.secretAccessKeySecretRef',
    verdict: 'refused',
    because: STATIC_KEY,
    remedy: OWN_ROLE,
  },
  {
    path: 'spec.acme.solvers[].dns01.route53.auth',
    verdict: 'refused',
    because: 'it names a service account of Kubernetes, and there is none here',
    remedy: OWN_ROLE,
  },
] as const satisfies readonly Field[];

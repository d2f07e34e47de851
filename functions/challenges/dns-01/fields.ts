import type { Field } from '../../core/manifest/fields.ts';

const REMEDY = 'Use `route53`, or delegate `_acme-challenge` to a zone that is there.';

/** Fields of `dns01` in a solver, those of the DNS services that are built left to them. */
export const DNS01_FIELDS = [
  {
    path: 'spec.acme.solvers[].dns01.cnameStrategy',
    verdict: 'honoured',
    does: '`Follow`: a CNAME at `_acme-challenge.NAME` says where the record goes.',
    default: '`None`',
  },
  { path: 'spec.acme.solvers[].dns01.acmeDNS', verdict: 'refused', because: 'it is not built yet', remedy: REMEDY },
  { path: 'spec.acme.solvers[].dns01.akamai', verdict: 'refused', because: 'it is not built yet', remedy: REMEDY },
  { path: 'spec.acme.solvers[].dns01.azureDNS', verdict: 'refused', because: 'it is not built yet', remedy: REMEDY },
  { path: 'spec.acme.solvers[].dns01.cloudDNS', verdict: 'refused', because: 'it is not built yet', remedy: REMEDY },
  { path: 'spec.acme.solvers[].dns01.cloudflare', verdict: 'refused', because: 'it is not built yet', remedy: REMEDY },
  {
    path: 'spec.acme.solvers[].dns01.digitalocean',
    verdict: 'refused',
    because: 'it is not built yet',
    remedy: REMEDY,
  },
  { path: 'spec.acme.solvers[].dns01.rfc2136', verdict: 'refused', because: 'it is not built yet', remedy: REMEDY },
  { path: 'spec.acme.solvers[].dns01.webhook', verdict: 'refused', because: 'it is not built yet', remedy: REMEDY },
] as const satisfies readonly Field[];

import { type CertificateSpec, issuerIdOf, type Manifest } from '../../functions/core/certificate.ts';
import type { Dns01Options } from '../../functions/challenges/dns-01/options.ts';
import type { Route53Options } from '../../functions/dns/route53/options.ts';
import { hostOf, isLoopback } from '../../functions/network/addresses.ts';
import type { AcmeOptions, SolverOptions } from '../../functions/issuers/acme/options.ts';
import { selectSolver } from '../../functions/issuers/acme/select-solver.ts';
import type { Route53 } from '../../local/services/route53/route53.ts';
import type { AcmeIssuer } from './acme-world.ts';

/** Where names are delegated to whose own zone is somebody else's. */
const DELEGATED_ZONE = 'delegated.example';

/** A server on loopback is the user's: nothing stands in for it. */
export function isUserRun({ server }: Pick<AcmeOptions, 'server'>): boolean {
  const host = hostOf(new URL(server));
  return host === 'localhost' || isLoopback(host);
}

/** Gives every name of the manifest that is proved by DNS a zone, and those that follow CNAMEs a CNAME into another one. */
export function makeZones(route53: Route53, { certificates }: Manifest, issuers: readonly AcmeIssuer[]): void {
  const byId = new Map(issuers.map(({ spec, options }) => [issuerIdOf(spec.ref), options]));
  for (const certificate of certificates) {
    const options = byId.get(issuerIdOf(certificate.issuerRef));
    if (options === undefined) continue;
    for (const { name, solver } of provedNames(certificate, options)) makeZone(route53, name, solver);
  }
}

/** Each without its wildcard label, and with the solver that proves it. */
function provedNames(
  { dnsNames, labels }: CertificateSpec,
  { solvers }: AcmeOptions,
): readonly { readonly name: string; readonly solver: SolverOptions }[] {
  return dnsNames.flatMap((dnsName) => {
    const solver = selectSolver(solvers, dnsName, labels);
    return solver === undefined ? [] : [{ name: dnsName.replace(/^\*\./, ''), solver }];
  });
}

function makeZone(route53: Route53, name: string, solver: SolverOptions): void {
  const { followsCnames, options } = solver.options as Dns01Options;
  const { hostedZoneId: id } = options as Route53Options;
  const apex = apexOf(name, solver);
  if (!followsCnames) {
    addOnce(route53, apex, id);
    return;
  }
  addOnce(route53, apex, undefined);
  addOnce(route53, DELEGATED_ZONE, id);
  route53.addCname(`_acme-challenge.${name}`, `${name}.${DELEGATED_ZONE}`);
}

/** The manifest's own word for a zone, else the last two labels: what a person would have registered, as a rule. */
function apexOf(name: string, { dnsZones }: SolverOptions): string {
  const zones = dnsZones.filter((zone) => name === zone || name.endsWith(`.${zone}`));
  return zones.toSorted((a, b) => b.length - a.length)[0] ?? name.split('.').slice(-2).join('.');
}

function addOnce(route53: Route53, name: string, id: string | undefined): void {
  const isThere = route53.zones().some((zone) => zone.id === id || (id === undefined && zone.name === `${name}.`));
  if (!isThere) route53.addZone(name, id === undefined ? {} : { id });
}

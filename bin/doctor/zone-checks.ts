import { Route53Client } from '@aws-sdk/client-route-53';
import { CLIENT_SETTINGS } from '../../functions/aws/client.ts';
import { CHALLENGE_LABEL } from '../../functions/challenges/dns-01/challenge-label.ts';
import { followCnames } from '../../functions/challenges/dns-01/cnames.ts';
import type { Dns01Options } from '../../functions/challenges/dns-01/options.ts';
import { issuerIdOf } from '../../functions/core/certificate.ts';
import { inParallel } from '../../functions/core/in-parallel.ts';
import type { Route53Options } from '../../functions/dns/route53/options.ts';
import { PublicZones } from '../../functions/dns/route53/public-zones.ts';
import type { AcmeOptions } from '../../functions/issuers/acme/options.ts';
import { selectSolver } from '../../functions/issuers/acme/select-solver.ts';
import type { Account } from '../operator/account.ts';
import { checking, fault, fine, type Finding } from './finding.ts';
import { notOurs } from './issuer-checks.ts';
import type { Wanted } from './wanted.ts';

/** A name whose proof is a record in Route 53. */
interface Proof {
  readonly name: string;
  readonly followsCnames: boolean;
  readonly zone: Route53Options;
}

const MOST_NAMES_SHOWN = 10;
const LOOKUPS_AT_ONCE = 16;

/** A public zone for each name that is proved by dns-01. */
export async function zoneChecks({ endpoint }: Account, wanted: Wanted): Promise<readonly Finding[]> {
  const proofs = proofsOf(wanted);
  if (proofs.length === 0) return [];
  const client = new Route53Client({ ...CLIENT_SETTINGS, ...endpoint });
  try {
    return await checking('zones', async () => findingsOf(proofs, new PublicZones(client)));
  } finally {
    client.destroy();
  }
}

function proofsOf({ certificates, issuers }: Wanted): readonly Proof[] {
  const acme = new Map(
    issuers.flatMap(({ ref, plugin, options }) =>
      plugin === 'acme' ? [[issuerIdOf(ref), (options as AcmeOptions).solvers] as const] : [],
    ),
  );
  const proofs = new Map<string, Proof>();
  for (const { dnsNames, issuerRef, labels } of certificates) {
    const solvers = acme.get(issuerIdOf(issuerRef)) ?? [];
    for (const dnsName of dnsNames) {
      const solver = selectSolver(solvers, dnsName, labels);
      if (solver?.challenge !== 'dns01') continue;
      const { followsCnames, writer, options } = solver.options as Dns01Options;
      const name = dnsName.replace(/^\*\./, '');
      if (writer === 'route53') proofs.set(name, { name, followsCnames, zone: options as Route53Options });
    }
  }
  return [...proofs.values()];
}

async function findingsOf(proofs: readonly Proof[], zones: PublicZones): Promise<readonly Finding[]> {
  const roles = new Set(proofs.flatMap(({ zone }) => zone.role ?? []));
  const found = new Map<string, number>();
  const missing: string[] = [];
  const own = proofs.filter((proof) => proof.zone.role === undefined);
  await inParallel(own, LOOKUPS_AT_ONCE, async ({ name, followsCnames, zone }) => {
    const record = `${CHALLENGE_LABEL}.${name}`;
    const id = zone.hostedZoneId ?? (await zones.find(followsCnames ? await followCnames(record) : record));
    if (id === undefined) missing.push(name);
    else found.set(id, (found.get(id) ?? 0) + 1);
  });
  const shown = missing.slice(0, MOST_NAMES_SHOWN).join(', ');
  const more = missing.length - MOST_NAMES_SHOWN;
  return [
    ...[...found].map(([id, count]) => fine('zones', `${id} is for ${count} ${count === 1 ? 'name' : 'names'}`)),
    ...[...roles].map((role) => notOurs('zones', role)),
    ...(missing.length === 0
      ? []
      : [
          fault(
            'zones',
            `no public hosted zone here for ${shown}${more > 0 ? ` and ${more} more` : ''}`,
            'create the zone in Route 53, or give the solver its hostedZoneID or role',
          ),
        ]),
  ];
}

import type { CertificateRecord } from '../../functions/core/record.ts';
import type { Verdict } from '../../functions/core/rollout/ports.ts';
import { tlsProber } from '../../functions/probers/tls/prober.ts';
import { fleetRow, type FleetRow } from './fleet-table.ts';
import type { Rehearsal } from './rehearsal.ts';

/** Where one certificate is deployed, and what a TLS connection to there has just shown. */
export interface Deployment {
  /** `ecs:production/orders` */
  readonly target: string;
  readonly serverName: string;
  readonly verdict: Verdict;
  /** Of the leaf that was served. */
  readonly sha256Fingerprint?: string;
  readonly detail: string;
}

/** Rows of the table, each with what its endpoints serve now. */
export async function fleetRows(
  rehearsal: Rehearsal,
  records: readonly CertificateRecord[],
): Promise<readonly FleetRow[]> {
  const rows: FleetRow[] = [];
  for (const record of records) {
    if (record.spec.hooks === undefined) {
      rows.push(fleetRow(record));
      continue;
    }
    const deployments = await deploymentsOf(rehearsal, record);
    rows.push({ ...fleetRow(record), rollout: record.rollout?.state ?? 'not begun', deployments });
  }
  return rows;
}

async function deploymentsOf(rehearsal: Rehearsal, { id, current }: CertificateRecord): Promise<readonly Deployment[]> {
  const own = (await rehearsal.rollout(id))?.release.trustAnchors ?? [];
  const expectation = {
    sha256Fingerprint: current?.leaf.sha256Fingerprint ?? '',
    trustAnchors: own.length === 0 ? rehearsal.acmeRoots : own,
    now: rehearsal.now(),
  };
  const prober = tlsProber();
  const asked = rehearsal.servedAt
    .filter(({ certificate }) => certificate === id)
    .map(async ({ target, serverName, port }) => {
      const endpoint = { host: '127.0.0.1', port, serverName, allowLoopback: true };
      const results = await prober.probe(endpoint, expectation);
      return results.map(({ verdict, sha256Fingerprint, detail }) => ({
        target,
        serverName,
        verdict,
        ...(sha256Fingerprint === undefined ? {} : { sha256Fingerprint }),
        detail,
      }));
    });
  return (await Promise.all(asked)).flat();
}

/** Roll-outs that ended without their version being served, and endpoints that do not serve what they should by now. */
export const deployFaults = (records: readonly CertificateRecord[], rows: readonly FleetRow[]): readonly string[] =>
  records.flatMap(({ id, rollout, held }) => {
    if (held !== undefined) return [`${id} is ${rollout?.state ?? 'held'}: ${held.cause}`];
    if (rollout?.state !== 'deployed') return [];
    const { deployments = [] } = rows.find(({ name }) => name === id) ?? {};
    return deployments
      .filter(({ verdict }) => verdict !== 'served')
      .map(({ target, detail }) => `${id} is deployed, and ${target} does not serve it: ${detail}`);
  });

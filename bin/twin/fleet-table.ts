import type { CertificateRecord } from '../../functions/core/record.ts';
import { renewAt } from '../../functions/core/record.ts';
import { type Instant, toTimestamp } from '../../functions/core/time.ts';
import { textTable } from '../operator/text-table.ts';
import type { Deployment } from './served.ts';

/** One certificate as `--json` prints it. */
export interface FleetRow {
  readonly name: string;
  readonly issuer: string;
  readonly names: readonly string[];
  readonly key: string;
  readonly serialNumber?: string;
  readonly sha256Fingerprint?: string;
  readonly notAfter?: string;
  readonly nextRenewal?: string;
  readonly secret: string;
  readonly version?: string;
  readonly generation: number;
  readonly state: 'current' | 'not issued' | 'blocked' | 'retired';
  readonly lastFailure?: string;
  /** How its latest roll-out is doing. Present where hooks deploy it, as are those below. */
  readonly rollout?: string;
  readonly deployments?: readonly Deployment[];
}

export function fleetRow(record: CertificateRecord): FleetRow {
  const { spec, current, failures } = record;
  const { algorithm, sizeBits } = spec.privateKey;
  return {
    name: record.id,
    issuer: spec.issuerRef.name,
    names: [...spec.dnsNames, ...spec.ipAddresses, ...spec.uris, ...spec.emailAddresses, ...onlyCommonName(record)],
    key: algorithm === 'RSA' ? `RSA-${sizeBits}` : `P-${sizeBits}`,
    ...(current === undefined ? {} : currentColumns(record, current)),
    secret: spec.secretName,
    generation: record.generation,
    state: stateOf(record),
    ...(failures.last === undefined ? {} : { lastFailure: `${failures.last.code}: ${failures.last.message}` }),
  };
}

const onlyCommonName = ({ spec }: CertificateRecord): readonly string[] =>
  spec.commonName === undefined || spec.dnsNames.length > 0 ? [] : [`CN=${spec.commonName}`];

function currentColumns(
  record: CertificateRecord,
  current: NonNullable<CertificateRecord['current']>,
): Partial<FleetRow> {
  return {
    serialNumber: current.leaf.serialNumber,
    sha256Fingerprint: current.leaf.sha256Fingerprint,
    notAfter: toTimestamp(current.leaf.notAfter),
    nextRenewal: toTimestamp(renewAt(record, current)),
    version: current.version,
  };
}

function stateOf({ retiredAt, failures, current }: CertificateRecord): FleetRow['state'] {
  if (retiredAt !== undefined) return 'retired';
  if (failures.blocked) return 'blocked';
  return current === undefined ? 'not issued' : 'current';
}

/** The table that a person reads. `changed` rows carry a mark. */
export function fleetTable(rows: readonly FleetRow[], changed: ReadonlySet<string>, now: Instant): string {
  const isDeployed = rows.some(({ deployments }) => deployments !== undefined);
  const cells = rows.map((row) => [
    row.name,
    row.issuer,
    ...(isDeployed ? [] : declaredCells(row)),
    row.notAfter === undefined ? row.state : day(row.notAfter),
    row.nextRenewal === undefined ? '–' : `${day(row.nextRenewal)} (${inDays(row.nextRenewal, now)})`,
    row.version === undefined
      ? '–'
      : `${row.version.slice(0, 8)} #${row.generation}${changed.has(row.name) ? ' ← renewed' : ''}`,
    ...(isDeployed ? deploymentCells(row) : []),
  ]);
  return textTable(isDeployed ? DEPLOYED_HEADINGS : HEADINGS, cells);
}

const HEADINGS = ['NAME', 'ISSUER', 'NAMES', 'KEY', 'NOT AFTER', 'NEXT RENEWAL', 'VERSION'] as const;

/** Where something is deployed, that has the place of what the manifest says anyway. */
const DEPLOYED_HEADINGS = ['NAME', 'ISSUER', 'NOT AFTER', 'NEXT RENEWAL', 'VERSION', 'DEPLOYED TO', 'SERVES'] as const;

const declaredCells = ({ names, key }: FleetRow): readonly string[] => [shorten(names), key];

function deploymentCells({ rollout, deployments = [] }: FleetRow): readonly string[] {
  const [first, ...more] = deployments;
  if (first === undefined) return ['–', '–'];
  // Where not all of them are well, one that is not speaks for them.
  const shown = deployments.find(({ verdict }) => verdict !== 'served') ?? first;
  const served = shown.sha256Fingerprint?.slice(0, 12) ?? '–';
  return [
    more.length === 0 ? first.target : `${shown.target} +${more.length}`,
    shown.verdict === 'served'
      ? `${served} ✔`
      : `${served} ${rollout === 'underWay' ? 'not yet' : `✘ ${shown.verdict}`}`,
  ];
}

const day = (timestamp: string): string => timestamp.slice(0, 16).replace('T', ' ');

const inDays = (timestamp: string, now: Instant): string =>
  `in ${((Date.parse(timestamp) - now) / 86_400_000).toFixed(1)} d`;

const NAMES_WIDTH = 30;

function shorten([first = '–', ...more]: readonly string[]): string {
  const shown = first.length > NAMES_WIDTH ? `${first.slice(0, NAMES_WIDTH - 1)}…` : first;
  return more.length === 0 ? shown : `${shown} +${more.length}`;
}

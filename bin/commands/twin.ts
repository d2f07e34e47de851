import type { CertificateId } from '../../functions/core/certificate.ts';
import { type CertificateRecord, renewAt } from '../../functions/core/record.ts';
import { formatSeconds, HOUR_MS, SECOND_MS } from '../../functions/core/time.ts';
import { loadManifestOrThrow } from '../../lib/load-manifest.ts';
import { resolveName } from '../operator/names.ts';
import { type FleetRow, fleetTable } from '../twin/fleet-table.ts';
import { lookAround } from '../twin/look-around.ts';
import { Progress } from '../twin/progress.ts';
import { type Proof, prove } from '../twin/proof.ts';
import { startRehearsal, type Rehearsal } from '../twin/rehearsal.ts';
import { deployFaults, fleetRows } from '../twin/served.ts';
import { aborted } from '../program/interruption.ts';
import { EXIT_FINDINGS, EXIT_FINE, EXIT_INTERRUPTED } from './exit-codes.ts';
import { rotateUnderLoad } from './rotate-under-load.ts';
import type { Terminal } from '../terminal.ts';

export interface TwinCommandOptions {
  /** `certificates`, if absent; for `rotateUnderLoad` the fleet of its example. */
  readonly manifest?: string;
  /** Rotates what hooks deploy several times while clients connect to it, in place of the three acts. */
  readonly rotateUnderLoad?: boolean;
  /** A certificate to renew on request, `namespace/name` or `name`. */
  readonly renew?: string;
  readonly keep: boolean;
  readonly json: boolean;
  /** The port on which the twin answers DNS; any, if absent. */
  readonly dnsPort?: number;
  /** Fires when the person wants it to end. */
  readonly signal: AbortSignal;
}

/** What the run showed, as `--json` prints it. */
interface Report {
  readonly certificates: readonly FleetRow[];
  readonly issuedAtFirst: number;
  readonly clockMovedSeconds: number;
  readonly renewedByTime: readonly string[];
  readonly renewedOnRequest: readonly string[];
  readonly proof: Proof;
}

/**
 * `everleaf twin`: the whole pipeline on loopback, from the manifest to stored and announced certificates, by the app and
 * the bundles that `cdk deploy` would deploy. Progress goes to stderr under `--json`.
 */
export async function twin(options: TwinCommandOptions, io: Terminal): Promise<number> {
  if (options.rotateUnderLoad === true) return rotateUnderLoad(options, io);
  const { manifest: folder = 'certificates' } = options;
  const { manifest, warnings } = loadManifestOrThrow(folder);
  const issuers = new Map(manifest.certificates.map(({ id, issuerRef }) => [id as string, issuerRef.name]));
  const requested = options.renew === undefined ? undefined : resolveName(options.renew, [...issuers.keys()]);
  const progress = new Progress(options.json ? io.stderr : io.stdout, issuers);
  for (const warning of warnings) progress.say(warning);

  const interrupted = aborted(options.signal);
  const rehearsal = await startRehearsal({ folder, manifest, dnsPort: options.dnsPort }, progress);
  try {
    const report = await Promise.race([rehearse(rehearsal, progress, requested), interrupted]);
    if (report === undefined) return EXIT_INTERRUPTED;
    if (options.json) io.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    else progress.say(summary(report));
    progress.say(lookAround(rehearsal, options.keep));
    if (options.keep) await interrupted;
    return report.proof.faults.length === 0 ? EXIT_FINE : EXIT_FINDINGS;
  } finally {
    await rehearsal.close();
  }
}

/** The three acts: first issuance, time passes, somebody asks. */
async function rehearse(
  rehearsal: Rehearsal,
  progress: Progress,
  requested: CertificateId | undefined,
): Promise<Report> {
  progress.say('\nThe schedule fires. Every certificate is due, since none was ever issued:');
  await rehearsal.tick();
  const first = await rehearsal.records();
  progress.say(`\n${await tableOf(rehearsal, first, new Set())}`);

  const movedMs = await moveToNextRenewal(rehearsal, first, progress);
  const second = await rehearsal.records();
  const renewedByTime = renewedBetween(first, second);
  const faults = movedMs === 0 ? [] : dueFaults(first, renewedByTime, rehearsal.now());
  if (movedMs > 0) {
    progress.say(`\n${await tableOf(rehearsal, second, new Set(renewedByTime))}`);
    const verdict = faults.length === 0 ? 'exactly those that were due' : faults.join('; ');
    progress.say(`Renewed: ${renewedByTime.length} of ${second.length}, ${verdict}.`);
  }

  let last = second;
  if (requested !== undefined) {
    progress.say(`\nSomebody asks for ${requested} to be renewed now:`);
    await rehearsal.requestRenewal(requested);
    await rehearsal.tick();
    last = await rehearsal.records();
    progress.say(`\n${await tableOf(rehearsal, last, new Set(renewedBetween(second, last)))}`);
  }
  const certificates = await fleetRows(rehearsal, last);
  return {
    certificates,
    issuedAtFirst: first.filter(({ current }) => current !== undefined).length,
    clockMovedSeconds: Math.round(movedMs / SECOND_MS),
    renewedByTime,
    renewedOnRequest: renewedBetween(second, last),
    proof: await prove(rehearsal, last, [...faults, ...deployFaults(last, certificates)]),
  };
}

/** Compares what was renewed with what was due: the same certificates, no more, no fewer. */
function dueFaults(before: readonly CertificateRecord[], renewed: readonly string[], now: number): readonly string[] {
  return before.flatMap((record) => {
    const due = record.current !== undefined && renewAt(record, record.current) <= now;
    if (due === renewed.includes(record.id)) return [];
    return [due ? `${record.id} was due and not renewed` : `${record.id} was renewed and not due`];
  });
}

/** Past the first renewal: what is due within half a day of it is seen as well. */
const LOOK_AHEAD_MS = 12 * HOUR_MS;

async function moveToNextRenewal(
  rehearsal: Rehearsal,
  records: readonly CertificateRecord[],
  progress: Progress,
): Promise<number> {
  const dates = records.flatMap((record) => (record.current === undefined ? [] : renewAt(record, record.current)));
  const moveMs = Math.ceil(Math.min(...dates) - rehearsal.now()) + LOOK_AHEAD_MS;
  if (dates.length === 0 || moveMs > rehearsal.headroomMs()) return 0;
  progress.say(
    `\nThe clock moves on by ${formatSeconds(moveMs / SECOND_MS)}, past the first renewals, and the schedule fires:`,
  );
  await rehearsal.advance(moveMs);
  return moveMs;
}

const renewedBetween = (
  before: readonly CertificateRecord[],
  after: readonly CertificateRecord[],
): readonly string[] => {
  const generations = new Map(before.map(({ id, generation }) => [id, generation]));
  return after.filter(({ id, generation }) => generation !== generations.get(id)).map(({ id }) => id);
};

const tableOf = async (
  rehearsal: Rehearsal,
  records: readonly CertificateRecord[],
  changed: ReadonlySet<string>,
): Promise<string> => fleetTable(await fleetRows(rehearsal, records), changed, rehearsal.now());

function summary({ proof, certificates }: Report): string {
  const endpoints = certificates.flatMap(({ deployments = [] }) => deployments);
  const served = endpoints.filter(({ verdict }) => verdict === 'served').length;
  const acme = proof.acmeRequests === 0 ? [] : [`  ${proof.acmeRequests} requests went to ACME CAs, over TLS`];
  const lines = [
    '',
    'What this run showed:',
    `  ${proof.chainsVerified} of ${certificates.length} stored chains verify up to their CA's root, each with the key that belongs to it`,
    ...(endpoints.length === 0
      ? []
      : [
          `  ${served} of ${endpoints.length} endpoints of deploy hooks, asked over TLS, serve the version that is current`,
        ]),
    ...acme,
    `  ${proof.awsCalls} AWS calls went over the wire under the roles of the template; ${proof.callsDenied} were denied`,
    `  ${proof.privateKeysOutsideTheStore} private keys were seen outside of the secret store`,
    ...proof.faults.map((fault) => `  ✘ ${fault}`),
  ];
  return lines.join('\n');
}

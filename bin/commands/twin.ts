import { certificateId, type CertificateId } from '../../functions/core/certificate.ts';
import { type CertificateRecord, renewAt } from '../../functions/core/record.ts';
import { formatSeconds, HOUR_MS, SECOND_MS } from '../../functions/core/time.ts';
import { loadManifestOrThrow } from '../../lib/load-manifest.ts';
import { fleetRow, type FleetRow, fleetTable } from '../twin/fleet-table.ts';
import { lookAround } from '../twin/look-around.ts';
import { Progress } from '../twin/progress.ts';
import { startRehearsal, type Rehearsal } from '../twin/rehearsal.ts';
import { EXIT_FINDINGS, EXIT_FINE, EXIT_INTERRUPTED, UsageError } from './exit-codes.ts';
import type { Terminal } from './validate.ts';

export interface TwinCommandOptions {
  readonly manifest: string;
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

interface Proof {
  readonly chainsVerified: number;
  readonly awsCalls: number;
  /** To the embedded ACME CAs; those to a server that the user runs are not seen. */
  readonly acmeRequests: number;
  readonly callsDenied: number;
  readonly privateKeysOutsideTheStore: number;
  readonly faults: readonly string[];
}

/**
 * `everleaf twin`: the whole pipeline on loopback, from the manifest to stored and announced certificates, by the app and
 * the bundles that `cdk deploy` would deploy. Progress goes to stderr under `--json`.
 */
export async function twin(options: TwinCommandOptions, io: Terminal): Promise<number> {
  const { manifest, warnings } = loadManifestOrThrow(options.manifest);
  const issuers = new Map(manifest.certificates.map(({ id, issuerRef }) => [id as string, issuerRef.name]));
  const requested = options.renew === undefined ? undefined : resolveName(options.renew, [...issuers.keys()]);
  const progress = new Progress(options.json ? io.stderr : io.stdout, issuers);
  for (const warning of warnings) progress.say(warning);

  const interrupted = aborted(options.signal);
  const rehearsal = await startRehearsal({ folder: options.manifest, manifest, dnsPort: options.dnsPort }, progress);
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
  progress.say(`\n${tableOf(first, new Set(), rehearsal.now())}`);

  const movedMs = await moveToNextRenewal(rehearsal, first, progress);
  const second = await rehearsal.records();
  const renewedByTime = renewedBetween(first, second);
  const faults = movedMs === 0 ? [] : dueFaults(first, renewedByTime, rehearsal.now());
  if (movedMs > 0) {
    progress.say(`\n${tableOf(second, new Set(renewedByTime), rehearsal.now())}`);
    const verdict = faults.length === 0 ? 'exactly those that were due' : faults.join('; ');
    progress.say(`Renewed: ${renewedByTime.length} of ${second.length}, ${verdict}.`);
  }

  let last = second;
  if (requested !== undefined) {
    progress.say(`\nSomebody asks for ${requested} to be renewed now:`);
    await rehearsal.requestRenewal(requested);
    await rehearsal.tick();
    last = await rehearsal.records();
    progress.say(`\n${tableOf(last, new Set(renewedBetween(second, last)), rehearsal.now())}`);
  }
  return {
    certificates: last.map(fleetRow),
    issuedAtFirst: first.filter(({ current }) => current !== undefined).length,
    clockMovedSeconds: Math.round(movedMs / SECOND_MS),
    renewedByTime,
    renewedOnRequest: renewedBetween(second, last),
    proof: await prove(rehearsal, last, faults),
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

const tableOf = (records: readonly CertificateRecord[], changed: ReadonlySet<string>, now: number): string =>
  fleetTable(records.map(fleetRow), changed, now);

/** Looks at the outcome from outside: as a consumer reads secrets, and as the twin saw the wire. */
async function prove(
  rehearsal: Rehearsal,
  records: readonly CertificateRecord[],
  seen: readonly string[],
): Promise<Proof> {
  const now = rehearsal.now();
  const chainFaults: string[] = [];
  for (const record of records) {
    const fault =
      record.current === undefined ? `${record.id} has no certificate` : await rehearsal.faultOf(record, now);
    if (fault !== undefined) chainFaults.push(fault);
  }
  const { calls, acmeRequests, keyFindings, problems } = rehearsal.witnessed();
  const denied = calls.filter(({ errorCode }) => errorCode?.startsWith('AccessDenied') === true);
  return {
    chainsVerified: records.length - chainFaults.length,
    awsCalls: calls.length,
    acmeRequests,
    callsDenied: denied.length,
    privateKeysOutsideTheStore: keyFindings.length,
    faults: [
      ...seen,
      ...chainFaults,
      ...keyFindings,
      ...problems,
      ...denied.map(({ operation }) => `${operation} was denied`),
    ],
  };
}

function summary({ proof, certificates }: Report): string {
  const acme = proof.acmeRequests === 0 ? [] : [`  ${proof.acmeRequests} requests went to ACME CAs, over TLS`];
  const lines = [
    '',
    'What this run showed:',
    `  ${proof.chainsVerified} of ${certificates.length} stored chains verify up to their CA's root, each with the key that belongs to it`,
    ...acme,
    `  ${proof.awsCalls} AWS calls went over the wire under the roles of the template; ${proof.callsDenied} were denied`,
    `  ${proof.privateKeysOutsideTheStore} private keys were seen outside of the secret store`,
    ...proof.faults.map((fault) => `  ✘ ${fault}`),
  ];
  return lines.join('\n');
}

/** Accepts a bare name where only one namespace has it. */
function resolveName(wanted: string, known: readonly string[]): CertificateId {
  const matches = known.filter((id) => id === wanted || id.endsWith(`/${wanted}`));
  const [match] = matches;
  if (match !== undefined && matches.length === 1) return certificateId.parse(match);
  const which = matches.length === 0 ? 'there is none of that name' : `${matches.join(' and ')} both fit`;
  throw new UsageError(`--renew ${wanted}: ${which}. Certificates here: ${known.join(', ')}`);
}

const aborted = (signal: AbortSignal): Promise<undefined> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });

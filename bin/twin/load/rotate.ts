import type { CertificateRecord } from '../../../functions/core/record.ts';
import type { FleetRow } from '../fleet-table.ts';
import type { Progress } from '../progress.ts';
import { type Proof, prove } from '../proof.ts';
import type { Rehearsal } from '../rehearsal.ts';
import { fleetRows } from '../served.ts';
import type { LoadTarget, Tally } from './handshakes.ts';
import { Load } from './load.ts';
import { type RolledBackRow, rolledBackRows, rotationsIn, type ServedRow, servedRows } from './outcome.ts';

/** Below the orders that a certificate may place in a day. */
const ROUNDS = 4;

/** What the run showed, as `--json` prints it. */
export interface LoadReport {
  readonly handshakes: {
    readonly total: number;
    readonly failed: number;
    readonly perSecond: number;
    /** Why, the first ones. */
    readonly failures: readonly string[];
  };
  /** New versions that became current, the ones that were rolled back among them. */
  readonly rotations: number;
  /**
   * From the event of a rotation to the last handshake that showed the leaf before, by the wall clock: from then on every one
   * showed the new leaf. What the roll-out waits for in between is skipped.
   */
  readonly servedAfterMs: { readonly median: number; readonly worst: number };
  readonly services: readonly ServedRow[];
  readonly rolledBack: readonly RolledBackRow[];
  /** Each certificate at the end, with what the prober found at its endpoints. */
  readonly certificates: readonly FleetRow[];
  readonly proof: Proof;
}

/** Rotates everything several times while clients connect. What is held after a roll-back is left alone. */
export async function rotateUnderLoad(
  rehearsal: Rehearsal,
  progress: Pick<Progress, 'say'>,
  { expectedBack, signal }: { readonly expectedBack: readonly string[]; readonly signal: AbortSignal },
): Promise<LoadReport> {
  progress.say('\nThe schedule fires. Every certificate is due, and is brought to the service that it is for:');
  await rehearsal.tick();
  const faults = notServed(await rehearsal.records());
  const before = rehearsal.published.length;
  const load = new Load(await targetsOf(rehearsal));
  signal.addEventListener('abort', () => void load.close(), { once: true });
  const startedAt = Date.now();
  try {
    for (let round = 1; round <= ROUNDS && !signal.aborted; round += 1) {
      faults.push(...(await rotateAll(rehearsal, load, progress, round)));
    }
    const tally = await load.stop();
    const elapsedMs = Date.now() - startedAt;
    const published = rehearsal.published.slice(before);
    const records = await rehearsal.records();
    const services = servedRows(rehearsal.servedAt, published, tally);
    const rolledBack = rolledBackRows(rehearsal.servedAt, published, tally);
    faults.push(...surprises(rolledBack, expectedBack));
    if (tally.failed > 0) faults.push(`${tally.failed} handshakes failed`);
    return {
      handshakes: {
        total: tally.total,
        failed: tally.failed,
        perSecond: Math.round(tally.total / (elapsedMs / 1_000)),
        failures: tally.failures,
      },
      rotations: rotationsIn(published).length,
      servedAfterMs: spread(services.flatMap(({ servedAfterMs }) => servedAfterMs)),
      services,
      rolledBack,
      certificates: await fleetRows(rehearsal, records),
      proof: await prove(rehearsal, records, [...new Set(faults)]),
    };
  } finally {
    await load.close();
  }
}

/** Clients trust what the certificate's own bundle says, and the CAs that no bundle names. */
async function targetsOf(rehearsal: Rehearsal): Promise<readonly LoadTarget[]> {
  const targets: LoadTarget[] = [];
  for (const { certificate, target, serverName, port } of rehearsal.servedAt) {
    const own = (await rehearsal.rollout(certificate))?.release.trustAnchors ?? [];
    targets.push({ name: target, serverName, port, trustAnchors: own.length === 0 ? rehearsal.acmeRoots : own });
  }
  return targets;
}

async function rotateAll(
  rehearsal: Rehearsal,
  load: Load,
  progress: Pick<Progress, 'say'>,
  round: number,
): Promise<readonly string[]> {
  progress.say(`\nRotation ${round} of ${ROUNDS}, under load:`);
  const wanted = (await rehearsal.records()).filter(({ held }) => held === undefined);
  for (const { id } of wanted) await rehearsal.requestRenewal(id);
  await rehearsal.tick();
  const tally = await load.lap();
  const after = await rehearsal.records();
  const behind = after.filter(({ id, current, generation }) => {
    const { generation: former = generation } = wanted.find((each) => each.id === id) ?? {};
    return wanted.some((each) => each.id === id) && (generation === former || current === undefined);
  });
  return [
    ...behind.map(({ id }) => `${id} was not rotated`),
    ...notServed(after),
    ...otherLeaves(rehearsal, after, tally),
  ];
}

/** A roll-out that ended otherwise than in one of the two proved states. */
const notServed = (records: readonly CertificateRecord[]): string[] =>
  records.flatMap(({ id, spec, rollout }) => {
    const state = rollout?.state ?? 'not begun';
    return spec.hooks === undefined || state === 'deployed' || state === 'rolledBack' ? [] : [`${id} is ${state}`];
  });

/** Clients have to see what the ledger says. */
function otherLeaves(
  { servedAt }: Rehearsal,
  records: readonly CertificateRecord[],
  { leaves }: Tally,
): readonly string[] {
  return servedAt.flatMap(({ certificate, target }) => {
    const current = records.find(({ id }) => id === certificate)?.current?.leaf.sha256Fingerprint;
    const latest = leaves[target]?.toSorted((a, b) => a.lastSeenAt - b.lastSeenAt).at(-1)?.sha256Fingerprint;
    return current === latest ? [] : [`${target} serves ${latest?.slice(0, 12)}, not ${current?.slice(0, 12)}`];
  });
}

function surprises(rolledBack: readonly RolledBackRow[], expected: readonly string[]): readonly string[] {
  const back = new Set(rolledBack.map(({ target }) => target));
  return [
    ...[...back].filter((target) => !expected.includes(target)).map((target) => `${target} was rolled back`),
    ...expected.filter((target) => !back.has(target)).map((target) => `${target} was to be rolled back, and was not`),
  ];
}

/** Whole milliseconds. */
export function spread(values: readonly number[]): { readonly median: number; readonly worst: number } {
  const sorted = values.toSorted((a, b) => a - b);
  return { median: sorted[Math.floor((sorted.length - 1) / 2)] ?? 0, worst: sorted.at(-1) ?? 0 };
}

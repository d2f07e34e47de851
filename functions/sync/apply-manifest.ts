import { CLOSED } from '../core/breaker.ts';
import {
  type CertificateId,
  type CertificateSpec,
  issuerIdOf,
  type IssuerId,
  type IssuerSpec,
  type Manifest,
} from '../core/certificate.ts';
import { ConflictError } from '../core/errors.ts';
import { inParallel } from '../core/in-parallel.ts';
import type { Inventory, Versioned } from '../core/ports.ts';
import { happeningFor, isChangedIssuer } from '../core/reconcile.ts';
import type { CertificateRecord } from '../core/record.ts';
import type { Instant } from '../core/time.ts';
import { apply, declare } from '../core/transitions.ts';

const ACTOR = 'sync';

/** Records written side by side. */
const CONCURRENCY = 25;

/** Tries against workers that write the same record. */
const ROUNDS = 10;

export interface SyncReport {
  readonly declared: number;
  readonly changed: number;
  readonly retired: number;
  readonly unchanged: number;
}

type Outcome = keyof SyncReport;

/**
 * Makes the inventory want what the manifest says. Touches only what differs; running it again changes nothing. A
 * certificate that is no longer in the manifest is retired: it keeps its record and its secret, and is not renewed.
 */
export async function applyManifest(inventory: Inventory, manifest: Manifest, now: Instant): Promise<SyncReport> {
  const changedIssuers = await applyIssuers(inventory, manifest.issuers);
  // Before the certificates that refer to them.
  await inParallel(manifest.hooks ?? [], CONCURRENCY, (hook) => inventory.writeHook(hook));
  const known = new Map<CertificateId, Versioned<CertificateRecord>>();
  for await (const stored of inventory.all()) known.set(stored.value.id, stored);

  const wanted = new Map(manifest.certificates.map((spec) => [spec.id, spec]));
  const gone = [...known.keys()].filter((id) => !wanted.has(id));
  const ids = [...wanted.keys(), ...gone];
  const report = { declared: 0, changed: 0, retired: 0, unchanged: 0 };
  await inParallel(ids, CONCURRENCY, async (id) => {
    const outcome = await applyOne(inventory, id, wanted.get(id), known.get(id), changedIssuers, now);
    report[outcome] += 1;
  });
  return report;
}

/** Answers the issuers whose documents changed. New issuers are not changed ones. */
async function applyIssuers(inventory: Inventory, specs: readonly IssuerSpec[]): Promise<ReadonlySet<IssuerId>> {
  const changed = new Set<IssuerId>();
  await inParallel(specs, CONCURRENCY, (spec) =>
    insist(async () => {
      const id = issuerIdOf(spec.ref);
      const stored = await inventory.readIssuer(id);
      const isChanged = isChangedIssuer(stored?.value.spec, spec);
      if (stored !== undefined && !isChanged) return;
      if (isChanged) changed.add(id);
      // A changed issuer starts with a clean slate: what failed may be just what was mended.
      await inventory.writeIssuer({ id, spec, breaker: CLOSED }, stored?.revision);
    }),
  );
  return changed;
}

/** Reads and writes again while workers, who write the same records, are faster. */
async function insist<T>(readAndWrite: (round: number) => Promise<T>): Promise<T> {
  for (let round = 1; ; round++) {
    try {
      return await readAndWrite(round);
    } catch (error) {
      if (!(error instanceof ConflictError) || round === ROUNDS) throw error;
    }
  }
}

async function applyOne(
  inventory: Inventory,
  id: CertificateId,
  spec: CertificateSpec | undefined,
  seen: Versioned<CertificateRecord> | undefined,
  changedIssuers: ReadonlySet<IssuerId>,
  now: Instant,
): Promise<Outcome> {
  return insist(async (round) => {
    const stored = round === 1 ? seen : await inventory.read(id);
    const change = changeFor(stored?.value, spec, changedIssuers, now);
    if (change === undefined) return 'unchanged';
    await inventory.write(change.record, stored?.revision);
    return change.outcome;
  });
}

interface Change {
  readonly record: CertificateRecord;
  readonly outcome: Outcome;
}

function changeFor(
  record: CertificateRecord | undefined,
  spec: CertificateSpec | undefined,
  changedIssuers: ReadonlySet<IssuerId>,
  at: Instant,
): Change | undefined {
  const by = { actor: ACTOR, at };
  if (record === undefined) return spec === undefined ? undefined : { record: declare(spec, by), outcome: 'declared' };
  const happening = happeningFor(record, spec, changedIssuers);
  if (happening === undefined) return undefined;
  const outcome = happening.event === 'Retired' ? 'retired' : happening.event === 'Reinstated' ? 'declared' : 'changed';
  return { record: apply(record, happening, by), outcome };
}

import { certificateBook } from '../core/certificate-book.ts';
import { ConflictError } from '../core/errors.ts';
import { RecordLedger } from '../core/ledger.ts';
import type { SecretSlot } from '../core/ports.ts';
import type { CertificateRecord, Transition } from '../core/record.ts';
import type { ReleaseFacts, RolloutRecord } from '../core/rollout/record.ts';
import { whyNotAdvanced, whyNotRestorable } from '../core/rollout/restorable.ts';
import type { Shift } from '../core/shift.ts';
import { toTimestamp } from '../core/time.ts';
import type { Happening } from '../core/transitions.ts';
import { ACTOR, type RolloutLedger } from './ledger.ts';
import type { DeployParts } from './parts.ts';

type CertificateLedger = RecordLedger<Transition, CertificateRecord, Happening>;

/** Makes the version before current again, if it may be, and holds the certificate. */
export async function restore(ledger: RolloutLedger, parts: DeployParts, shift: Shift): Promise<void> {
  const { record: rollout } = ledger;
  await withCertificate(rollout, parts, shift, async (certificate) => {
    const { record } = certificate;
    const { release, fallback } = rollout;
    // Killed between the two writes: the certificate knows already.
    if (isTakenBack(record, rollout)) {
      ledger.happened({ event: 'Restored', generation: record.generation });
      return;
    }
    if (record.current?.version !== release.version) throw superseded(rollout);
    const why = whyNotRestorable(record, rollout, parts.clock());
    if (why !== undefined || fallback === undefined) {
      ledger.happened({ event: 'NotRestored', why: why ?? '' });
      return;
    }
    await parts.versions.switchTo(slotOf(record, fallback), fallback.version, release.version);
    certificate.note({ event: 'RolledBack', undone: release.version, cause: causeOf(rollout) });
    await certificate.save();
    ledger.happened({ event: 'Restored', generation: certificate.record.generation });
  });
}

/** Makes the version that was taken back current once more: it is about to be deployed again. */
export async function advance(ledger: RolloutLedger, parts: DeployParts, shift: Shift): Promise<void> {
  const { record: rollout } = ledger;
  await withCertificate(rollout, parts, shift, async (certificate) => {
    const { record } = certificate;
    const { release, fallback } = rollout;
    if (record.current?.version !== release.version) {
      if (!isTakenBack(record, rollout) || fallback === undefined) throw superseded(rollout);
      const why = whyNotAdvanced(record, rollout);
      if (why !== undefined) {
        ledger.happened({ event: 'NotAdvanced', why });
        return;
      }
      await parts.versions.switchTo(slotOf(record, release), release.version, fallback.version);
      certificate.note({ event: 'PromotedAgain', version: release.version, ref: release.ref });
      await certificate.save();
    }
    ledger.happened({ event: 'Advanced', generation: certificate.record.generation });
  });
}

/** Tells the certificate how its roll-out ended; one that has moved on since need not know. */
export async function settle(ledger: RolloutLedger, parts: DeployParts, shift: Shift): Promise<void> {
  const { record: rollout } = ledger;
  const { outcome } = rollout;
  const wanted = rollout.current === 'fallback' ? rollout.fallback : rollout.release;
  await withCertificate(rollout, parts, shift, async (certificate) => {
    const { record } = certificate;
    if (outcome !== undefined && record.current?.version === wanted?.version) {
      const cause = outcome === 'deployed' ? '' : causeOf(rollout);
      certificate.note({ event: 'DeploymentEnded', outcome, cause });
      await certificate.save();
    }
    ledger.happened({ event: 'Settled' });
  });
}

const isTakenBack = (record: CertificateRecord, { release, fallback }: RolloutRecord): boolean =>
  record.held?.version.version === release.version &&
  fallback !== undefined &&
  record.current?.version === fallback.version;

const superseded = ({ id, release }: RolloutRecord): ConflictError =>
  new ConflictError('Superseded', `${id}: version ${release.version} is not the current one any more`);

const slotOf = ({ id }: CertificateRecord, { secretName }: ReleaseFacts): SecretSlot => ({
  certificate: id,
  secretName,
});

function causeOf({ failures }: RolloutRecord): string {
  const [first] = failures;
  if (first === undefined) return 'for a reason that was not kept';
  const where = [first.hook, first.target].filter((part) => part !== undefined).join(' ');
  return `${where === '' ? '' : `${where}: `}${first.code}: ${first.message}`;
}

/**
 * Work on the certificate's own record, under a claim of its own: an issuing worker never acts at the same time. Throws
 * ConflictError while another one has it; the schedule comes back.
 */
async function withCertificate(
  { id }: RolloutRecord,
  { inventory, clock, log }: DeployParts,
  { owner, leaseMs }: Shift,
  work: (certificate: CertificateLedger) => Promise<void>,
): Promise<void> {
  const stored = await inventory.read(id);
  if (stored === undefined) throw new ConflictError('RecordGone', `${id} is not in the inventory`);
  const certificate: CertificateLedger = new RecordLedger(
    certificateBook(inventory, ACTOR),
    stored,
    { owner, ttlMs: leaseMs },
    clock,
    (transition) => log('transition', { certificate: id, ...transition, at: toTimestamp(transition.at) }),
  );
  await certificate.save();
  try {
    await work(certificate);
  } finally {
    await certificate.release();
  }
}

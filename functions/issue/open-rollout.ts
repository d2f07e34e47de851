import { createHash } from 'node:crypto';
import { wantedHooks } from '../core/decide.ts';
import { ConflictError, PermanentError } from '../core/errors.ts';
import type { CertificateRecord, CurrentVersion } from '../core/record.ts';
import { openRollout } from '../core/rollout/open.ts';
import type { ReleaseFacts } from '../core/rollout/record.ts';
import { readCertificate } from '../core/x509/leaf.ts';
import type { Ledger } from './ledger.ts';
import { slotOf } from './order.ts';
import type { RenewalParts } from './parts.ts';

const ACTOR = 'issue';

/** The deploying worker writes the same record. */
const ROUNDS = 5;

/** Says in the roll-out's own record what is to be served by now. Repeating it changes nothing. */
export async function openRolloutOf(ledger: Ledger, current: CurrentVersion, parts: RenewalParts): Promise<void> {
  const { record } = ledger;
  const hooks = wantedHooks(record);
  const release = await releaseOf(record, current, record.generation, parts);
  const fallback = hooks.length === 0 ? undefined : await previousOf(record, parts);
  for (let round = 1; ; round++) {
    const stored = await parts.inventory.readRollout(record.id);
    if (stored === undefined && hooks.length === 0) break;
    const wanted = { id: record.id, hooks, release, fallback };
    try {
      const rollout = openRollout(stored?.value, wanted, { actor: ACTOR, at: parts.clock() });
      if (rollout !== stored?.value) await parts.inventory.writeRollout(rollout, stored?.revision);
      break;
    } catch (error) {
      if (!(error instanceof ConflictError) || round === ROUNDS) throw error;
    }
  }
  ledger.note({ event: 'RolloutOpened', hooks });
}

/** One that cannot be read any more cannot come back either. */
async function previousOf(record: CertificateRecord, parts: RenewalParts): Promise<ReleaseFacts | undefined> {
  const { previous, generation } = record;
  if (previous === undefined) return undefined;
  try {
    return await releaseOf(record, previous, generation - 1, parts);
  } catch (error) {
    if (!(error instanceof PermanentError)) throw error;
    parts.log('the version before cannot be read', { certificate: record.id, code: error.code });
    return undefined;
  }
}

/** From the store, since the ledger keeps no certificates; the key is read with them, and left where it is. */
async function releaseOf(
  record: CertificateRecord,
  { version, secretName, leaf }: CurrentVersion,
  generation: number,
  { store }: RenewalParts,
): Promise<ReleaseFacts> {
  const parts = await store.publicParts(slotOf(record, secretName), version);
  const { x509, dnsNames, ipAddresses } = readCertificate(parts.leaf);
  const key = x509.publicKey.export({ type: 'spki', format: 'der' });
  return {
    version,
    generation,
    secretName,
    ref: parts.ref,
    sha256Fingerprint: leaf.sha256Fingerprint,
    notAfter: leaf.notAfter,
    publicKeySha256: createHash('sha256').update(key).digest('hex'),
    dnsNames: [...dnsNames],
    ipAddresses: [...ipAddresses],
    trustAnchors: [...parts.trustAnchors],
    ...(parts.trustAnchors.length === 0 ? { topOfChain: parts.intermediates.at(-1) } : {}),
  };
}

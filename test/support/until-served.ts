import type { Handshakes } from '../../bin/twin/load/handshakes.ts';

/** Resolves once a handshake has shown this leaf. */
export async function untilServed(load: Handshakes, sha256Fingerprint: string): Promise<void> {
  for (;;) {
    const { leaves } = await load.lap();
    if (Object.values(leaves).some((seen) => seen.some((leaf) => leaf.sha256Fingerprint === sha256Fingerprint))) return;
  }
}

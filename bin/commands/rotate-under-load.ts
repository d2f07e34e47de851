import { join } from 'node:path';
import { loadManifestOrThrow } from '../../lib/load-manifest.ts';
import { aborted } from '../program/interruption.ts';
import { rotateUnderLoad as rotate } from '../twin/load/rotate.ts';
import { screens } from '../twin/load/screens.ts';
import { Progress } from '../twin/progress.ts';
import { startRehearsal } from '../twin/rehearsal.ts';
import type { Terminal } from '../terminal.ts';
import { EXIT_FINDINGS, EXIT_FINE, EXIT_INTERRUPTED, UsageError } from './exit-codes.ts';

/** Four services, one of which never reloads. */
const FLEET = join(import.meta.dirname, '..', '..', 'examples', 'rotate-under-load');
const NEVER_RELOADING = ['ecs:production/ledger'];

export interface RotateUnderLoadOptions {
  /** A folder with DeployHooks; the fleet of the example, if absent. */
  readonly manifest?: string;
  readonly json: boolean;
  /** Fires when the person wants it to end. */
  readonly signal: AbortSignal;
}

/** `everleaf twin --rotate-under-load`: rotates a fleet while clients connect to it, and says what they saw. */
export async function rotateUnderLoad(options: RotateUnderLoadOptions, io: Terminal): Promise<number> {
  const folder = options.manifest ?? FLEET;
  const neverReloading = options.manifest === undefined ? NEVER_RELOADING : [];
  const { manifest, warnings } = loadManifestOrThrow(folder);
  if ((manifest.hooks ?? []).length === 0) {
    throw new UsageError(
      `${folder} has no DeployHook, so nothing is served that could be asked; see docs/deploy-hooks.md`,
    );
  }
  const issuers = new Map(manifest.certificates.map(({ id, issuerRef }) => [id as string, issuerRef.name]));
  const progress = new Progress(options.json ? io.stderr : io.stdout, issuers);
  for (const warning of warnings) progress.say(warning);

  const { signal } = options;
  const interrupted = aborted(signal);
  const rehearsal = await startRehearsal({ folder, manifest, neverReloading }, progress);
  try {
    const work = rotate(rehearsal, progress, { expectedBack: neverReloading, signal });
    const report = await Promise.race([work, interrupted]);
    if (report === undefined) return EXIT_INTERRUPTED;
    if (options.json) io.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    else progress.say(screens(report));
    return report.proof.faults.length === 0 ? EXIT_FINE : EXIT_FINDINGS;
  } finally {
    await rehearsal.close();
  }
}

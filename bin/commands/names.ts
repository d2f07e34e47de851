import { ISSUERS } from '../../functions/catalogue.ts';
import { loadManifest } from '../../lib/manifest-folder.ts';
import type { Terminal } from '../terminal.ts';

/** The certificates of a folder, one a line, for a shell to complete. A folder that is not there, or is faulty, has none. */
export function names(folder: string, { stdout }: Pick<Terminal, 'stdout'>): void {
  try {
    for (const { id } of loadManifest(folder, ISSUERS).manifest.certificates) stdout.write(`${id}\n`);
  } catch {
    // Whoever presses Tab asked for no error.
  }
}

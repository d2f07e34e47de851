import { ISSUERS } from '../functions/catalogue.ts';
import type { Manifest } from '../functions/core/certificate.ts';
import { PermanentError } from '../functions/core/errors.ts';
import { counted, isError, renderFinding } from '../functions/core/manifest/index.ts';
import { loadManifest } from './manifest-folder.ts';

export interface LoadedManifest {
  readonly manifest: Manifest;
  /** Each as a person reads it: place, line, caret, remedy. */
  readonly warnings: readonly string[];
}

/** The desired state, or PermanentError `ManifestRefused` with every fault at its place: nothing is deployed of half a manifest. */
export function loadManifestOrThrow(folder: string): LoadedManifest {
  const { manifest, findings } = loadManifest(folder, ISSUERS);
  const errors = findings.filter(isError);
  if (errors.length > 0) {
    const list = errors.map((finding) => renderFinding(finding)).join('\n\n');
    throw new PermanentError('ManifestRefused', `${counted(errors.length, 'error')} in ${folder}:\n\n${list}`);
  }
  return { manifest, warnings: findings.map((finding) => renderFinding(finding)) };
}

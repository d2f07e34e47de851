import { join } from 'node:path';

/** What bundles.ts is in the package: the code of `functions/<name>/handler.ts` was bundled when the package was built. */
export function bundleFolder(name: string): string {
  return join(import.meta.dirname, '..', 'bundles', name);
}

import { ISSUERS } from '../../functions/catalogue.ts';
import { isError, renderFinding } from '../../functions/core/manifest/index.ts';
import type { HookTarget } from '../../functions/core/rollout/ports.ts';
import type { EksOptions } from '../../functions/hooks/eks/options.ts';
import { eks } from '../../functions/hooks/eks/plugin.ts';
import { renderRbac } from '../../functions/hooks/eks/rbac.ts';
import { loadManifest } from '../../lib/manifest-folder.ts';
import { EXIT_FINDINGS, EXIT_FINE, UsageError } from './exit-codes.ts';
import type { Terminal } from '../terminal.ts';

/** `everleaf rbac DIR`: what an administrator of a cluster applies, in YAML. */
export function rbac(dir: string, { cluster }: { readonly cluster?: string }, io: Terminal): number {
  const { manifest, findings } = loadManifest(dir, ISSUERS);
  const errors = findings.filter(isError);
  if (errors.length > 0) {
    // Half of a manifest would make Roles that lack what the other half needs.
    io.stderr.write(errors.map((finding) => `${renderFinding(finding, (_emphasis, text) => text)}\n\n`).join(''));
    return EXIT_FINDINGS;
  }
  const targets = (manifest.hooks ?? [])
    .filter(({ plugin }) => plugin === eks.kind)
    // Parsed by that plug-in a moment ago.
    .flatMap((hook) => hook.targets as readonly HookTarget<EksOptions>[]);
  const chosen = clusterOf(dir, targets, cluster);
  io.stdout.write(renderRbac(targets.filter(({ options }) => options.cluster === chosen)));
  return EXIT_FINE;
}

function clusterOf(dir: string, targets: readonly HookTarget<EksOptions>[], wanted: string | undefined): string {
  const clusters = [...new Set(targets.map(({ options }) => options.cluster))].sort();
  const [only] = clusters;
  if (only === undefined)
    throw new UsageError(`${dir} has no DeployHook with the field eks: there is nothing to grant`);
  if (wanted !== undefined && clusters.includes(wanted)) return wanted;
  const named = `the hooks of ${dir} name ${clusters.join(', ')}`;
  if (wanted !== undefined) throw new UsageError(`no hook deploys to the cluster ${wanted}: ${named}`);
  if (clusters.length > 1) throw new UsageError(`say which cluster with --cluster: ${named}`);
  return only;
}

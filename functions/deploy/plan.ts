import { PermanentError } from '../core/errors.ts';
import { type DeployHookSpec, type HookRef, hookRefOf, policy } from '../core/rollout/hook-spec.ts';
import type { Endpoint } from '../core/rollout/ports.ts';
import type { ReleaseFacts, RolloutRecord, Stage } from '../core/rollout/record.ts';
import { isNamed } from '../core/rollout/served-names.ts';
import { planWaves } from '../core/rollout/waves.ts';
import type { DeployParts } from './parts.ts';

/** The documents of a roll-out's hooks as its stages, in the order in which they run. */
export async function planStages({ hooks, release }: RolloutRecord, parts: DeployParts): Promise<readonly Stage[]> {
  const specs: DeployHookSpec[] = [];
  for (const ref of hooks) specs.push(await readHook(ref, parts));
  const inOrder = specs.toSorted((a, b) => a.order - b.order || (a.id < b.id ? -1 : 1));
  return inOrder.map((spec) => ({
    hook: hookRefOf(spec),
    policy: policy.parse(spec),
    endpoints: endpointsOf(spec, release).length,
    waves: planWaves(spec.waves, spec.targets.length),
    targets: spec.targets.map(() => ({ state: 'waiting' as const })),
  }));
}

/** A document as of the text that the roll-out began with. */
export async function readHook(ref: HookRef, { inventory }: DeployParts): Promise<DeployHookSpec> {
  const spec = await inventory.readHook(ref);
  if (spec !== undefined) return spec;
  throw new PermanentError('HookMissing', `hook ${ref} is not in the inventory; deploy the manifest that declares it`);
}

/** A hook may be for several certificates: those of its endpoints that clients know by a name of this one. */
export const endpointsOf = (spec: DeployHookSpec, release: ReleaseFacts): readonly Endpoint[] =>
  spec.endpoints.filter(({ host, serverName }) => isNamed(release, serverName ?? host));

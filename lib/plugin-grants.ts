import { groupBy } from '../functions/core/group-by.ts';
import { Stack } from 'aws-cdk-lib';
import { bindIssuer, hookPlugin } from '../functions/catalogue.ts';
import type { IssuerSpec } from '../functions/core/certificate.ts';
import type { Grant } from '../functions/core/ports.ts';
import type { DeployHookSpec } from '../functions/core/rollout/hook-spec.ts';
import { canonicalJson } from '../functions/core/spec-change.ts';
import type { EverleafFunction } from './everleaf-function.ts';

/** What the declared issuers need. */
export const issuerGrants = (issuers: readonly IssuerSpec[]): readonly Grant[] =>
  merged(issuers.flatMap((spec) => bindIssuer(spec).needs));

/**
 * What the declared hooks need. Asked for all targets of a kind together, so that a plug-in sees how many they are: it names a
 * few, and has a pattern for many.
 */
export function hookGrants(hooks: readonly DeployHookSpec[]): readonly Grant[] {
  const byPlugin = groupBy(hooks, ({ plugin }) => plugin);
  const targetsOf = (specs: readonly DeployHookSpec[]): DeployHookSpec['targets'] =>
    specs.flatMap(({ targets }) => targets);
  return merged([...byPlugin].flatMap(([plugin, specs]) => hookPlugin(plugin).needs(targetsOf(specs))));
}

/** Grants of the same actions become one: a role's policies end at 10,240 characters. */
function merged(grants: readonly Grant[]): readonly Grant[] {
  const byActions = new Map<string, Grant>();
  for (const grant of grants) {
    const key = canonicalJson([grant.actions, grant.conditions]);
    const resources = new Set([...(byActions.get(key)?.resources ?? []), ...grant.resources]);
    byActions.set(key, { ...grant, resources: [...resources].sort() });
  }
  return [...byActions.values()].flatMap(inStatements);
}

/** Resources of one statement: CDK moves what does not fit into a role's policy to managed ones, whole statements of 6,144 characters. */
const MOST_RESOURCES = 40;

function inStatements(grant: Grant): readonly Grant[] {
  const statements: Grant[] = [];
  for (let start = 0; start < grant.resources.length; start += MOST_RESOURCES)
    statements.push({ ...grant, resources: grant.resources.slice(start, start + MOST_RESOURCES) });
  return statements;
}

export function allowGrants(to: EverleafFunction, grants: readonly Grant[]): void {
  const { partition } = Stack.of(to);
  // Plug-ins write `arn:aws:` where they build ARNs themselves (Route 53, ECS); those that people wrote are left as they are.
  const inPartition = (arn: string): string =>
    arn.replace(/^arn:aws:(?=route53:|(?:ecs|eks):\*:\*:|(?:ecs|eks):[a-z0-9-]+:\*:)/, `arn:${partition}:`);
  for (const { actions, resources, conditions } of grants) to.allow(actions, resources.map(inPartition), conditions);
}

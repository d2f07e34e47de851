import { groupBy } from '../../core/group-by.ts';
import type { Grant } from '../../core/ports.ts';
import type { HookPlugin, HookTarget } from '../../core/rollout/ports.ts';
import { parseEcs } from './document.ts';
import type { EcsOptions } from './options.ts';

/** The tag by which a service remembers which roll-out began last. See `hook.ts`. */
export const ROLLOUT_TAG = 'everleaf:rollout';

/**
 * Services that grants name, of all clusters together: their ARNs stand in three statements, and a role's inline policies end at
 * 10,240 characters. Of more, the grants for the largest clusters are for all of their services.
 */
const MOST_NAMED_SERVICES = 25;

/** Services of Amazon ECS. */
export const ecs: HookPlugin<EcsOptions> = {
  kind: 'ecs',
  summary: 'Amazon ECS services',
  writesKeys: false,
  parse: parseEcs,
  needs: (targets) => {
    const own = targets.filter(({ options }) => options.role === undefined);
    const roles = new Set(targets.flatMap(({ options }) => options.role ?? []));
    return [
      ...(roles.size === 0 ? [] : [{ actions: ['sts:AssumeRole'], resources: [...roles] }]),
      ...(own.length === 0 ? [] : serviceGrants(own)),
      ...pinGrants(own),
    ];
  },
  create: async (options, context) => {
    const { connectEcs } = await import('./service.ts');
    const { ecsHook } = await import('./hook.ts');
    return ecsHook(options, await connectEcs(options), context);
  },
};

function serviceGrants(targets: readonly HookTarget<EcsOptions>[]): readonly Grant[] {
  const services = servicePaths(targets);
  const of = (type: string, suffix = ''): readonly string[] =>
    services.map(({ region, path }) => `arn:aws:ecs:${region}:*:${type}/${path}${suffix}`);
  return [
    {
      actions: ['ecs:DescribeServices', 'ecs:UpdateService', 'ecs:ListServiceDeployments'],
      resources: of('service'),
    },
    { actions: ['ecs:DescribeServiceDeployments'], resources: of('service-deployment', '/*') },
    {
      actions: ['ecs:TagResource'],
      resources: of('service'),
      // Whatever else somebody's policies read from tags is out of reach.
      conditions: { 'ForAllValues:StringEquals': { 'aws:TagKeys': [ROLLOUT_TAG] } },
    },
  ];
}

function servicePaths(targets: readonly HookTarget<EcsOptions>[]): readonly { region: string; path: string }[] {
  const named = new Map<string, readonly string[]>();
  for (const [cluster, group] of groupBy(targets, ({ options: { region = '*', cluster } }) => `${region} ${cluster}`))
    named.set(cluster, [...new Set(group.map(({ options: { service } }) => service))]);
  let count = [...named.values()].reduce((sum, { length }) => sum + length, 0);
  for (const [cluster, { length }] of [...named].sort(([, a], [, b]) => b.length - a.length)) {
    if (count <= MOST_NAMED_SERVICES) break;
    named.set(cluster, ['*']);
    count += 1 - length;
  }
  // So many clusters that they cannot be named either.
  if (count > MOST_NAMED_SERVICES) return [{ region: '*', path: '*' }];
  return [...named].flatMap(([place, services]) => {
    const [region = '*', cluster = ''] = place.split(' ');
    return services.map((service) => ({ region, path: `${cluster}/${service}` }));
  });
}

function pinGrants(targets: readonly HookTarget<EcsOptions>[]): readonly Grant[] {
  const pinning = targets.filter(({ options }) => options.strategy === 'PinVersion');
  if (pinning.length === 0) return [];
  return [
    // Neither can be narrowed to a family (Service Authorization Reference for Amazon ECS).
    { actions: ['ecs:DescribeTaskDefinition', 'ecs:RegisterTaskDefinition'], resources: ['*'] },
    {
      actions: ['ecs:TagResource'],
      resources: ['arn:aws:ecs:*:*:task-definition/*'],
      // Tags are copied to a new revision, never put on one that is there.
      conditions: { StringEquals: { 'ecs:CreateAction': 'RegisterTaskDefinition' } },
    },
    {
      actions: ['iam:PassRole'],
      resources: [...new Set(pinning.flatMap(({ options }) => options.passRoles))],
      conditions: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
    },
  ];
}

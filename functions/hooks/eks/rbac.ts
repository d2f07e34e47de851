import { stringify } from 'yaml';
import { groupBy } from '../../core/group-by.ts';
import type { HookTarget } from '../../core/rollout/ports.ts';
import { type EksOptions, FIELD_MANAGER } from './options.ts';
import { secretOf, workloadOf } from './objects.ts';
import { groupOf, verbsOf } from './permissions.ts';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
  readonly verbs: readonly string[];
}

/** The group that the access entry of the deploy function's role names. */
export const GROUP = 'everleaf';

/** In YAML, as the owner of a cluster applies them. */
export const renderRbac = (targets: readonly HookTarget<EksOptions>[]): string =>
  rbacFor(targets)
    .map((object) => stringify(object, { lineWidth: 0 }))
    .join('---\n');

/** A Role and a RoleBinding for each namespace of one cluster: all that the hook needs for these targets, and no more. */
export function rbacFor(targets: readonly HookTarget<EksOptions>[]): readonly object[] {
  const namespaces = groupBy(targets, ({ options }) => options.namespace);
  return [...namespaces]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([namespace, within]) => objectsFor(namespace, within));
}

function objectsFor(namespace: string, targets: readonly HookTarget<EksOptions>[]): readonly object[] {
  const objects = targets.flatMap(({ options }) => [
    secretOf(options),
    ...(options.workload === undefined ? [] : [workloadOf(options, options.workload)]),
  ]);
  const byResource = groupBy(objects, ({ api, resource }) => `${groupOf(api)} ${resource}`);
  const rules = [...byResource].map(([key, group]): Rule => {
    const [apiGroup = '', resource = ''] = key.split(' ');
    const resourceNames = [...new Set(group.map(({ name }) => name))].sort();
    return { apiGroups: [apiGroup], resources: [resource], resourceNames, verbs: verbsOf(resource) };
  });
  const metadata = { name: FIELD_MANAGER, namespace };
  const apiGroup = 'rbac.authorization.k8s.io';
  return [
    { apiVersion: `${apiGroup}/v1`, kind: 'Role', metadata, rules },
    {
      apiVersion: `${apiGroup}/v1`,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup, kind: 'Role', name: FIELD_MANAGER },
      subjects: [{ apiGroup, kind: 'Group', name: GROUP }],
    },
  ];
}

import type { ContainerDefinition, Tag, TaskDefinition } from '@aws-sdk/client-ecs';
import type { Release } from '../../core/rollout/ports.ts';
import type { RegisterableDefinition } from './service.ts';

/**
 * `valueFrom` of a container's secret: the secret's ARN, then optionally a key of its JSON, a stage and a version id, each
 * after a colon. Stage and version id exclude each other.
 */
const referenceTo = ({ ref }: Release, valueFrom: string | undefined): { readonly jsonKey: string } | undefined => {
  if (valueFrom === ref) return { jsonKey: '' };
  if (valueFrom?.startsWith(`${ref}:`) !== true) return undefined;
  return { jsonKey: valueFrom.slice(ref.length + 1).split(':')[0] ?? '' };
};

const pinnedReference = ({ ref, version }: Release, jsonKey: string): string => `${ref}:${jsonKey}::${version}`;

/** How many references to the release's secret its containers have, and how many of them name the release's version. */
export function countReferences(
  { containerDefinitions = [] }: Pick<TaskDefinition, 'containerDefinitions'>,
  release: Release,
): { readonly all: number; readonly pinned: number } {
  const found = containerDefinitions
    .flatMap(({ secrets = [] }) => secrets)
    .flatMap(({ valueFrom }) => {
      const reference = referenceTo(release, valueFrom);
      return reference === undefined ? [] : [valueFrom === pinnedReference(release, reference.jsonKey)];
    });
  return { all: found.length, pinned: found.filter((isPinned) => isPinned).length };
}

/** What a new revision is registered with: all that the present one has and that can be said, with the version named. */
export function pinned(definition: TaskDefinition, tags: readonly Tag[], release: Release): RegisterableDefinition {
  const { containerDefinitions = [], family } = definition;
  const optional = Object.fromEntries(
    COPIED_FIELDS.flatMap((field) => (definition[field] === undefined ? [] : [[field, definition[field]]])),
  );
  return {
    ...optional,
    family,
    containerDefinitions: containerDefinitions.map((container) => pinnedContainer(container, release)),
    // An empty list is refused.
    ...(tags.length === 0 ? {} : { tags: [...tags] }),
  };
}

/** All of RegisterTaskDefinition's parameters that DescribeTaskDefinition answers, but those above. */
const COPIED_FIELDS = [
  'taskRoleArn',
  'executionRoleArn',
  'networkMode',
  'volumes',
  'placementConstraints',
  'requiresCompatibilities',
  'cpu',
  'memory',
  'pidMode',
  'ipcMode',
  'proxyConfiguration',
  'inferenceAccelerators',
  'ephemeralStorage',
  'runtimePlatform',
  'enableFaultInjection',
] as const satisfies readonly (keyof RegisterableDefinition & keyof TaskDefinition)[];

function pinnedContainer(container: ContainerDefinition, release: Release): ContainerDefinition {
  if (container.secrets === undefined) return container;
  const secrets = container.secrets.map((secret) => {
    const reference = referenceTo(release, secret.valueFrom);
    return reference === undefined ? secret : { ...secret, valueFrom: pinnedReference(release, reference.jsonKey) };
  });
  return { ...container, secrets };
}

import type { ContainerDefinition, Tag, TaskDefinition } from '@aws-sdk/client-ecs';
import type { Release } from '../../core/rollout/ports.ts';
import type { RegisterableDefinition } from './service.ts';

interface Reference {
  /** The secret's ARN in full, in the Region that the container reads it in: a replica has the same name there. */
  readonly arn: string;
  readonly jsonKey: string;
}

/** Six characters of AWS's choice end a secret's ARN. Whoever writes one by the name leaves them out, as CDK does. */
const SUFFIX = /-[A-Za-z0-9]{6}$/;

/**
 * `valueFrom` of a container's secret: the secret's ARN, in full or without its suffix, then optionally a key of its JSON, a stage
 * and a version id, each after a colon. Stage and version id exclude each other. Undefined for another secret.
 */
function referenceTo({ ref }: Release, valueFrom = ''): Reference | undefined {
  const [arn, partition, service, region, account, type, name, jsonKey = ''] = valueFrom.split(':');
  const own = ref.split(':');
  const ownName = own[6] ?? '';
  if (name === undefined || (name !== ownName && name !== ownName.replace(SUFFIX, ''))) return undefined;
  const there = [arn, partition, service, region, account, type, ownName];
  const isSame = there.every((part, index) => part === own[index] || (index === 3 && part !== ''));
  return isSame ? { arn: there.join(':'), jsonKey } : undefined;
}

const pinnedReference = ({ version }: Release, { arn, jsonKey }: Reference): string => `${arn}:${jsonKey}::${version}`;

/** How many references to the release's secret its containers have, and how many of them name the release's version. */
export function countReferences(
  { containerDefinitions = [] }: Pick<TaskDefinition, 'containerDefinitions'>,
  release: Release,
): { readonly all: number; readonly pinned: number } {
  const found = containerDefinitions
    .flatMap(({ secrets = [] }) => secrets)
    .flatMap(({ valueFrom }) => {
      const reference = referenceTo(release, valueFrom);
      return reference === undefined ? [] : [valueFrom === pinnedReference(release, reference)];
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
    return reference === undefined ? secret : { ...secret, valueFrom: pinnedReference(release, reference) };
  });
  return { ...container, secrets };
}

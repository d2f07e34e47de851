import { type DeployHookSpec, hookId } from '../rollout/hook-spec.ts';
import type { HookTarget } from '../rollout/ports.ts';
import type { ManifestObject } from './documents.ts';
import { atKey, error, isError, type Problem, toProblem, toRemark } from './finding.ts';
import type { HookKind } from './hook-kinds.ts';
import { HOOK_EXAMPLES, hookDocument, type HookFields } from './hook-shape.ts';
import { at } from './located.ts';
import { DEFAULT_NAMESPACE, metadataProblems } from './metadata.ts';
import { readEndpoints } from './read-endpoints.ts';
import { readPolicy } from './read-policy.ts';
import { reading, type Reading } from './reading.ts';
import { shape } from './shape.ts';
import { emptyFieldProblems, withoutNulls } from './without-nulls.ts';

/** Which certificates a hook is for, in its own namespace. */
export type Selection = { readonly names: readonly string[] } | { readonly labels: Readonly<Record<string, string>> };

export interface HookReading extends Reading<DeployHookSpec> {
  readonly selection: Selection | undefined;
}

const MAXIMUM_TARGETS = 500;

/** Room in an item of the inventory, which ends at 400 KB. */
const MAXIMUM_CHARACTERS = 200_000;

/** One DeployHook document. What its target is, the plug-in alone knows. */
export function readHook(object: ManifestObject, kinds: readonly HookKind[]): HookReading {
  const located = at(object.node, ['spec']);
  const empty = located === undefined ? [] : emptyFieldProblems(located, ['spec']);
  const schema = hookDocument(kinds.map(({ kind }) => kind));
  const { output, problems } = shape(schema, withoutNulls(object.node), { examples: HOOK_EXAMPLES });
  if (output === undefined) return { value: undefined, problems: [...empty, ...problems], selection: undefined };

  const { metadata, spec } = output;
  const fields: HookFields & Readonly<Record<string, unknown>> = spec;
  const selection = readSelection(fields);
  const policy = readPolicy(fields);
  const endpoints = readEndpoints(fields.endpoints);
  const target = readTarget(fields, kinds);
  const said = [
    ...empty,
    ...problems,
    ...metadataProblems(metadata),
    ...[selection, policy, endpoints, target].flatMap((part) => part.problems),
  ];
  const value =
    metadata.name === undefined ||
    policy.value === undefined ||
    endpoints.value === undefined ||
    target.value === undefined ||
    said.some(isError)
      ? undefined
      : {
          id: hookId.parse(`${metadata.namespace ?? DEFAULT_NAMESPACE}/${metadata.name}`),
          ...policy.value,
          ...target.value,
          endpoints: endpoints.value.map(({ alpn, ...rest }) => ({
            ...rest,
            ...(alpn === undefined ? {} : { alpn: [...alpn] }),
          })),
        };
  return { value, problems: said, selection: selection.value };
}

function readSelection({ certificateNames, selector }: HookFields): Reading<Selection | undefined> {
  if (certificateNames !== undefined && selector !== undefined) {
    const message = '`certificateNames` and `selector` cannot both be set.';
    return reading(undefined, [atKey(error('Exclusive', ['spec', 'selector'], message, 'Keep one of them.'))]);
  }
  if (certificateNames !== undefined) {
    if (certificateNames.length > 0) return reading({ names: certificateNames }, []);
    const message = '`certificateNames` is empty.';
    return reading(undefined, [error('MissingField', ['spec', 'certificateNames'], message, 'Name one at least.')]);
  }
  if (selector !== undefined && Object.keys(selector.matchLabels).length > 0) {
    return reading({ labels: selector.matchLabels }, []);
  }
  const message = 'The hook does not say which certificates it deploys.';
  const remedy = 'Add `certificateNames: [orders]`, or `selector: { matchLabels: { team: shop } }`.';
  const path = selector === undefined ? ['spec'] : ['spec', 'selector'];
  return reading(undefined, [atKey(error('MissingField', path, message, remedy))]);
}

type TargetReading = Reading<Pick<DeployHookSpec, 'plugin' | 'targets'>>;

function readTarget(fields: Readonly<Record<string, unknown>>, kinds: readonly HookKind[]): TargetReading {
  const given = kinds.filter(({ kind }) => fields[kind] !== undefined);
  const [plugin, second] = given;
  const nothing = { plugin: '', targets: [] };
  if (plugin === undefined) {
    const known = kinds.map(({ kind }) => `\`${kind}\``).join(', ');
    const message = 'The hook does not say where it deploys to.';
    return reading(nothing, [atKey(error('MissingField', ['spec'], message, `Add one of: ${known}.`))]);
  }
  if (second !== undefined) {
    const message = `\`${plugin.kind}\` and \`${second.kind}\` cannot both be set.`;
    const remedy = 'Write a document for each; `order` says which goes first.';
    return reading(nothing, [atKey(error('Exclusive', ['spec', second.kind], message, remedy))]);
  }
  const path = ['spec', plugin.kind];
  const parsed = plugin.parse(fields[plugin.kind], path);
  if (!parsed.ok) {
    const objections = parsed.objections.map((objection) => toProblem(objection, 'InvalidHook'));
    return reading(nothing, objections);
  }
  const remarks = (parsed.remarks ?? []).map((remark) => toRemark(remark, 'HookRemark'));
  const targets = parsed.options.map(({ name, options }) => ({ name, options }));
  return reading({ plugin: plugin.kind, targets }, [...remarks, ...targetProblems(parsed.options, path)]);
}

function targetProblems(targets: readonly HookTarget<unknown>[], path: readonly string[]): readonly Problem[] {
  const split = 'Write several documents.';
  if (targets.length > MAXIMUM_TARGETS) {
    const message = `The hook has ${targets.length} targets; ${MAXIMUM_TARGETS} is the most of one document.`;
    return [atKey(error('OutOfRange', path, message, split))];
  }
  if (JSON.stringify(targets).length <= MAXIMUM_CHARACTERS) return [];
  return [atKey(error('OutOfRange', path, 'The hook says more of its targets than one record holds.', split))];
}

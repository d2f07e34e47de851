import * as z from 'zod/mini';
import { at, type Located } from './located.ts';
import { atKey, error, warning, type Problem } from './finding.ts';
import { showValue } from './show-value.ts';

/** Set by an API server or by what stands behind it: a manifest taken from a cluster carries them, and nobody meant them. */
const SERVER_SIDE = z.optional(z.unknown());

export const metadataShape = z.strictObject({
  name: z.optional(z.string()),
  namespace: z.optional(z.string()),
  labels: z.optional(z.record(z.string(), z.string())),
  annotations: z.optional(z.record(z.string(), z.string())),
  generateName: z.optional(z.string()),
  uid: SERVER_SIDE,
  resourceVersion: SERVER_SIDE,
  generation: SERVER_SIDE,
  creationTimestamp: SERVER_SIDE,
  deletionTimestamp: SERVER_SIDE,
  deletionGracePeriodSeconds: SERVER_SIDE,
  finalizers: SERVER_SIDE,
  managedFields: SERVER_SIDE,
  ownerReferences: SERVER_SIDE,
  selfLink: SERVER_SIDE,
});
export type Metadata = z.infer<typeof metadataShape>;

export const DEFAULT_NAMESPACE = 'default';

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const LABEL_KEY = /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/;

/** Kubernetes' names of objects (RFC 1123 subdomains): what Secrets Manager takes as part of a name, too. */
export const isObjectName = (name: string): boolean =>
  name.length <= 253 && name.split('.').every((label) => /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(label));

const OBJECT_NAME_REMEDY = 'Use lower-case letters, digits, hyphens and dots; begin and end with a letter or digit.';

export function metadataProblems(metadata: Metadata): Problem[] {
  return [...nameProblems(metadata), ...namespaceProblems(metadata), ...labelProblems(metadata)];
}

function nameProblems({ name, generateName }: Metadata): Problem[] {
  const path = ['metadata', 'name'];
  if (name === undefined) {
    if (generateName === undefined) {
      return [error('MissingField', path, '`metadata.name` is missing.', 'Add it, as in `name: orders`.')];
    }
    const message = '`metadata.generateName` gives an object another name each time.';
    return [
      atKey(
        error('GenerateName', ['metadata', 'generateName'], message, 'Write `name:` with the name it should keep.'),
      ),
    ];
  }
  if (isObjectName(name)) return [];
  return [error('InvalidName', path, `${showValue(name)} cannot be a name.`, OBJECT_NAME_REMEDY)];
}

function namespaceProblems({ namespace }: Metadata): Problem[] {
  if (namespace === undefined || LABEL.test(namespace)) return [];
  const remedy = 'Use at most 63 lower-case letters, digits and inner hyphens.';
  return [error('InvalidName', ['metadata', 'namespace'], `${showValue(namespace)} cannot be a namespace.`, remedy)];
}

function labelProblems({ labels = {} }: Metadata): Problem[] {
  return Object.entries(labels).flatMap(([key, value]) => {
    const path = ['metadata', 'labels', key];
    if (!LABEL_KEY.test(key)) {
      const remedy = 'Write `name` or `prefix.example/name`, of letters, digits, dots, hyphens and underscores.';
      return [atKey(error('InvalidLabel', path, `${showValue(key)} cannot be the name of a label.`, remedy))];
    }
    if (LABEL_VALUE.test(value)) return [];
    const remedy = 'Use at most 63 letters, digits, dots, hyphens and underscores, or move it to `annotations`.';
    return [error('InvalidLabel', path, `${showValue(value)} cannot be the value of a label.`, remedy)];
  });
}

/** One object among those of its kind. */
export interface Identity {
  readonly namespace: string;
  readonly name: string;
}

/** What an object calls itself, however wrong the rest of it is; undefined when it has no usable name. */
export function identityOf(root: Located): Identity | undefined {
  const name = at(root, ['metadata', 'name'])?.value;
  const namespace = at(root, ['metadata', 'namespace'])?.value ?? DEFAULT_NAMESPACE;
  if (typeof name !== 'string' || typeof namespace !== 'string') return undefined;
  return isObjectName(name) && LABEL.test(namespace) ? { namespace, name } : undefined;
}

/** For kinds that belong to the whole cluster. Charts write the namespace all the same, and a cluster ignores it. */
export function strayNamespaceProblems({ namespace }: Metadata, kind: string): Problem[] {
  if (namespace === undefined) return [];
  const message = `\`metadata.namespace\` is ignored: a ${kind} belongs to every namespace.`;
  return [warning('NoMeaningHere', ['metadata', 'namespace'], message, 'Remove the line.')];
}

import * as z from 'zod/mini';
import type { IssuerRef, IssuerSpec } from '../certificate.ts';
import type { IssuerDocumentKind, IssuerSecret } from '../ports.ts';
import type { ManifestObject } from './documents.ts';
import type { FilesBeside } from './files-beside.ts';
import { isError, toProblem, toRemark } from './finding.ts';
import type { IssuerKind } from './issuer-kinds.ts';
import { at } from './located.ts';
import { DEFAULT_NAMESPACE, metadataProblems, metadataShape, strayNamespaceProblems } from './metadata.ts';
import { readOrderLimit } from './read-order-limit.ts';
import type { Reading } from './reading.ts';
import { shape } from './shape.ts';
import { emptyFieldProblems, withoutNulls } from './without-nulls.ts';

const issuerDocument = z.strictObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: metadataShape,
  spec: z.record(z.string(), z.unknown()),
  status: z.optional(z.unknown()),
});

const EXAMPLES = { metadata: 'metadata: { name: internal }', spec: 'spec: { arn: … }' };

export interface IssuerReading extends Reading<IssuerSpec> {
  readonly secrets?: readonly IssuerSecret[];
}

/** One issuer document. The plug-in alone knows what its `spec` means. */
export function readIssuer(
  object: ManifestObject,
  plugin: IssuerKind,
  document: IssuerDocumentKind,
  files: FilesBeside,
): IssuerReading {
  const located = at(object.node, ['spec']);
  const empty = located === undefined ? [] : emptyFieldProblems(located, ['spec']);
  const { output, problems } = shape(issuerDocument, withoutNulls(object.node), { examples: EXAMPLES });
  if (output === undefined) return { value: undefined, problems: [...empty, ...problems] };

  const { metadata, spec } = output;
  const namespace = document.scope === 'Namespaced' ? (metadata.namespace ?? DEFAULT_NAMESPACE) : undefined;
  const annotations = metadata.annotations ?? {};
  const parsed = plugin.parse({ spec, namespace, annotations, fileBeside: files.read });
  const objections = parsed.ok
    ? (parsed.remarks ?? []).map((remark) => toRemark(remark, 'IssuerRemark'))
    : parsed.objections.map((objection) => toProblem(objection, 'InvalidIssuer'));
  const orderLimit = readOrderLimit(annotations, plugin.orderLimit);
  const said = [
    ...empty,
    ...problems,
    ...metadataProblems(metadata),
    ...orderLimit.problems,
    ...(document.scope === 'Cluster' ? strayNamespaceProblems(metadata, document.kind) : []),
    ...objections.map(files.explain),
  ];
  if (!parsed.ok || metadata.name === undefined || said.some(isError)) return { value: undefined, problems: said };
  const { group, kind } = document;
  const ref: IssuerRef = { group, kind, name: metadata.name, ...(namespace === undefined ? {} : { namespace }) };
  const value = {
    ref,
    plugin: plugin.kind,
    options: parsed.options,
    ...(orderLimit.value === undefined ? {} : { orderLimit: orderLimit.value }),
  };
  return { value, problems: said, ...(parsed.secrets === undefined ? {} : { secrets: parsed.secrets }) };
}

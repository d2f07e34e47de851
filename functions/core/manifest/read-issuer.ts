import * as z from 'zod/mini';
import type { IssuerRef, IssuerSpec } from '../certificate.ts';
import type { IssuerDocumentKind } from '../ports.ts';
import type { ManifestObject } from './documents.ts';
import { isError, toProblem } from './finding.ts';
import type { IssuerKind } from './kinds.ts';
import { at } from './located.ts';
import { DEFAULT_NAMESPACE, metadataProblems, metadataShape, strayNamespaceProblems } from './metadata.ts';
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

/** One issuer document. The plug-in alone knows what its `spec` means. */
export function readIssuer(
  object: ManifestObject,
  plugin: IssuerKind,
  document: IssuerDocumentKind,
): Reading<IssuerSpec> {
  const located = at(object.node, ['spec']);
  const empty = located === undefined ? [] : emptyFieldProblems(located, ['spec']);
  const { output, problems } = shape(issuerDocument, withoutNulls(object.node), { examples: EXAMPLES });
  if (output === undefined) return { value: undefined, problems: [...empty, ...problems] };

  const { metadata, spec } = output;
  const parsed = plugin.parse(spec);
  const objections = parsed.ok ? [] : parsed.objections;
  const said = [
    ...empty,
    ...problems,
    ...metadataProblems(metadata),
    ...(document.scope === 'Cluster' ? strayNamespaceProblems(metadata, document.kind) : []),
    ...objections.map((objection) => toProblem(objection, 'InvalidIssuer')),
  ];
  if (!parsed.ok || metadata.name === undefined || said.some(isError)) return { value: undefined, problems: said };
  const ref: IssuerRef = {
    group: document.group,
    kind: document.kind,
    name: metadata.name,
    ...(document.scope === 'Namespaced' ? { namespace: metadata.namespace ?? DEFAULT_NAMESPACE } : {}),
  };
  return { value: { ref, plugin: plugin.kind, options: parsed.options }, problems: said };
}

import type * as z from 'zod/mini';
import { certificateId, issuerRef, type CertificateSpec, type IssuerRef } from '../certificate.ts';
import {
  CERTIFICATE_EXAMPLES,
  certificateDocument,
  type CertificateFields,
  issuerRefShape,
} from './certificate-shape.ts';
import type { ManifestObject } from './documents.ts';
import { warning, type Problem } from './finding.ts';
import { at } from './located.ts';
import { DEFAULT_NAMESPACE, type Identity, metadataProblems, type Metadata } from './metadata.ts';
import { readLifetime } from './read-lifetime.ts';
import { readNames } from './read-names.ts';
import { readOutputFormats } from './read-output-formats.ts';
import { readPrivateKey } from './read-private-key.ts';
import { readSecretName } from './read-secret-name.ts';
import { signatureProblems } from './read-signature.ts';
import { readSubject } from './read-subject.ts';
import { readUsages } from './read-usages.ts';
import type { Reading } from './reading.ts';
import { shape } from './shape.ts';
import { unsupportedFieldProblems } from './unsupported-fields.ts';
import { emptyFieldProblems, withoutNulls } from './without-nulls.ts';

/** Where cert-manager's own issuers are, which a reference means when it says nothing else. */
export const CERT_MANAGER_GROUP = 'cert-manager.io';
const DEFAULT_ISSUER_KIND = 'Issuer';

/**
 * One Certificate document, with cert-manager's defaults filled in. Its reference has the certificate's namespace; whether
 * the issuer's kind has namespaces at all is for the caller to say.
 */
export function readCertificate(object: ManifestObject): Reading<CertificateSpec> {
  const spec = at(object.node, ['spec']);
  const empty = spec === undefined ? [] : emptyFieldProblems(spec, ['spec']);
  const { output, problems } = shape(certificateDocument, withoutNulls(object.node), {
    examples: CERTIFICATE_EXAMPLES,
  });
  if (output === undefined) return { value: undefined, problems: [...empty, ...problems] };
  const read = readFields(output.metadata, output.spec);
  // With a field misspelt, a missing name is most likely that one's fault.
  const said = problems.length === 0 ? read.problems : read.problems.filter(({ code }) => code !== 'NoNames');
  return { value: read.value, problems: [...empty, ...problems, ...annotationProblems(output.metadata), ...said] };
}

function readFields(metadata: Metadata, fields: CertificateFields): Reading<CertificateSpec> {
  const aboutMetadata = metadataProblems(metadata);
  const secretName = readSecretName(fields);
  const names = readNames(fields);
  const subject = readSubject(fields);
  const privateKey = readPrivateKey(fields);
  const usages = readUsages(fields);
  const lifetime = readLifetime(fields);
  const outputFormats = readOutputFormats(fields);
  const problems = [
    ...aboutMetadata,
    ...[secretName, names, subject, privateKey, usages, lifetime, outputFormats].flatMap((part) => part.problems),
    ...signatureProblems(fields),
    ...unsupportedFieldProblems(fields),
  ];
  if (
    aboutMetadata.length > 0 ||
    secretName.value === undefined ||
    names.value === undefined ||
    subject.value === undefined ||
    privateKey.value === undefined ||
    usages.value === undefined ||
    lifetime.value === undefined ||
    outputFormats.value === undefined
  ) {
    return { value: undefined, problems };
  }
  const namespace = metadata.namespace ?? DEFAULT_NAMESPACE;
  const spec: CertificateSpec = {
    id: certificateId.parse(`${namespace}/${metadata.name}`),
    secretName: secretName.value,
    issuerRef: referenceOf(fields.issuerRef, namespace),
    ...names.value,
    subject: subject.value,
    privateKey: privateKey.value,
    usages: usages.value,
    ...lifetime.value,
    ...outputFormats.value,
    labels: metadata.labels ?? {},
  };
  return { value: spec, problems };
}

/** Whom a certificate refers to, whatever else is wrong with it; undefined when the reference itself is. */
export function referenceIn({ node }: ManifestObject, { namespace }: Identity): IssuerRef | undefined {
  const found = at(node, ['spec', 'issuerRef']);
  const reference = found === undefined ? undefined : issuerRefShape.safeParse(withoutNulls(found)).data;
  return reference === undefined ? undefined : referenceOf(reference, namespace);
}

function referenceOf({ name, kind = '', group = '' }: z.infer<typeof issuerRefShape>, namespace: string): IssuerRef {
  return issuerRef.parse({
    // Empty text is Go's way to leave a field out.
    group: group === '' ? CERT_MANAGER_GROUP : group,
    kind: kind === '' ? DEFAULT_ISSUER_KIND : kind,
    name,
    namespace,
  });
}

/** Annotations are other people's notes, but this one changes what cert-manager does. */
function annotationProblems({ annotations = {} }: Metadata): Problem[] {
  const annotation = 'cert-manager.io/issue-temporary-certificate';
  if (annotations[annotation] === undefined) return [];
  const message = 'No temporary self-signed certificate is stored while the real one is being issued.';
  const remedy = 'Remove the annotation, and let consumers wait for the secret.';
  return [warning('NoMeaningHere', ['metadata', 'annotations', annotation], message, remedy)];
}

import * as z from 'zod/mini';
import { OUTPUT_FORMATS, USAGES } from '../certificate.ts';
import { metadataShape } from './metadata.ts';

const texts = z.optional(z.array(z.string()));
const text = z.optional(z.string());

/** Known to cert-manager and declined whole: `certificate-fields.ts` says why. */
const elsewhere = z.optional(z.unknown());

export const issuerRefShape = z.strictObject({ name: z.string(), kind: text, group: text });

/** The fields of a Certificate's `spec`, as cert-manager's custom resource definition types them. */
const certificateFields = z.strictObject({
  secretName: z.string(),
  issuerRef: issuerRefShape,
  commonName: text,
  subject: z.optional(
    z.strictObject({
      organizations: texts,
      countries: texts,
      organizationalUnits: texts,
      localities: texts,
      provinces: texts,
      streetAddresses: texts,
      postalCodes: texts,
      serialNumber: text,
    }),
  ),
  dnsNames: texts,
  ipAddresses: texts,
  uris: texts,
  emailAddresses: texts,
  privateKey: z.optional(
    z.strictObject({
      algorithm: z.optional(z.enum(['RSA', 'ECDSA', 'Ed25519'])),
      size: z.optional(z.int()),
      encoding: z.optional(z.enum(['PKCS1', 'PKCS8'])),
      rotationPolicy: z.optional(z.enum(['Always', 'Never'])),
    }),
  ),
  usages: z.optional(z.array(z.enum(USAGES))),
  duration: text,
  renewBefore: text,
  renewBeforePercentage: z.optional(z.int()),
  revisionHistoryLimit: z.optional(z.int().check(z.minimum(1))),
  isCA: z.optional(z.boolean()),
  literalSubject: elsewhere,
  otherNames: elsewhere,
  keystores: elsewhere,
  additionalOutputFormats: z.optional(z.array(z.strictObject({ type: z.enum(OUTPUT_FORMATS) }))),
  secretTemplate: elsewhere,
  nameConstraints: elsewhere,
  encodeUsagesInRequest: z.optional(z.boolean()),
  signatureAlgorithm: text,
  renewal: elsewhere,
});
export type CertificateFields = z.infer<typeof certificateFields>;

export const certificateDocument = z.strictObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: metadataShape,
  spec: certificateFields,
  status: z.optional(z.unknown()),
});

/** How a missing field could look. */
export const CERTIFICATE_EXAMPLES: Readonly<Record<string, string>> = {
  metadata: 'metadata: { name: orders }',
  spec: 'spec: { secretName: orders-tls, … }',
  'spec.secretName': 'secretName: orders-tls',
  'spec.issuerRef': 'issuerRef: { group: awspca.cert-manager.io, kind: AWSPCAClusterIssuer, name: internal }',
  'spec.issuerRef.name': 'name: internal',
};

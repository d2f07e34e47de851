import * as z from 'zod/mini';
import { orderLimit } from './order-limit.ts';
import { deployHookSpec, hookRef } from './rollout/hook-spec.ts';
import { instant } from './time.ts';

/** `namespace/name`, as cert-manager knows it. */
export type CertificateId = z.infer<typeof certificateId>;
export const certificateId = z
  .string()
  .check(z.regex(/^[a-z0-9][a-z0-9.-]*\/[a-z0-9][a-z0-9.-]*$/))
  .brand<'CertificateId'>();

/** One try at replacing a certificate: a UUID, which also names the staged key's version in the store. */
export type AttemptId = z.infer<typeof attemptId>;
export const attemptId = z.uuid().brand<'AttemptId'>();

/** A version of a secret, as the store names it. */
export type VersionId = z.infer<typeof versionId>;
export const versionId = z.string().check(z.minLength(1), z.maxLength(64)).brand<'VersionId'>();

/** Which issuer document signs. `namespace` is absent for cluster-scoped kinds. */
export type IssuerRef = z.infer<typeof issuerRef>;
export const issuerRef = z.object({
  group: z.string(),
  kind: z.string(),
  name: z.string(),
  namespace: z.optional(z.string()),
});

/** One text for one issuer: `group/Kind/namespace/name`, or `group/Kind/name` for cluster-scoped kinds. */
export type IssuerId = z.infer<typeof issuerId>;
export const issuerId = z.string().check(z.minLength(1)).brand<'IssuerId'>();

export function issuerIdOf(ref: IssuerRef): IssuerId {
  const path = ref.namespace === undefined ? ref.name : `${ref.namespace}/${ref.name}`;
  return issuerId.parse(`${ref.group}/${ref.kind}/${path}`);
}

/** Subject attributes beside the common name (RFC 5280 §4.1.2.6), in cert-manager's spelling. */
export const subjectAttributes = z.object({
  organizations: z.optional(z.array(z.string())),
  countries: z.optional(z.array(z.string())),
  organizationalUnits: z.optional(z.array(z.string())),
  localities: z.optional(z.array(z.string())),
  provinces: z.optional(z.array(z.string())),
  streetAddresses: z.optional(z.array(z.string())),
  postalCodes: z.optional(z.array(z.string())),
  serialNumber: z.optional(z.string()),
});
export type SubjectAttributes = z.infer<typeof subjectAttributes>;

export const privateKeySpec = z.discriminatedUnion('algorithm', [
  z.object({ algorithm: z.literal('RSA'), sizeBits: z.union([z.literal(2048), z.literal(3072), z.literal(4096)]) }),
  z.object({ algorithm: z.literal('ECDSA'), sizeBits: z.union([z.literal(256), z.literal(384), z.literal(521)]) }),
]);
export type PrivateKeySpec = z.infer<typeof privateKeySpec>;

/** cert-manager's names for key usages and extended key usages (`KeyUsage` in its API). */
export const USAGES = [
  'signing',
  'digital signature',
  'content commitment',
  'key encipherment',
  'key agreement',
  'data encipherment',
  'cert sign',
  'crl sign',
  'encipher only',
  'decipher only',
  'any',
  'server auth',
  'client auth',
  'code signing',
  'email protection',
  's/mime',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'timestamping',
  'ocsp signing',
  'microsoft sgc',
  'netscape sgc',
] as const;
export type Usage = (typeof USAGES)[number];

/** RFC 5280 §5.3.1, as far as a subscriber may say so (Baseline Requirements 4.9.1.1). */
export const REVOCATION_REASONS = [
  'unspecified',
  'keyCompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
] as const;
export const revocationReason = z.enum(REVOCATION_REASONS);
export type RevocationReason = z.infer<typeof revocationReason>;

/** Forms beside PEM in which a bundle may hold its key, by cert-manager's names. */
export const OUTPUT_FORMATS = ['CombinedPEM', 'DER'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** When a person wants the renewal: so long before expiry, or when so much of the lifetime is left. */
export const renewBefore = z.union([z.object({ seconds: z.number() }), z.object({ percentage: z.number() })]);
export type RenewBefore = z.infer<typeof renewBefore>;

/** What the manifest asks for, with cert-manager's defaults filled in. The desired state of one certificate. */
export const certificateSpec = z.object({
  id: certificateId,
  secretName: z.string(),
  issuerRef,
  commonName: z.optional(z.string()),
  subject: subjectAttributes,
  dnsNames: z.array(z.string()),
  ipAddresses: z.array(z.string()),
  uris: z.array(z.string()),
  emailAddresses: z.array(z.string()),
  privateKey: privateKeySpec,
  usages: z.array(z.enum(USAGES)),
  durationSeconds: z.number(),
  renewBefore: z.optional(renewBefore),
  /** Absent where none is asked for. */
  outputFormats: z.optional(z.array(z.enum(OUTPUT_FORMATS))),
  labels: z.record(z.string(), z.string()),
  /** The DeployHooks that bring it to where it is served, each as of what it said. Absent where there are none. */
  hooks: z.optional(z.array(hookRef)),
});
export type CertificateSpec = z.infer<typeof certificateSpec>;

/** An issuer document, its `options` as its plug-in parsed them. */
export const issuerSpec = z.object({
  ref: issuerRef,
  plugin: z.string(),
  options: z.unknown(),
  /** Absent: as many as there are. */
  orderLimit: z.optional(orderLimit),
});
export type IssuerSpec = z.infer<typeof issuerSpec>;

/** The desired state of one deployment: what the folder of manifests says. */
export const manifest = z.object({
  certificates: z.array(certificateSpec),
  issuers: z.array(issuerSpec),
  hooks: z.optional(z.array(deployHookSpec)),
});
export type Manifest = z.infer<typeof manifest>;

/** What is worth remembering of a leaf (RFC 5280). Nothing secret. */
export const leafFacts = z.object({
  /** Upper-case hexadecimal, no separators. */
  serialNumber: z.string(),
  /** SHA-256 of the DER, lower-case hexadecimal, no separators: what a prober compares. */
  sha256Fingerprint: z.string(),
  notBefore: instant,
  notAfter: instant,
  /** Key identifier of whoever signed it (RFC 5280 §4.2.1.1), lower-case hexadecimal; absent where the leaf does not say. */
  authorityKeyId: z.optional(z.string()),
});
export type LeafFacts = z.infer<typeof leafFacts>;

/** What a CA answered, PEM each: the leaf, and what links it to an anchor. */
export interface IssuedChain {
  readonly leaf: string;
  readonly intermediates: readonly string[];
  /** Where the path has to end. `topOfChain`: no anchor is known, and the last certificate that the CA sent stands for one. */
  readonly trustAnchors: readonly string[] | 'topOfChain';
  /** How the CA knows who asked: what is told to it about this leaf later is told under this account. */
  readonly account?: string;
  /** True when the CA can be asked when it would like this leaf to be replaced. */
  readonly offersRenewalInfo?: boolean;
}

/** A chain that the gate let through. `trustAnchors` is empty where none is known. */
export interface VerifiedChain {
  readonly leaf: string;
  readonly intermediates: readonly string[];
  readonly trustAnchors: readonly string[];
}

import type { KeyObject } from 'node:crypto';
import { ExtendedKeyUsage, type Extension, KeyUsageFlags, type Name } from './x509.ts';

/** What a template adds to the subject, names and key of the request. */
export interface Template {
  readonly keyUsages: number;
  /** Object identifiers. */
  readonly purposes: readonly string[];
  readonly purposesAreCritical: boolean;
}

/** An end-entity certificate before it is signed. */
export interface LeafPlan extends Template {
  readonly subject: Name;
  /** As the request has it, with its criticality. */
  readonly subjectAltName: Extension | undefined;
  readonly publicKey: KeyObject;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly isCa: boolean;
  /** An impostor is a CA of the same names with other keys, up to another root. */
  readonly signedBy: 'authority' | 'impostor';
  readonly chain: 'complete' | 'root only';
}

const { serverAuth, clientAuth, codeSigning, ocspSigning } = ExtendedKeyUsage;
const SIGNATURE = KeyUsageFlags.digitalSignature;
const TLS = { keyUsages: SIGNATURE | KeyUsageFlags.keyEncipherment, purposesAreCritical: false };

/** "AWS Private CA template definitions" in its user guide, those without passthrough. */
const TEMPLATES: Readonly<Record<string, Template>> = {
  'EndEntityCertificate/V1': { ...TLS, purposes: [serverAuth, clientAuth] },
  'EndEntityServerAuthCertificate/V1': { ...TLS, purposes: [serverAuth] },
  'EndEntityClientAuthCertificate/V1': { ...TLS, purposes: [clientAuth] },
  'CodeSigningCertificate/V1': { keyUsages: SIGNATURE, purposes: [codeSigning], purposesAreCritical: true },
  'OCSPSigningCertificate/V1': { keyUsages: SIGNATURE, purposes: [ocspSigning], purposesAreCritical: true },
};

export function templateOf(arn: string): Template | undefined {
  const name = /^arn:aws[a-z-]*:acm-pca:::template\/(.+)$/.exec(arn)?.[1] ?? '';
  return Object.hasOwn(TEMPLATES, name) ? TEMPLATES[name] : undefined;
}

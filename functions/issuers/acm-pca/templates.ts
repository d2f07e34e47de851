import type { Usage } from '../../core/certificate.ts';
import { KEY_USAGE_BITS } from '../../core/x509/usages.ts';

/** What a template of AWS Private CA puts into a certificate, in cert-manager's words. */
interface Template {
  readonly name: string;
  readonly keyUsages: readonly Usage[];
  readonly extendedKeyUsages: readonly Usage[];
}

/** cert-manager knows the digital signature under two names. */
const SIGNATURE: readonly Usage[] = ['digital signature', 'signing'];
const SIGNATURE_AND_ENCIPHERMENT: readonly Usage[] = [...SIGNATURE, 'key encipherment'];

/** "AWS Private CA template definitions" in its user guide. The first is what AWS takes by default. */
const TEMPLATES: readonly Template[] = [
  {
    name: 'EndEntityCertificate/V1',
    keyUsages: SIGNATURE_AND_ENCIPHERMENT,
    extendedKeyUsages: ['server auth', 'client auth'],
  },
  {
    name: 'EndEntityServerAuthCertificate/V1',
    keyUsages: SIGNATURE_AND_ENCIPHERMENT,
    extendedKeyUsages: ['server auth'],
  },
  {
    name: 'EndEntityClientAuthCertificate/V1',
    keyUsages: SIGNATURE_AND_ENCIPHERMENT,
    extendedKeyUsages: ['client auth'],
  },
  { name: 'CodeSigningCertificate/V1', keyUsages: SIGNATURE, extendedKeyUsages: ['code signing'] },
  { name: 'OCSPSigningCertificate/V1', keyUsages: SIGNATURE, extendedKeyUsages: ['ocsp signing'] },
];

const isKeyUsage = (usage: Usage): boolean => KEY_USAGE_BITS[usage] !== undefined;

/**
 * The ARN of the template that gives what is asked, in the CA's own partition; undefined when none does. Without extended
 * key usages it is AWS's default, which serves servers and clients. Templates that copy usages from the request exist, and
 * CAs refuse them by policy more often than not.
 */
export function templateFor(usages: readonly Usage[], certificateAuthorityArn: string): string | undefined {
  const template = fitting(usages);
  const partition = certificateAuthorityArn.split(':')[1] ?? 'aws';
  return template === undefined ? undefined : `arn:${partition}:acm-pca:::template/${template.name}`;
}

function fitting(usages: readonly Usage[]): Template | undefined {
  const extended = new Set(usages.filter((usage) => !isKeyUsage(usage)));
  const candidate = TEMPLATES.find(
    ({ name, extendedKeyUsages }) =>
      (extended.size === 0 && name === 'EndEntityCertificate/V1') ||
      (extended.size === extendedKeyUsages.length && extendedKeyUsages.every((usage) => extended.has(usage))),
  );
  return candidate !== undefined && usages.every((usage) => extended.has(usage) || candidate.keyUsages.includes(usage))
    ? candidate
    : undefined;
}

/** The first usage that keeps every template from fitting; undefined when one fits. */
export function usageInTheWay(usages: readonly Usage[]): number | undefined {
  if (fitting(usages) !== undefined) return undefined;
  // Taken up one by one: the first with which nothing fits any more.
  return usages.findIndex((_, index) => fitting(usages.slice(0, index + 1)) === undefined);
}

import type { CertificateFields } from './certificate-shape.ts';
import { error, type Problem } from './finding.ts';
import { suggest } from './nearest.ts';
import { showValue } from './show-value.ts';

/** cert-manager's names by the kind of key they go with; requests are signed with the first of each. */
const ALGORITHMS = {
  RSA: ['SHA256WithRSA', 'SHA384WithRSA', 'SHA512WithRSA'],
  ECDSA: ['ECDSAWithSHA256', 'ECDSAWithSHA384', 'ECDSAWithSHA512'],
  Ed25519: ['PureEd25519'],
} as const;

const BROKEN_HASH = /sha-?1(?!\d)|md[245]/i;

/** What signs the request, not the certificate: that is the CA's to choose, here as in cert-manager. */
export function signatureProblems({ signatureAlgorithm: wanted = '', privateKey }: CertificateFields): Problem[] {
  // Empty text is Go's way to leave a field out.
  if (wanted === '') return [];
  const path = ['spec', 'signatureAlgorithm'];
  const key = privateKey?.algorithm ?? 'RSA';
  const fitting: readonly string[] = ALGORITHMS[key];
  const [used] = ALGORITHMS[key];
  if (BROKEN_HASH.test(wanted)) {
    const message = `${showValue(wanted)} has a hash that is broken: signatures made with it can be forged.`;
    return [error('WeakSignature', path, message, `Write \`${used}\`, or remove the line.`)];
  }
  const known: readonly string[] = Object.values(ALGORITHMS).flat();
  if (!known.includes(wanted)) {
    const message = `\`spec.signatureAlgorithm\` cannot be ${showValue(wanted)}.`;
    return [error('UnknownValue', path, message, suggest(wanted, known, 'value'))];
  }
  if (!fitting.includes(wanted)) {
    const message = `${showValue(wanted)} cannot be made with a key of kind ${key}.`;
    return [error('SignatureMismatch', path, message, `Write \`${used}\`, or remove the line.`)];
  }
  if (wanted === used) return [];
  const message = `Requests are signed with SHA-256 here, not as ${showValue(wanted)} says.`;
  const remedy = `Write \`${used}\`, or remove the line: the CA chooses what signs the certificate.`;
  return [error('NotSupportedYet', path, message, remedy)];
}

import type { CertificateFields } from './certificate-shape.ts';
import { error, warning } from './finding.ts';
import { isObjectName } from './metadata.ts';
import { reading, type Reading } from './reading.ts';
import { showValue } from './show-value.ts';

/** How Secrets Manager ends the ARNs that it makes of names. */
const LOOKS_LIKE_AN_ARN_SUFFIX = /-[A-Za-z0-9]{6}$/;

/**
 * A Kubernetes object name, as cert-manager demands: within what Secrets Manager takes, and without the slash that would let
 * one namespace reach into another.
 */
export function readSecretName({ secretName }: CertificateFields): Reading<string> {
  const path = ['spec', 'secretName'];
  if (!isObjectName(secretName)) {
    const message = `${showValue(secretName)} cannot be a secret's name.`;
    const remedy =
      'Use lower-case letters, digits, hyphens and dots, no slash: prefix and namespace are put in front of it.';
    return reading(secretName, [error('InvalidName', path, message, remedy)]);
  }
  if (!LOOKS_LIKE_AN_ARN_SUFFIX.test(secretName)) return reading(secretName, []);
  const message = `${showValue(secretName)} ends in a hyphen and six characters, as the ARNs of Secrets Manager do: partial ARNs and policies with wildcards may match another secret.`;
  const remedy = `Choose another ending, such as \`${secretName.slice(0, -7)}-tls\`.`;
  return reading(secretName, [warning('AmbiguousSecretName', path, message, remedy)]);
}

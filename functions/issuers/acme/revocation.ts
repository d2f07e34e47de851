import { X509Certificate } from 'node:crypto';
import type { RevocationReason } from '../../core/certificate.ts';
import { PermanentError } from '../../core/errors.ts';
import type { Revocation } from '../../core/ports.ts';
import type { AcmeClient } from './client.ts';
import { problemType } from './problems.ts';

/** CRLReason of RFC 5280 §5.3.1. */
const REASON_CODES: Readonly<Record<RevocationReason, number>> = {
  unspecified: 0,
  keyCompromise: 1,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
};

/** RFC 8555 §7.6. `client` signs as the account, or with the certificate's own key. */
export async function revokeCertificate(
  client: AcmeClient,
  { certificate, reason }: Revocation,
  signedBy: 'account' | 'certificateKey',
): Promise<void> {
  const { revokeCert } = await client.directory();
  if (revokeCert === undefined)
    throw new PermanentError('RevocationUnsupported', 'the CA offers no revocation by ACME');
  const payload = {
    certificate: new X509Certificate(certificate).raw.toString('base64url'),
    reason: REASON_CODES[reason],
  };
  const doing = 'revoking a certificate';
  try {
    if (signedBy === 'account') await client.post(revokeCert, payload, doing);
    else await client.postByKey(revokeCert, payload, doing);
  } catch (error) {
    if (problemType(error) !== 'alreadyRevoked') throw error;
  }
}

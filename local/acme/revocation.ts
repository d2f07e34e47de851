import { createPublicKey } from 'node:crypto';
import * as z from 'zod/mini';
import type { Authorizations } from './authorizations.ts';
import type { Certificate, Certificates, Revocation } from './certificates.ts';
import type { AcmeAnswer } from './exchange.ts';
import { base64url } from './jws.ts';
import { AcmeProblem, malformed, unauthorized } from './problems.ts';
import { read, type SignedRequest } from './signed-request.ts';
import { X509Certificate } from '../pca/x509.ts';

/** Of RFC 5280, section 5.3.1, those that the CA/Browser Forum lets subscribers choose. */
const REASONS = [0, 1, 3, 4, 5];

const revocation = z.object({ certificate: base64url, reason: z.optional(z.int()) });

/** RFC 8555, section 7.6. */
export function revoke(request: SignedRequest, certificates: Certificates, authorizations: Authorizations): AcmeAnswer {
  const { certificate, reason = 0 } = read(request, revocation);
  const found = find(certificates, Buffer.from(certificate, 'base64url'));
  const by = entitlement(request, found, authorizations);
  if (by === undefined) throw unauthorized('the certificate may not be revoked by this key');
  if (!REASONS.includes(reason)) {
    throw new AcmeProblem('badRevocationReason', `the reason ${reason} is not one of ${REASONS.join(', ')}`);
  }
  if (found.issued.revoked !== undefined) throw new AcmeProblem('alreadyRevoked', 'the certificate is revoked already');
  found.issued.revoked = { reason, by };
  return { status: 200, headers: {}, body: '' };
}

function find(certificates: Certificates, der: Buffer): Certificate {
  let serialNumber: string;
  try {
    ({ serialNumber } = new X509Certificate(der));
  } catch {
    throw malformed('what is to be revoked is no certificate');
  }
  const found = certificates.find(serialNumber);
  if (found === undefined || !der.equals(Buffer.from(found.leaf.rawData))) {
    throw malformed('the certificate is not one of this CA', 404);
  }
  return found;
}

function entitlement(
  { account, key }: SignedRequest,
  { leaf, issued, account: owner }: Certificate,
  authorizations: Authorizations,
): Revocation['by'] | undefined {
  if (account === undefined) {
    const spki = Buffer.from(leaf.publicKey.rawData);
    const isKey = createPublicKey({ key: spki, format: 'der', type: 'spki' }).equals(key.key);
    return isKey ? 'certificateKey' : undefined;
  }
  if (account === owner) return 'account';
  return issued.dnsNames.every((name) => authorizations.valid(account, name)) ? 'authorizations' : undefined;
}

import { AuthorityKeyIdentifierExtension, type X509Certificate } from '../pca/x509.ts';
import type { Certificates, IssuedLeaf } from './certificates.ts';
import { type AcmeAnswer, json } from './exchange.ts';
import { AcmeProblem, malformed } from './problems.ts';
import type { AcmeSettings } from './settings.ts';

const SECOND_MS = 1_000;
const HOUR_MS = 3_600 * SECOND_MS;
const TEN_DAYS_MS = 240 * HOUR_MS;
const RETRY_AFTER_SECONDS = 6 * 3_600;

/** Both hexadecimal, the serial number without the zero octet that keeps it positive. */
export interface CertId {
  readonly keyIdentifier: string;
  readonly serialNumber: string;
}

interface Window {
  readonly start: number;
  readonly end: number;
}

/** RFC 9773, section 4.1: the content of two DER fields. */
export function certIdOf(leaf: X509Certificate): string {
  const keyIdentifier = leaf.getExtension(AuthorityKeyIdentifierExtension)?.keyId ?? '';
  const { serialNumber } = leaf;
  const der = serialNumber >= '8' ? `00${serialNumber}` : serialNumber;
  return [keyIdentifier, der].map((hex) => Buffer.from(hex, 'hex').toString('base64url')).join('.');
}

export function parseCertId(certId: string): CertId {
  if (!/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/.test(certId)) throw malformed(`${certId} is no certID`);
  const [keyIdentifier = '', serialNumber = ''] = certId
    .split('.')
    .map((part) => Buffer.from(part, 'base64url').toString('hex'));
  return { keyIdentifier, serialNumber: serialNumber.replace(/^00(?=[89a-f])/, '') };
}

/** As Boulder: one per cent of the lifetime to either side of two thirds of it, or of the half under ten days. */
export function windowOf({ notBefore, notAfter, revoked }: IssuedLeaf, now: number): Window {
  // At once, and long before anybody asks again.
  if (revoked !== undefined) return { start: now - HOUR_MS, end: now - HOUR_MS / 2 };
  const lifetime = notAfter + SECOND_MS - notBefore;
  const ideal = notAfter - lifetime / (lifetime < TEN_DAYS_MS ? 2 : 3);
  return { start: ideal - lifetime / 100, end: ideal + lifetime / 100 };
}

/** RFC 9773, section 4: who asks need not say who they are. */
export function renewalInfo(
  certId: string,
  certificates: Certificates,
  settings: AcmeSettings,
  now: number,
): AcmeAnswer {
  const { keyIdentifier, serialNumber } = parseCertId(certId);
  const override = settings.renewalInfo?.(certId) ?? {};
  if (override.errorStatus !== undefined) {
    throw new AcmeProblem('serverInternal', 'renewal information is not to be had', { status: override.errorStatus });
  }
  const found = keyIdentifier === certificates.hierarchy.keyIdentifier ? certificates.find(serialNumber) : undefined;
  if (found === undefined) throw malformed(`${certId} is no certificate of this CA`, 404);
  const { start, end, explanationURL, retryAfterSeconds } = { ...windowOf(found.issued, now), ...override };
  const [from, to] = [start, end].map((instant) => new Date(instant).toISOString());
  return json(
    200,
    { suggestedWindow: { start: from, end: to }, explanationURL },
    { 'retry-after': String(retryAfterSeconds ?? RETRY_AFTER_SECONDS) },
  );
}

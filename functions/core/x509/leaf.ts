import { X509Certificate } from 'node:crypto';
import { AsnConvert } from '@peculiar/asn1-schema';
import {
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  ExtendedKeyUsage,
  KeyUsage,
  SubjectAlternativeName,
} from '@peculiar/asn1-x509';
import type { LeafFacts } from '../certificate.ts';
import type { Instant } from '../time.ts';
import { ID_AT_COMMON_NAME } from './subject.ts';

/** What a certificate says, as far as the gate asks. */
export interface CertificateFacts extends LeafFacts {
  readonly x509: X509Certificate;
  readonly commonNames: readonly string[];
  /** Everything else in the subject, by attribute type (OID) and value. */
  readonly subject: readonly { readonly type: string; readonly value: string }[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly uris: readonly string[];
  readonly emailAddresses: readonly string[];
  /** Names of kinds that no manifest can ask for (otherName, directoryName …). */
  readonly otherNames: number;
  /** Undefined when the extension is absent: everything is allowed then (RFC 5280 §4.2.1.3). */
  readonly keyUsageBits: number | undefined;
  readonly extendedKeyUsageOids: readonly string[];
  readonly isCertificateAuthority: boolean;
  /** `pathLenConstraint`; undefined: no limit. */
  readonly pathLength: number | undefined;
  /** Object identifiers of the extensions marked critical. */
  readonly criticalExtensions: readonly string[];
}

/** Reads one PEM certificate. Throws on anything that is not one: the caller says whose answer it was. */
export function readCertificate(pem: string): CertificateFacts {
  const x509 = new X509Certificate(pem);
  const { tbsCertificate } = AsnConvert.parse(new Uint8Array(x509.raw), Certificate);
  const extensions = new Map(
    (tbsCertificate.extensions ?? []).map(({ extnID, extnValue }) => [extnID, extnValue.buffer]),
  );
  const names = parseExtension(extensions.get(id_ce_subjectAltName), SubjectAlternativeName) ?? [];
  const constraints = parseExtension(extensions.get(id_ce_basicConstraints), BasicConstraints);
  const attributes = tbsCertificate.subject.flatMap((relativeName) =>
    relativeName.map(({ type, value }) => ({ type, value: value.toString() })),
  );
  const keyUsage = parseExtension(extensions.get(id_ce_keyUsage), KeyUsage);
  const signedBy = parseExtension(extensions.get(id_ce_authorityKeyIdentifier), AuthorityKeyIdentifier)?.keyIdentifier;
  return {
    x509,
    serialNumber: x509.serialNumber.toUpperCase(),
    sha256Fingerprint: x509.fingerprint256.replaceAll(':', '').toLowerCase(),
    notBefore: instantOf(x509.validFrom, x509.validFromDate),
    notAfter: instantOf(x509.validTo, x509.validToDate),
    ...(signedBy === undefined ? {} : { authorityKeyId: Buffer.from(signedBy.buffer).toString('hex') }),
    commonNames: attributes.filter(({ type }) => type === ID_AT_COMMON_NAME).map(({ value }) => value),
    subject: attributes.filter(({ type }) => type !== ID_AT_COMMON_NAME),
    dnsNames: names.flatMap(({ dNSName }) => dNSName ?? []),
    ipAddresses: names.flatMap(({ iPAddress }) => iPAddress ?? []),
    uris: names.flatMap(({ uniformResourceIdentifier }) => uniformResourceIdentifier ?? []),
    emailAddresses: names.flatMap(({ rfc822Name }) => rfc822Name ?? []),
    otherNames: names.filter((n) => !(n.dNSName ?? n.iPAddress ?? n.uniformResourceIdentifier ?? n.rfc822Name)).length,
    keyUsageBits: keyUsage === undefined ? undefined : bitsOf(keyUsage),
    extendedKeyUsageOids: [...(parseExtension(extensions.get(id_ce_extKeyUsage), ExtendedKeyUsage) ?? [])],
    // Not `x509.ca`: OpenSSL says no to a CA whose key usage does not let it sign.
    isCertificateAuthority: constraints?.cA ?? false,
    pathLength: constraints?.pathLenConstraint,
    criticalExtensions: (tbsCertificate.extensions ?? []).flatMap(({ extnID, critical }) => (critical ? extnID : [])),
  };
}

/** Nine bits have a meaning (RFC 5280 §4.2.1.3). With more than a number holds, it would lose the very first of them. */
function bitsOf(usage: KeyUsage): number {
  const bits = usage.toNumber();
  if (!Number.isSafeInteger(bits)) throw new Error('its key usage cannot be read');
  return bits;
}

/**
 * Throws at a date that OpenSSL cannot read ("Bad time value"): Node makes a Date of it all the same, of what was in memory, and
 * one that is not a number would pass every comparison.
 */
function instantOf(text: string, date: Date): Instant {
  const instant = date.getTime();
  if (Number.isNaN(instant) || Number.isNaN(Date.parse(text))) throw new Error(`its validity has a date of "${text}"`);
  return instant;
}

/** What is worth remembering, and nothing else. */
export function leafFactsOf(facts: CertificateFacts): LeafFacts {
  const { serialNumber, sha256Fingerprint, notBefore, notAfter, authorityKeyId } = facts;
  return {
    serialNumber,
    sha256Fingerprint,
    notBefore,
    notAfter,
    ...(authorityKeyId === undefined ? {} : { authorityKeyId }),
  };
}

function parseExtension<T>(der: ArrayBuffer | undefined, type: new () => T): T | undefined {
  return der === undefined ? undefined : AsnConvert.parse(der, type);
}

import type { X509Certificate } from 'node:crypto';
import type { Instant } from '../time.ts';
import { type CertificateFacts, readCertificate } from './leaf.ts';

/** More links than any CA uses; bounds the work on a hostile answer. */
const MAX_DEPTH = 8;

export type ChainVerdict =
  /** `path`: the intermediates in order, from the leaf's issuer up, the anchor left out. */
  | { readonly trusted: true; readonly path: readonly CertificateFacts[] }
  | { readonly trusted: false; readonly why: string };

/**
 * Builds the path from `leaf` to one of `anchors` through `intermediates` (RFC 5280 §6.1: signatures, names, validity and
 * the CA bit; policy and name constraints are left to clients).
 */
export function verifyChain(
  leaf: CertificateFacts,
  intermediates: readonly CertificateFacts[],
  anchors: readonly CertificateFacts[],
  now: Instant,
): ChainVerdict {
  const path: CertificateFacts[] = [];
  let subject = leaf;
  while (path.length <= MAX_DEPTH) {
    const child = subject;
    const anchor = anchors.find((candidate) => issued(candidate.x509, child.x509));
    if (anchor !== undefined) {
      return isValidAt(anchor, now)
        ? { trusted: true, path }
        : { trusted: false, why: `the trust anchor ${span(anchor)}` };
    }
    const issuer = intermediates.find((candidate) => !path.includes(candidate) && issued(candidate.x509, child.x509));
    if (issuer === undefined) {
      return {
        trusted: false,
        why: `nothing in the chain or among the trust anchors signed "${oneLine(child.x509.subject)}"`,
      };
    }
    if (!issuer.isCertificateAuthority)
      return { trusted: false, why: `"${oneLine(issuer.x509.subject)}" is not a CA certificate` };
    if (!isValidAt(issuer, now)) return { trusted: false, why: `the intermediate ${span(issuer)}` };
    path.push(issuer);
    subject = issuer;
  }
  return { trusted: false, why: `the chain has more than ${MAX_DEPTH} links` };
}

export const readCertificates = (pems: readonly string[]): readonly CertificateFacts[] => pems.map(readCertificate);

function issued(issuer: X509Certificate, subject: X509Certificate): boolean {
  return subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
}

const isValidAt = (facts: CertificateFacts, now: Instant): boolean => facts.notBefore <= now && now < facts.notAfter;

const span = ({ x509 }: CertificateFacts): string =>
  `"${oneLine(x509.subject)}" is valid only from ${x509.validFrom} to ${x509.validTo}`;

/** Node answers undefined, against its types, for a certificate without a subject. */
const oneLine = (name: string | undefined): string => name?.replaceAll('\n', ', ') ?? 'a certificate without a subject';

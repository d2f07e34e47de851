import type { X509Certificate } from 'node:crypto';
import type { Instant } from '../time.ts';
import { type CertificateFacts, readCertificate } from './leaf.ts';

/** Signatures verified in one search; bounds the work on certificates that all sign each other. */
const MAX_SIGNATURES = 200;

export type ChainVerdict =
  /** `path`: the intermediates in order, from the leaf's issuer up; `anchor`: where it ends. */
  | { readonly trusted: true; readonly path: readonly CertificateFacts[]; readonly anchor: CertificateFacts }
  | { readonly trusted: false; readonly why: string };

/**
 * Builds a path from `leaf` to one of `anchors` through `intermediates`: signatures, names, validity, the CA bit and path
 * length (RFC 5280 §6.1). Policies and name constraints are left to clients. Every way is tried: CAs send cross-signed twins.
 */
export function verifyChain(
  leaf: CertificateFacts,
  intermediates: readonly CertificateFacts[],
  anchors: readonly CertificateFacts[],
  now: Instant,
): ChainVerdict {
  let signatures = 0;
  let why = `nothing in the chain or among the trust anchors signed "${nameOf(leaf)}"`;

  /** Whether `issuer` may stand above `path`; says why not when it signed and yet may not. */
  function mayIssue(issuer: CertificateFacts, child: CertificateFacts, path: readonly CertificateFacts[]): boolean {
    // By name and key identifier first: a platform has hundreds of roots, and all but one are strangers.
    if (!child.x509.checkIssued(issuer.x509)) return false;
    signatures += 1;
    if (signatures > MAX_SIGNATURES || !child.x509.verify(issuer.x509.publicKey)) return false;
    const fault = faultOf(issuer, path.length, now);
    if (fault !== undefined) why = fault;
    return fault === undefined;
  }

  function search(child: CertificateFacts, path: readonly CertificateFacts[]): ChainVerdict | undefined {
    for (const anchor of anchors) if (mayIssue(anchor, child, path)) return { trusted: true, path, anchor };
    for (const issuer of intermediates) {
      if (path.includes(issuer) || !mayIssue(issuer, child, path)) continue;
      const found = search(issuer, [...path, issuer]);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  return search(leaf, []) ?? { trusted: false, why };
}

/** What keeps a certificate from standing above `below` others, if anything does. */
function faultOf(issuer: CertificateFacts, below: number, now: Instant): string | undefined {
  if (!issuer.isCertificateAuthority) return `"${nameOf(issuer)}" is not a CA certificate`;
  if (now < issuer.notBefore || now >= issuer.notAfter) {
    return `"${nameOf(issuer)}" is valid only from ${issuer.x509.validFrom} to ${issuer.x509.validTo}`;
  }
  const { pathLength } = issuer;
  return pathLength !== undefined && below > pathLength
    ? `"${nameOf(issuer)}" allows ${pathLength} intermediates below it, and there are ${below}`
    : undefined;
}

export const readCertificates = (pems: readonly string[]): readonly CertificateFacts[] => pems.map(readCertificate);

export const isSelfIssued = ({ x509 }: CertificateFacts): boolean => signed(x509, x509);

/** Where a chain ends that somebody sent: what nothing else in it signed. */
export const topOf = (sent: readonly CertificateFacts[]): readonly CertificateFacts[] =>
  sent.filter((top) => !sent.some((other) => other !== top && signed(other.x509, top.x509)));

function signed(issuer: X509Certificate, subject: X509Certificate): boolean {
  return subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
}

/** On one line. Node answers undefined, against its types, for a certificate without a subject. */
function nameOf({ x509 }: CertificateFacts): string {
  const subject: string | undefined = x509.subject;
  return subject?.replaceAll('\n', ', ') ?? 'a certificate without a subject';
}

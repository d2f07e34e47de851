import type { KeyObject } from 'node:crypto';
import type { CertificateSpec, IssuedChain, LeafFacts, Usage, VerifiedChain } from './certificate.ts';
import { canonicalIpAddress } from './ip-address.ts';
import { type Instant, MINUTE_MS, toTimestamp } from './time.ts';
import { isSelfIssued, readCertificates, topOf, verifyChain } from './x509/chain.ts';
import { type CertificateFacts, leafFactsOf, readCertificate } from './x509/leaf.ts';
import { subjectAttributes } from './x509/subject.ts';
import { extendedKeyUsageOids, keyUsageBits, usageOfOid } from './x509/usages.ts';

/** A CA whose clock is this far ahead of ours is waited for; further ahead is refused. */
const CLOCK_SKEW_MS = 5 * MINUTE_MS;

/** Chains longer than this are an attack or a mistake. */
const MAX_CERTIFICATES = 10;

/** Where a CA promises a lifetime, a leaf with less of it than this would only be renewed over and over. */
const SHORTEST_SHARE = 1 / 4;

/** Key usage, subject and issuer names, basic and name constraints, policies, extended key usage, authority key id (RFC 5280). */
const UNDERSTOOD_EXTENSIONS = new Set([15, 17, 18, 19, 30, 32, 36, 37, 35].map((arc) => `2.5.29.${arc}`));

export interface Candidate {
  readonly spec: CertificateSpec;
  readonly publicKey: KeyObject;
  readonly chain: IssuedChain;
  /** The latest expiry the issuer was asked for, where its kind promises to keep to it; undefined where it does not (ACME). */
  readonly latestNotAfter: Instant | undefined;
  /** Extended key usages that the issuer kind may add although nobody asked. */
  readonly uninvitedUsages: readonly Usage[];
  /** Key usages that the issuer kind may leave out although somebody asked. */
  readonly withheldUsages: readonly Usage[];
}

export type Verdict =
  /** `leaf.notBefore` may lie a few minutes ahead: promotion waits for it. */
  | { readonly verdict: 'pass'; readonly leaf: LeafFacts; readonly chain: VerifiedChain }
  | { readonly verdict: 'refuse'; readonly violations: readonly string[] };

/** Judges what the CA answered. Nothing becomes current without having passed here. Throws nothing, whatever the answer is. */
export function judge(candidate: Candidate, now: Instant): Verdict {
  const { intermediates, trustAnchors } = candidate.chain;
  const anchors = trustAnchors === 'topOfChain' ? 0 : trustAnchors.length;
  if (1 + intermediates.length + anchors > MAX_CERTIFICATES) {
    return { verdict: 'refuse', violations: [`more than ${MAX_CERTIFICATES} certificates in the answer`] };
  }
  try {
    return examine(candidate, now);
  } catch (cause) {
    // Parsers and OpenSSL throw at what is no certificate, or one with a key of a kind they do not know.
    const why = cause instanceof Error ? cause.message : String(cause);
    return { verdict: 'refuse', violations: [`unreadable: ${why}`] };
  }
}

function examine(candidate: Candidate, now: Instant): Verdict {
  const { leaf: leafPem, intermediates, trustAnchors } = candidate.chain;
  const leaf = readCertificate(leafPem);
  const ahead = leaf.notBefore - now;
  const judgedAt = ahead > 0 && ahead <= CLOCK_SKEW_MS ? leaf.notBefore : now;
  const sent = readCertificates(intermediates);
  const anchors = trustAnchors === 'topOfChain' ? topOf(sent) : readCertificates(trustAnchors);
  const chain = verifyChain(leaf, sent, anchors, judgedAt);
  const violations = [
    ...keyViolations(candidate, leaf),
    ...nameViolations(candidate.spec, leaf),
    ...subjectViolations(candidate.spec, leaf),
    ...usageViolations(candidate, leaf),
    ...validityViolations(candidate, leaf, judgedAt),
    ...(chain.trusted ? [] : [chain.why]),
  ];
  if (violations.length > 0 || !chain.trusted) return { verdict: 'refuse', violations };
  return {
    verdict: 'pass',
    leaf: leafFactsOf(leaf),
    // Written anew, and only what the path needs: nothing a CA put around its PEM reaches a consumer.
    chain: { leaf: leaf.x509.toString(), ...linksOf(chain, trustAnchors === 'topOfChain') },
  };
}

/** The top of a chain links to a root that clients have, unless it is one: they need it, and it anchors nothing. */
function linksOf(
  { path, anchor }: { readonly path: readonly CertificateFacts[]; readonly anchor: CertificateFacts },
  isTopOfChain: boolean,
): Omit<VerifiedChain, 'leaf'> {
  const isLink = isTopOfChain && !isSelfIssued(anchor);
  return {
    intermediates: (isLink ? [...path, anchor] : path).map(({ x509 }) => x509.toString()),
    trustAnchors: isLink ? [] : [anchor.x509.toString()],
  };
}

function* keyViolations({ publicKey }: Candidate, leaf: CertificateFacts): Iterable<string> {
  if (!leaf.x509.publicKey.equals(publicKey)) yield 'the certificate is for another key';
}

function* nameViolations(spec: CertificateSpec, leaf: CertificateFacts): Iterable<string> {
  const lowered = (names: readonly string[]): readonly string[] => names.map((name) => name.toLowerCase());
  // CAs repeat the common name among the DNS names; that is the one name which may come uninvited.
  const commonName = spec.commonName === undefined ? [] : [spec.commonName.toLowerCase()];
  yield* difference('DNS name', lowered(spec.dnsNames), lowered(leaf.dnsNames), commonName);
  yield* difference('IP address', spec.ipAddresses.map(canonicalIpAddress), leaf.ipAddresses.map(canonicalIpAddress));
  yield* difference('URI', spec.uris, leaf.uris);
  yield* difference('e-mail address', spec.emailAddresses, leaf.emailAddresses);
  if (leaf.otherNames > 0) yield `${leaf.otherNames} names of a kind that nobody asked for`;
  yield* commonNameViolations(spec, leaf);
}

/** ACME CAs choose or drop the common name: it must be one of the names asked for, and the one asked for must be somewhere. */
function* commonNameViolations(spec: CertificateSpec, leaf: CertificateFacts): Iterable<string> {
  const asked = new Set([spec.commonName, ...spec.dnsNames].flatMap((name) => name?.toLowerCase() ?? []));
  const got = leaf.commonNames.map((name) => name.toLowerCase());
  for (const name of got) if (!asked.has(name)) yield `the common name is "${name}", which nobody asked for`;
  const wanted = spec.commonName?.toLowerCase();
  if (wanted !== undefined && !got.includes(wanted) && !leaf.dnsNames.some((name) => name.toLowerCase() === wanted)) {
    yield `the common name "${spec.commonName}" is missing`;
  }
}

/** CAs leave subject attributes out as their profiles have it; none may come that nobody asked for. */
function* subjectViolations(spec: CertificateSpec, leaf: CertificateFacts): Iterable<string> {
  const asked = subjectAttributes(spec.subject);
  for (const { type, value } of leaf.subject) {
    const wanted = asked.some((attribute) => attribute.type === type && attribute.values.includes(value));
    if (!wanted) yield `the subject has "${value}" (${type}), which nobody asked for`;
  }
}

function* difference(
  what: string,
  asked: readonly string[],
  got: readonly string[],
  tolerated: readonly string[] = [],
): Iterable<string> {
  for (const name of asked) if (!got.includes(name)) yield `the ${what} "${name}" is missing`;
  for (const name of got) {
    if (!asked.includes(name) && !tolerated.includes(name)) yield `the ${what} "${name}" was not asked for`;
  }
}

function* usageViolations(
  { spec, uninvitedUsages, withheldUsages }: Candidate,
  leaf: CertificateFacts,
): Iterable<string> {
  if (leaf.isCertificateAuthority) yield 'it is a CA certificate';
  for (const oid of leaf.criticalExtensions) {
    if (!UNDERSTOOD_EXTENSIONS.has(oid)) yield `it has a critical extension that clients may not know (${oid})`;
  }
  const asked = extendedKeyUsageOids(spec.usages);
  const got = leaf.extendedKeyUsageOids;
  for (const oid of asked) if (!got.includes(oid)) yield `the extended key usage "${usageOfOid(oid)}" is missing`;
  const tolerated = new Set([...asked, ...extendedKeyUsageOids(uninvitedUsages)]);
  for (const oid of got) {
    if (!tolerated.has(oid)) yield `the extended key usage "${usageOfOid(oid)}" was not asked for`;
  }
  if (leaf.keyUsageBits === undefined) return;
  const keyEncipherment = keyUsageBits(['key encipherment']);
  // A key that is not RSA cannot encipher keys: CAs leave that bit out (RFC 8813 §3), whoever asked.
  const possible = leaf.x509.publicKey.asymmetricKeyType === 'rsa' ? ~0 : ~keyEncipherment;
  const missing = keyUsageBits(spec.usages) & possible & ~keyUsageBits(withheldUsages) & ~leaf.keyUsageBits;
  if (missing !== 0) yield `key usage bits are missing (asked and got differ by 0x${missing.toString(16)})`;
  const signs = keyUsageBits(['cert sign', 'crl sign']) & leaf.keyUsageBits;
  if (signs !== 0) yield 'its key may sign certificates or revocation lists';
}

function* validityViolations({ latestNotAfter }: Candidate, leaf: CertificateFacts, at: Instant): Iterable<string> {
  if (leaf.notBefore > at) yield `it is not valid before ${toTimestamp(leaf.notBefore)}`;
  if (leaf.notAfter <= at) yield `it expired at ${toTimestamp(leaf.notAfter)}`;
  if (latestNotAfter !== undefined && leaf.notAfter > latestNotAfter + CLOCK_SKEW_MS) {
    yield `it expires at ${toTimestamp(leaf.notAfter)}, later than the ${toTimestamp(latestNotAfter)} asked for`;
  }
  if (latestNotAfter !== undefined && leaf.notAfter - at < SHORTEST_SHARE * (latestNotAfter - at)) {
    yield `it expires at ${toTimestamp(leaf.notAfter)}, long before the ${toTimestamp(latestNotAfter)} asked for`;
  }
}

import { isIP } from 'node:net';
import type { Endpoint, Expectation, Verdict } from '../../core/rollout/ports.ts';
import { toTimestamp } from '../../core/time.ts';
import { isSelfIssued, verifyChain } from '../../core/x509/chain.ts';
import { type CertificateFacts, readCertificate } from '../../core/x509/leaf.ts';

export interface Judgement {
  readonly verdict: Extract<Verdict, 'served' | 'otherLeaf' | 'badChain'>;
  readonly sha256Fingerprint: string;
  readonly detail: string;
}

const ID_KP_SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const ANY_EXTENDED_KEY_USAGE = '2.5.29.37.0';

/** Compares what was shown with what was expected, and judges it as a client would who has the trust anchors, or the public roots. */
export function judge(
  certificates: readonly string[],
  endpoint: Endpoint,
  expectation: Expectation,
  publicRoots: () => readonly CertificateFacts[],
): Judgement {
  const [leaf, ...links] = certificates.map(readCertificate);
  if (leaf === undefined) throw new Error('it shows no certificate');
  const { sha256Fingerprint } = leaf;
  if (sha256Fingerprint !== expectation.sha256Fingerprint) {
    return { verdict: 'otherLeaf', sha256Fingerprint, detail: `it serves another leaf: ${describe(leaf)}` };
  }
  const faults = [...faultsOf(leaf, links, endpoint, expectation, publicRoots)];
  if (faults.length > 0) return { verdict: 'badChain', sha256Fingerprint, detail: faults.join('; ') };
  return { verdict: 'served', sha256Fingerprint, detail: `it serves ${describe(leaf)}` };
}

function* faultsOf(
  leaf: CertificateFacts,
  links: readonly CertificateFacts[],
  { host, serverName }: Endpoint,
  { serverNames = [serverName ?? host], ...expectation }: Expectation,
  publicRoots: () => readonly CertificateFacts[],
): Iterable<string> {
  const { now } = expectation;
  if (now < leaf.notBefore) yield `the leaf is not valid before ${toTimestamp(leaf.notBefore)}`;
  if (now >= leaf.notAfter) yield `the leaf expired at ${toTimestamp(leaf.notAfter)}`;
  for (const name of serverNames) {
    if (!isFor(leaf, name)) yield `the leaf is not for ${name}, but for ${namesOf(leaf)}`;
  }
  const purposes = leaf.extendedKeyUsageOids;
  if (purposes.length > 0 && !purposes.includes(ID_KP_SERVER_AUTH) && !purposes.includes(ANY_EXTENDED_KEY_USAGE)) {
    yield 'the leaf is for no server: its extended key usage lacks "server auth"';
  }
  const chain = verifyChain(leaf, links, anchorsOf(expectation, links, publicRoots), now);
  if (!chain.trusted) yield whyUntrusted(leaf, links, chain.why);
}

/** A link stands for the anchor above it only where it is shown: clients do not have it. */
function anchorsOf(
  { trustAnchors, topOfChain }: Expectation,
  links: readonly CertificateFacts[],
  publicRoots: () => readonly CertificateFacts[],
): readonly CertificateFacts[] {
  if (trustAnchors.length > 0) return trustAnchors.map(readCertificate);
  const top = topOfChain === undefined ? undefined : readCertificate(topOfChain);
  return [...publicRoots(), ...links.filter(({ sha256Fingerprint }) => sha256Fingerprint === top?.sha256Fingerprint)];
}

/** Where nothing that was shown goes on, and the last of it was signed by somebody else, a link was left out. */
function whyUntrusted(leaf: CertificateFacts, links: readonly CertificateFacts[], why: string): string {
  const last = links.at(-1) ?? leaf;
  if (isSelfIssued(last)) return `the chain ends in a root that is no trust anchor: ${why}`;
  const issuer = oneLine(last.x509.issuer);
  return `an intermediate is missing: it shows ${1 + links.length} certificates, and not "${issuer}" (${why})`;
}

/** The common name is no name of a server (RFC 9525 §2). */
const isFor = ({ x509 }: CertificateFacts, name: string): boolean =>
  (isIP(name) === 0 ? x509.checkHost(name, { subject: 'never' }) : x509.checkIP(name)) !== undefined;

function namesOf({ dnsNames, ipAddresses }: CertificateFacts): string {
  const names = [...dnsNames, ...ipAddresses];
  const shown = names.slice(0, 3).join(', ');
  if (names.length === 0) return 'no server at all';
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

const describe = (leaf: CertificateFacts): string =>
  `${namesOf(leaf)}, serial number ${leaf.serialNumber}, valid to ${toTimestamp(leaf.notAfter)}`;

/** Node answers undefined, against its types, for a certificate whose issuer has no name. */
const oneLine = (name: string | undefined): string => name?.replaceAll('\n', ', ') ?? 'an issuer without a name';

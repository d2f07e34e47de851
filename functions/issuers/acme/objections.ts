import type { CertificateSpec, Usage } from '../../core/certificate.ts';
import { atKey, error, type Problem, warning } from '../../core/manifest/finding.ts';
import type { ChallengePlugin, Objection } from '../../core/ports.ts';
import type { AcmeOptions } from './options.ts';
import { proofProblems } from './proof-problems.ts';

type Challenges = readonly ChallengePlugin<unknown>[];

/** What no ACME CA can put into a certificate, and what this issuer's solvers cannot prove. */
export function acmeObjections(
  { solvers }: AcmeOptions,
  certificate: CertificateSpec,
  challenges: Challenges,
): readonly Objection[] {
  return [
    ...nameProblems(certificate),
    ...proofProblems(certificate, solvers, challenges),
    ...subjectProblems(certificate),
    ...usageProblems(certificate),
  ];
}

const CODE = 'IssuerCannotSign';

/** An order names DNS names and addresses, and the common name has to be one of them. */
function nameProblems({ commonName, dnsNames, uris, emailAddresses }: CertificateSpec): Problem[] {
  const lists = { uris, emailAddresses };
  const nameless = Object.entries(lists).flatMap(([list, names]) => (names.length === 0 ? [] : [notInOrders(list)]));
  if (dnsNames.length === 0) return [...nameless, NO_DNS_NAMES];
  if (commonName === undefined || dnsNames.includes(commonName.toLowerCase())) return nameless;
  const message = `The common name "${commonName}" is not among \`dnsNames\`, and an ACME CA proves each name that it signs.`;
  const remedy = 'Add it to `dnsNames`, or leave `commonName` out: clients read `dnsNames`.';
  return [...nameless, error(CODE, ['spec', 'commonName'], message, remedy)];
}

const notInOrders = (list: string): Problem =>
  atKey(
    error(
      CODE,
      ['spec', list],
      `\`${list}\` cannot be ordered from an ACME CA: it has no such identifiers.`,
      'Remove them, or refer to an issuer over a private CA.',
    ),
  );

const NO_DNS_NAMES = atKey(
  error(
    CODE,
    ['spec'],
    'The certificate has no `dnsNames`, which are what is ordered from an ACME CA.',
    'Add one, as in `dnsNames: [www.example.org]`.',
  ),
);

function subjectProblems({ subject }: CertificateSpec): Problem[] {
  if (Object.values(subject).every((value) => value === undefined || value.length === 0)) return [];
  const message = 'Public CAs leave `subject` out of the certificates that they give by ACME.';
  const remedy = 'Remove it, unless this CA is known to keep it.';
  return [atKey(warning('SubjectLeftOut', ['spec', 'subject'], message, remedy))];
}

/** What profiles of CAs give to servers. */
const USUAL: ReadonlySet<Usage> = new Set([
  'signing',
  'digital signature',
  'key encipherment',
  'key agreement',
  'server auth',
  'client auth',
]);

function usageProblems({ usages }: CertificateSpec): Problem[] {
  return usages.flatMap((usage, index) => {
    const path = ['spec', 'usages', index];
    if (!USUAL.has(usage)) {
      const message = `No ACME CA gives "${usage}".`;
      const remedy =
        'Use "digital signature", "key encipherment" and "server auth", or refer to an issuer over a private CA.';
      return [error(CODE, path, message, remedy)];
    }
    if (usage !== 'client auth') return [];
    const message = 'Public CAs have stopped giving "client auth": what comes without it is refused.';
    const remedy = 'Remove it, or refer to an issuer over a private CA: clients are known by a CA of your own.';
    return [warning('UsageLeftOut', path, message, remedy)];
  });
}

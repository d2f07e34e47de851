import type { CertificateSpec, Usage } from '../../core/certificate.ts';
import { atKey, error, type Path, type Problem, warning } from '../../core/manifest/finding.ts';
import type { ChallengePlugin, Objection } from '../../core/ports.ts';
import type { AcmeOptions, SolverOptions } from './options.ts';
import { selectSolver } from './select-solver.ts';

type Challenges = readonly ChallengePlugin<unknown>[];

/** What no ACME CA can put into a certificate, and what this issuer's solvers cannot prove. */
export function acmeObjections(
  { solvers }: AcmeOptions,
  certificate: CertificateSpec,
  challenges: Challenges,
): readonly Objection[] {
  return [
    ...nameProblems(certificate),
    ...addressProblems(certificate, solvers, challenges),
    ...(solvers.length === 0 ? [] : proofProblems(certificate, solvers, challenges)),
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

/** RFC 8738 §7: no DNS record proves control over an address. */
function addressProblems(
  { ipAddresses }: CertificateSpec,
  solvers: readonly SolverOptions[],
  challenges: Challenges,
): Problem[] {
  const ours = challenges.filter(({ field }) => solvers.some(({ challenge }) => challenge === field));
  if (ours.some((challenge) => challenge.proves('ip'))) return [];
  return ipAddresses.map((address, index) =>
    error(
      CODE,
      ['spec', 'ipAddresses', index],
      `No solver of this issuer proves control over an address, such as ${address}.`,
      'Remove it, or refer to an issuer over a private CA.',
    ),
  );
}

function proofProblems(
  { dnsNames, labels }: CertificateSpec,
  solvers: readonly SolverOptions[],
  challenges: Challenges,
): Problem[] {
  return dnsNames.flatMap((name, index) => {
    const path = ['spec', 'dnsNames', index];
    const solver = selectSolver(solvers, name, labels);
    if (solver === undefined) return [noSolver(name, solvers, path)];
    const challenge = challenges.find(({ field }) => field === solver.challenge);
    if (!name.startsWith('*.') || challenge === undefined || challenge.proves('wildcard')) return [];
    const provers = challenges.filter((other) => other.proves('wildcard')).map(({ field }) => `\`${field}\``);
    const message = `The solver for "${name}" has \`${solver.challenge}\`, and that does not prove wildcards.`;
    return [error(CODE, path, message, `Give the issuer a solver for it with ${provers.join(' or ')}.`)];
  });
}

function noSolver(name: string, solvers: readonly SolverOptions[], path: Path): Problem {
  const message = `No solver of this issuer is for "${name}". Those there are want ${solvers.map(wishesOf).join('; ')}.`;
  const remedy = 'Add the name or its zone to a `selector`, or a solver without one.';
  return error(CODE, path, message, remedy);
}

/** A selector on one line: `dnsZones example.org and matchLabels team=shop`. */
function wishesOf({ dnsNames, dnsZones, matchLabels }: SolverOptions): string {
  const labels = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`);
  const wishes = Object.entries({ dnsNames, dnsZones, matchLabels: labels });
  const texts = wishes.flatMap(([field, values]) => (values.length === 0 ? [] : [`${field} ${values.join(', ')}`]));
  return texts.join(' and ');
}

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

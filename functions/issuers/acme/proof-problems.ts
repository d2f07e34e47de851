import type { CertificateSpec } from '../../core/certificate.ts';
import { error, type Path, type Problem } from '../../core/manifest/finding.ts';
import type { ChallengePlugin } from '../../core/ports.ts';
import type { SolverOptions } from './options.ts';
import { selectSolver } from './select-solver.ts';

type Solvers = readonly SolverOptions[];
type Challenges = readonly ChallengePlugin<unknown>[];

const CODE = 'IssuerCannotSign';

/** Names that an issuer's solvers cannot prove control over. Without solvers its CA has approved them beforehand. */
export function proofProblems(certificate: CertificateSpec, solvers: Solvers, challenges: Challenges): Problem[] {
  const dnsNames = solvers.length === 0 ? [] : dnsNameProblems(certificate, solvers, challenges);
  return [...addressProblems(certificate, solvers, challenges), ...dnsNames];
}

/** RFC 8738 §7: no DNS record proves control over an address. */
function addressProblems({ ipAddresses }: CertificateSpec, solvers: Solvers, challenges: Challenges): Problem[] {
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

function dnsNameProblems({ dnsNames, labels }: CertificateSpec, solvers: Solvers, challenges: Challenges): Problem[] {
  return dnsNames.flatMap((name, index) => {
    const path = ['spec', 'dnsNames', index];
    const solver = selectSolver(solvers, name, labels);
    if (solver === undefined) return [noSolver(name, solvers, path)];
    const challenge = challenges.find(({ field }) => field === solver.challenge);
    if (!name.startsWith('*.') || challenge === undefined || challenge.proves('wildcard')) return [];
    const message = `The solver for "${name}" has \`${solver.challenge}\`, and that does not prove wildcards.`;
    return [error(CODE, path, message, 'Give the issuer a solver for it with `dns01`, which alone does.')];
  });
}

function noSolver(name: string, solvers: Solvers, path: Path): Problem {
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

import { atKey, error, type Path, type Problem, toProblem, toRemark, warning } from '../../core/manifest/finding.ts';
import { reading, type Reading } from '../../core/manifest/reading.ts';
import type { ChallengePlugin } from '../../core/ports.ts';
import type { SolverOptions } from './options.ts';
import { readSelector } from './read-selector.ts';
import type { AcmeFields, SolverFields } from './shape.ts';

type Challenges = readonly ChallengePlugin<unknown>[];

const ACME: Path = ['spec', 'acme'];

/** cert-manager's two, by their fields. */
const CHALLENGE_FIELDS = ['dns01', 'http01'] as const;
const TYPES = { dns01: 'dns-01', http01: 'http-01' } as const;

/** In the document's order, which decides between solvers that match alike. */
export function readSolvers({ solvers = [] }: AcmeFields, challenges: Challenges): Reading<readonly SolverOptions[]> {
  if (solvers.length === 0) return reading([], [NO_SOLVERS]);
  const read = solvers.map((solver, index) => readSolver(solver, [...ACME, 'solvers', index], challenges));
  return reading(
    read.flatMap(({ value }) => value ?? []),
    read.flatMap(({ problems }) => problems),
  );
}

/** cert-manager takes it, and so does a CA that knows from elsewhere which names are ours. */
const NO_SOLVERS: Problem = atKey(
  warning(
    'NoSolvers',
    ACME,
    'There are no `solvers`: only a CA that has approved the names beforehand will issue.',
    'Add one, as in `solvers: [{ dns01: { route53: {} } }]`, unless this CA approves names beforehand.',
  ),
);

function readSolver(solver: SolverFields, path: Path, challenges: Challenges): Reading<SolverOptions> {
  const selector = readSelector(solver.selector ?? {}, [...path, 'selector']);
  const challenge = readChallenge(solver, path, challenges);
  const problems = [
    ...selector.problems,
    ...challenge.problems,
    ...(solver.waitInsteadOfSelfCheck === undefined ? [] : [noSelfCheck(path)]),
  ];
  if (selector.value === undefined || challenge.value === undefined) return { value: undefined, problems };
  return { value: { ...selector.value, ...challenge.value }, problems };
}

/** What the challenge's field means is for its plug-in to say. */
function readChallenge(
  solver: SolverFields,
  path: Path,
  challenges: Challenges,
): Reading<Pick<SolverOptions, 'challenge' | 'options'>> {
  const given = CHALLENGE_FIELDS.filter((field) => solver[field] !== undefined);
  const [field, other] = given;
  if (field === undefined) return { value: undefined, problems: [noChallenge(path)] };
  if (other !== undefined) return { value: undefined, problems: [exclusive(field, other, path)] };
  const plugin = challenges.find((candidate) => candidate.field === field);
  if (plugin === undefined) return { value: undefined, problems: [notBuilt(field, path, challenges)] };

  const parsed = plugin.parse(solver[field], [...path, field]);
  if (!parsed.ok) {
    return { value: undefined, problems: parsed.objections.map((objection) => toProblem(objection, 'InvalidIssuer')) };
  }
  const remarks = (parsed.remarks ?? []).map((remark) => toRemark(remark, 'NoMeaningHere'));
  return { value: { challenge: field, options: parsed.options }, problems: remarks };
}

const noChallenge = (path: Path): Problem =>
  error(
    'NoChallenge',
    path,
    'This solver does not say how it proves control over a name.',
    'Add `dns01`, as in `dns01: { route53: {} }`.',
  );

const exclusive = (first: string, second: string, path: Path): Problem =>
  atKey(
    error(
      'Exclusive',
      [...path, second],
      `\`${first}\` and \`${second}\` cannot both be in one solver.`,
      'Make two solvers of it, each with a `selector`.',
    ),
  );

const notBuilt = (field: keyof typeof TYPES, path: Path, challenges: Challenges): Problem =>
  atKey(
    error(
      'KindNotBuilt',
      [...path, field],
      `${TYPES[field]} solvers are not built yet.`,
      `Those that are: ${challenges.map((challenge) => `\`${challenge.field}\``).join(', ')}.`,
    ),
  );

const noSelfCheck = (path: Path): Problem =>
  atKey(
    warning(
      'NoMeaningHere',
      [...path, 'waitInsteadOfSelfCheck'],
      '`waitInsteadOfSelfCheck` has no effect here: no self-check is made, the DNS service says when its servers answer.',
      'Remove it, unless a cluster uses the same manifest.',
    ),
  );

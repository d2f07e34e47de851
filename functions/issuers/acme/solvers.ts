import { PermanentError, sparingCa } from '../../core/errors.ts';
import type { ChallengePlugin, ChallengeSolver } from '../../core/ports.ts';
import type { SolverOptions } from './options.ts';
import { bySolver, type Solvers } from './progress.ts';
import { selectSolver } from './select-solver.ts';

/** An issuer's solvers, each connected when it is first needed. */
export function bindSolvers(
  options: readonly SolverOptions[],
  pluginOf: (solver: SolverOptions) => ChallengePlugin<unknown>,
): Solvers {
  const connections = new Map<number, Promise<ChallengeSolver>>();

  async function connect(index: number): Promise<ChallengeSolver> {
    const solver = options[index];
    if (solver === undefined) {
      throw new PermanentError('UnknownSolver', `the issuer has no solver number ${index + 1} any more`);
    }
    const known = connections.get(index) ?? sparingCa(() => pluginOf(solver).create(solver.options)).then(sparing);
    connections.set(index, known);
    return known;
  }

  return {
    connect,
    choose: (name, { labels }) => {
      const solver = selectSolver(options, name, labels);
      if (solver === undefined) return undefined;
      const index = options.indexOf(solver);
      return { index, type: pluginOf(solver).type, connect: () => connect(index) };
    },
    cleanUp: async (challenges) => {
      await Promise.all(
        [...bySolver(challenges)].map(async ([index, placements]) => (await connect(index)).cleanUp(placements)),
      );
    },
  };
}

const sparing = (solver: ChallengeSolver): ChallengeSolver => ({
  locate: (response) => sparingCa(() => solver.locate(response)),
  present: (placements) => sparingCa(() => solver.present(placements)),
  check: (ticket) => sparingCa(() => solver.check(ticket)),
  cleanUp: (placements) => sparingCa(() => solver.cleanUp(placements)),
});

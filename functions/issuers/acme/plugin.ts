import { PermanentError } from '../../core/errors.ts';
import type { ChallengePlugin, IssuerPlugin } from '../../core/ports.ts';
import { documents, parseAcme } from './document.ts';
import { acmeObjections } from './objections.ts';
import type { AcmeOptions, SolverOptions } from './options.ts';

type Challenges = readonly ChallengePlugin<unknown>[];

/** Let's Encrypt and every other CA that speaks RFC 8555, declared as cert-manager does. */
export const acme = (challenges: Challenges): IssuerPlugin<AcmeOptions> => ({
  kind: 'acme',
  summary: 'ACME (RFC 8555)',
  documents,
  parse: (document) => parseAcme(document, challenges),
  objections: (options, certificate) => acmeObjections(options, certificate, challenges),
  // What a CA's profile gives, it gives to everybody.
  uninvitedUsages: ['server auth', 'client auth'],
  // Nothing enciphers keys with a certificate's key any more: Let's Encrypt's newer profiles leave it out of RSA leaves, too.
  withheldUsages: ['key encipherment'],
  honoursNotAfter: false,
  needs: ({ solvers }) => solvers.flatMap((solver) => pluginOf(solver, challenges).needs(solver.options)),
  create: async (options, context) => {
    const [{ acmeIssuer }, { bindSolvers }] = await Promise.all([import('./issuer.ts'), import('./solvers.ts')]);
    const solvers = bindSolvers(options.solvers, (solver) => pluginOf(solver, challenges));
    return acmeIssuer(options, solvers, context);
  },
});

function pluginOf({ challenge }: SolverOptions, challenges: Challenges): ChallengePlugin<unknown> {
  const plugin = challenges.find(({ field }) => field === challenge);
  if (plugin !== undefined) return plugin;
  throw new PermanentError('UnknownSolver', `there is no solver "${challenge}" in this version`);
}

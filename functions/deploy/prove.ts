import type { FailureFacts } from '../core/errors.ts';
import { inParallel } from '../core/in-parallel.ts';
import type { RolloutDecision } from '../core/rollout/decide.ts';
import { evidenceOf, inWords } from '../core/rollout/evidence.ts';
import type { Endpoint, ProbeResult, Verdict } from '../core/rollout/ports.ts';
import { wantedRelease } from '../core/rollout/record.ts';
import type { Shift } from '../core/shift.ts';
import { SECOND_MS } from '../core/time.ts';
import { expectationOf } from './expectation.ts';
import type { RolloutLedger } from './ledger.ts';
import type { DeployParts } from './parts.ts';
import { endpointsOf, readHook } from './plan.ts';

/** Endpoints that one step asks, and those of them that are asked side by side. */
const STEP_ENDPOINTS = 20;
const AT_A_TIME = 8;

/**
 * After so long no further endpoint is asked in a step: where packets are dropped each takes half a minute, and a function that
 * is stopped in the middle of a step would not even learn that it failed.
 */
const STEP_MS = 20 * SECOND_MS;

/** Fresh connections in a row that have to show the leaf: an old instance behind a load balancer would be met by one of them. */
const CONNECTIONS = 3;

/** Asking again cannot mend these. */
const FINAL: Partial<Record<Verdict, string>> = { badChain: 'ChainNotTrusted', refused: 'EndpointRefused' };

/** Asks some of the endpoints what they serve. Before the last wave some instances rightly serve the version before. */
export async function prove(
  { stage, isLastWave }: Extract<RolloutDecision, { do: 'prove' }>,
  ledger: RolloutLedger,
  parts: DeployParts,
  shift: Shift,
): Promise<void> {
  const { record: rollout } = ledger;
  const spec = await readHook(stage.hook, parts);
  const endpoints = endpointsOf(spec, wantedRelease(rollout));
  const from = rollout.proof?.next ?? 0;
  const asked = endpoints.slice(from, from + STEP_ENDPOINTS);
  const accepted: readonly Verdict[] = isLastWave ? ['served'] : ['served', 'otherLeaf'];
  const isFine = (results: readonly ProbeResult[]): boolean =>
    results.length > 0 && results.every(({ verdict }) => accepted.includes(verdict));

  const until = Math.min(parts.clock() + STEP_MS, shift.deadline);
  let isWrong = false;
  const ask = async (endpoint: Endpoint): Promise<readonly ProbeResult[] | undefined> => {
    if (isWrong || parts.clock() >= until) return undefined;
    let results: readonly ProbeResult[] = [];
    for (let round = 0; round < (isLastWave ? CONNECTIONS : 1); round++) {
      results = await parts.prober.probe(endpoint, expectationOf(wantedRelease(rollout), parts));
      if (isFine(results)) continue;
      isWrong = true;
      break;
    }
    return results;
  };
  // Begun in their order: those that were not asked are the last.
  const answers = (await inParallel(asked, AT_A_TIME, ask)).filter((results) => results !== undefined);
  const evidence = answers.flat().map(evidenceOf);
  const fatal = evidence.find(({ verdict }) => FINAL[verdict] !== undefined);
  if (fatal !== undefined) {
    const failure: FailureFacts = {
      class: 'permanent',
      code: FINAL[fatal.verdict] ?? '',
      message: inWords(fatal),
    };
    ledger.happened({ event: 'ProofFailed', failure, evidence });
    return;
  }
  const wrong = answers.findIndex((results) => !isFine(results));
  const proved = from + (wrong === -1 ? answers.length : wrong);
  // The version that is brought back may have fewer names, and so fewer endpoints.
  const next = proved >= endpoints.length ? Math.max(proved, stage.endpoints) : proved;
  ledger.happened({ event: 'Probed', next, served: wrong === -1, evidence });
}

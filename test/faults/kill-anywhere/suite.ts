import { expect, it } from 'vitest';
import { MINUTE_MS } from '../../../functions/core/time.ts';
import { chosen, SEED, TAKES_ALL } from '../extent.ts';
import type { Scenario } from './scenarios.ts';
import { sweep } from './sweep.ts';
import { STRIKES } from './wire.ts';

const TIMEOUT_MS = 25 * MINUTE_MS;

/** A test of one kind of renewal: struck at each of its calls, it ends as if nothing had been. */
export function survivesAnywhere(scenario: Scenario): void {
  it(
    `${scenario.name}: whatever happens to a call, one current version, its own key, and nothing left over`,
    async () => {
      const options = { strikesAt: (index: number) => chosen(STRIKES, index), lanes: TAKES_ALL ? 3 : 2 };
      const { boundaries, countedByServers, strikes, faults } = await sweep(scenario, options);
      process.stdout.write(
        `kill anywhere · ${scenario.name}: ${boundaries.length} calls, ${countedByServers} counted by the servers; ` +
          `${strikes} strikes${TAKES_ALL ? '' : ` (seed ${SEED})`}, ${faults.length} promises broken\n${boundaries.join(' ')}\n`,
      );
      expect(boundaries).toHaveLength(countedByServers);
      expect(strikes).toBe(boundaries.length * (TAKES_ALL ? STRIKES.length : 1));
      expect(faults).toEqual([]);
    },
    TIMEOUT_MS,
  );
}

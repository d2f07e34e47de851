import { afterAll, describe, expect, it } from 'vitest';
import { explore } from './explore.ts';
import { corpusOf } from './target.ts';
import { TARGETS } from './targets.ts';

/** Always the same inputs: a change that breaks a promise is to blame, and not the day. */
const SEED = 20_260_601;

describe.each(TARGETS.map((target) => [target.name, target] as const))('%s', (_name, target) => {
  afterAll(() => target.close?.());

  it.each([...corpusOf(target)])('keeps its promises with %s', async (_file, input) => {
    await expect(Promise.resolve(target.examine(input))).resolves.toBeUndefined();
  });

  it('keeps its promises with what is made of these', async () => {
    const { runs, broken } = await explore(target, { seed: SEED, runs: target.quickRuns });
    expect(broken?.why).toBeUndefined();
    expect(runs).toBe(target.quickRuns);
  });
});

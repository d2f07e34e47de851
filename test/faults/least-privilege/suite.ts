import { describe, expect, it } from 'vitest';
import type { Deployment } from '../../support/deployment.ts';
import { type Life, missedWithout, survey } from './grants.ts';

/** AWS judges these in calls of another name. */
const CALLS_THAT_NEED: Readonly<Record<string, readonly string[]>> = {
  'secretsmanager:TagResource': ['CreateSecret'],
  'kms:GenerateDataKey': ['CreateSecret'],
  'kms:Decrypt': ['CreateSecret', 'GetSecretValue'],
  'ecs:TagResource': ['TagResource', 'RegisterTaskDefinition'],
  'iam:PassRole': ['RegisterTaskDefinition'],
};

/** Each grant is used in that life, and is missed in one without it. */
export async function hasNoGrantTooMany<D extends Deployment>(life: Life<D>, fewest: number): Promise<void> {
  const { grants, unused } = await survey(life);

  describe(`every grant of every role, in ${life.name}`, () => {
    it('is used', () => {
      expect(grants.length).toBeGreaterThan(fewest);
      expect(unused).toEqual([]);
    });

    it.each(grants.map((grant) => [grant.name, grant] as const))('is missed without it: %s', async (_name, grant) => {
      const calls = CALLS_THAT_NEED[grant.action] ?? grant.action.split(':').slice(1);
      const expected = new RegExp(calls.join('|'));
      expect(await missedWithout(grant, life, expected)).toContainEqual(expect.stringMatching(expected));
    });
  });
}

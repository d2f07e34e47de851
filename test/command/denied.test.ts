import { describe, expect, it } from 'vitest';
import { deniedIn } from '../../bin/operator/denied.ts';
import { awsFailure } from '../../functions/aws/failures.ts';

const TABLE = 'arn:aws:dynamodb:eu-central-1:111122223333:table/Everleaf';
const denial = (why: string) => {
  const words = `User: arn:aws:sts::111122223333:assumed-role/ops/alice is not authorized to perform: dynamodb:Scan on resource: ${TABLE}${why}`;
  const error = Object.assign(new Error(words), { name: 'AccessDeniedException', $metadata: { httpStatusCode: 400 } });
  return deniedIn(awsFailure(error, 'reading the inventory'), 'viewer')?.message;
};

describe('a denial', () => {
  it.each(['', ' because no identity-based policy allows the dynamodb:Scan action'])(
    'that a policy of one’s own would cure names that policy: "%s"',
    (why) => {
      expect(denial(why)).toBe(
        `your credentials do not allow dynamodb:Scan on ${TABLE}; docs/policies/viewer.json grants what this command needs`,
      );
    },
  );

  it.each([
    ' with an explicit deny in a service control policy',
    ' with an explicit deny in a permissions boundary',
    ' because no session policy allows the dynamodb:Scan action',
  ])('of another kind keeps AWS’s reason: "%s"', (why) => {
    const message = denial(why);
    expect(message).toContain(why.replace(/:Scan action$/, ''));
    expect(message).toContain('ask whoever keeps the one that it names');
    expect(message).not.toContain('docs/policies');
  });

  it('of something else is not one', () => {
    expect(deniedIn(new Error('no'), 'viewer')).toBeUndefined();
  });
});

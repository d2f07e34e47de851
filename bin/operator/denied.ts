import { ACCESS_DENIED, EverleafError, PermanentError } from '../../functions/core/errors.ts';

/** Policies in docs/policies/, by what a person does under them. */
export type Policy = 'viewer' | 'operator' | 'recovery';

/** IAM's words for a grant that is missing. */
const ACTION =
  /not authorized to perform: ([\w-]+:\w+)(?: on resource: (\S+))?( (?:with an explicit deny|because no) [\w -]*)?/;

/** A policy of the person's own would cure these; of any other kind somebody else has to hear. */
const CURABLE = /because no identity-based policy/;

/** Does `work`; where a permission is missing, says which, and which policy has it. */
export async function permittedBy<T>(policy: Policy, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw deniedIn(error, policy) ?? error;
  }
}

export function deniedIn(error: unknown, policy: Policy): PermanentError | undefined {
  if (!(error instanceof EverleafError) || error.code !== ACCESS_DENIED) return undefined;
  const [, action, resource, why = ''] = ACTION.exec(error.message) ?? [];
  if (action === undefined) return undefined;
  const where = resource === undefined ? '' : ` on ${resource}`;
  const [because, remedy] =
    why === '' || CURABLE.test(why)
      ? ['', `docs/policies/${policy}.json grants what this command needs`]
      : [why.trimEnd(), 'no policy of your own mends that: ask whoever keeps the one that it names'];
  return new PermanentError(ACCESS_DENIED, `your credentials do not allow ${action}${where}${because}; ${remedy}`, {
    cause: error,
  });
}

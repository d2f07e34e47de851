import * as z from 'zod/mini';
import { ACCESS_DENIED, type EverleafError, PermanentError, TransientError } from '../../core/errors.ts';
import { parseRetryAfter } from '../../core/http-faults.ts';
import type { ObjectRef } from './api.ts';
import { ruleFor } from './permissions.ts';

export interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: string;
}

export interface Refusal {
  readonly cluster: string;
  readonly verb: 'get' | 'patch';
  readonly object: ObjectRef;
  readonly answer: Answer;
  /** What was being done to what. */
  readonly doing: string;
}

/** `Status` of Kubernetes' API conventions, as far as it is told. */
const statusShape = z.object({
  reason: z._default(z.string(), 'Unknown'),
  message: z._default(z.string(), ''),
  details: z.optional(
    z.object({
      causes: z._default(
        z.array(z.object({ field: z._default(z.string(), ''), message: z._default(z.string(), '') })),
        [],
      ),
    }),
  ),
});
type Status = z.infer<typeof statusShape>;

/** A refusal as one of ours, with who is in the way and what to grant. */
export function apiFailure(refusal: Refusal): EverleafError {
  const { cluster, object, answer, doing } = refusal;
  const status = readStatus(answer.body);
  const text = `${doing}: ${answer.status} ${status.reason}${quotable(status, object)}`;
  const retryAfterSeconds = parseRetryAfter(answer.retryAfter, Date.now());
  if (answer.status === 401) {
    const remedy = `give the deploy function's role an access entry of cluster ${cluster} with the group everleaf`;
    return new PermanentError(ACCESS_DENIED, `${text} (the cluster does not know the role: ${remedy})`);
  }
  if (answer.status === 403) {
    const remedy = `grant it in a Role of namespace ${object.namespace}: ${ruleFor(object)}; "everleaf rbac" prints all of it`;
    return new PermanentError(ACCESS_DENIED, `${text} (${remedy})`);
  }
  if (answer.status === 404) {
    return new PermanentError('TargetMissing', `${text}; correct the DeployHook, or create what it names`);
  }
  if (answer.status === 409) return conflict(text, status);
  if (answer.status === 429) return new TransientError('Throttled', text, { retryAfterSeconds });
  if (answer.status >= 500) return new TransientError('ServiceFailed', text, { retryAfterSeconds });
  return new PermanentError('Refused', text);
}

/**
 * Server-side apply's conflict names each field that somebody else manages, and the manager. Any other 409 is two writes that
 * met, and goes away.
 */
function conflict(text: string, { message, details }: Status): EverleafError {
  const causes = details?.causes ?? [];
  const managers = new Set(
    [message, ...causes.map((cause) => cause.message)].flatMap((each) =>
      [...each.matchAll(/conflicts? with "([^"]{1,128})"/g)].map(([, manager = '']) => manager),
    ),
  );
  if (managers.size === 0) return new TransientError('Conflict', text);
  const fields = causes.map(({ field }) => field).filter((field) => field !== '');
  return new PermanentError(
    'FieldConflict',
    `${text}: ${fields.join(', ') || 'fields'} managed by ${[...managers].join(', ')}; take the Secret away from that manager, give ` +
      `the DeployHook another secretName, or set force: true to take the fields over`,
  );
}

/** The server may quote what it was sent. What it was sent of a Secret is the key. */
const quotable = ({ message }: Status, { resource }: ObjectRef): string =>
  resource === 'secrets' || message === '' ? '' : `: ${message.slice(0, 300)}`;

function readStatus(body: string): Status {
  try {
    return statusShape.parse(JSON.parse(body));
  } catch {
    // A load balancer in between, say, whose words are of no use.
    return { reason: 'without a Status', message: '' };
  }
}

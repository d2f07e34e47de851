import * as z from 'zod/mini';
import { type EverleafError, PermanentError, TransientError } from '../../core/errors.ts';
import { parseRetryAfter } from '../../core/http-faults.ts';
import type { Instant } from '../../core/time.ts';
import type { HttpAnswer } from './transport.ts';

const URN = 'urn:ietf:params:acme:error:';

const text = z.catch(z.string(), '');
const document = z.object({
  type: text,
  detail: text,
  subproblems: z.catch(
    z.array(z.object({ type: text, detail: text, identifier: z.catch(z.object({ value: text }), { value: '' }) })),
    [],
  ),
});

/** A problem document (RFC 7807), as RFC 8555 §6.7 fills it in. */
export interface Problem {
  /** Without its URN: `rateLimited`. Empty where the answer was no problem document. */
  readonly type: string;
  readonly detail: string;
  readonly subproblems: readonly { readonly type: string; readonly detail: string; readonly identifier: string }[];
  /** HTTP's; undefined for a problem inside of an object. */
  readonly status: number | undefined;
  readonly retryAfterSeconds: number | undefined;
}

/** What an EverleafError made of a problem was made of, as its `cause`. */
export class AcmeProblem extends Error {
  override readonly name = 'AcmeProblem';
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** What the CA objected to; undefined for any other error. */
export function problemOf(error: unknown): Problem | undefined {
  return error instanceof Error && error.cause instanceof AcmeProblem ? error.cause.problem : undefined;
}

/** The CA's own word for it. */
export const problemType = (error: unknown): string | undefined => problemOf(error)?.type;

/** The problem in `json`: an answer's body, or the `error` of an authorization or order. */
export function readProblem(json: unknown, answer?: HttpAnswer, now: Instant = 0): Problem {
  const parsed = z.safeParse(document, json);
  const { type = '', detail = '', subproblems = [] } = parsed.data ?? {};
  return {
    type: shorten(type.replace(URN, '')),
    detail: shorten(detail),
    subproblems: subproblems.map((each) => ({
      type: shorten(each.type.replace(URN, '')),
      detail: shorten(each.detail),
      identifier: shorten(each.identifier.value),
    })),
    status: answer?.status,
    retryAfterSeconds: parseRetryAfter(answer?.headers['retry-after'], now),
  };
}

/** Nothing but a person, the manifest or the CA's operators can change these: RFC 8555 §6.7, and profiles. */
const FOR_PEOPLE: Readonly<Record<string, string>> = {
  badCSR: 'the CA does not like the request: another key type or fewer names may help',
  badPublicKey: 'choose another key in spec.privateKey',
  badSignatureAlgorithm: 'choose another key type for the account',
  caa: 'let the CAA record of the name, or of a parent, name this CA',
  externalAccountRequired: 'give the issuer an externalAccountBinding',
  invalidContact: 'correct the issuer’s email',
  invalidProfile: 'correct the issuer’s profile; the CA’s directory lists them',
  rejectedIdentifier: 'the CA does not issue for this name',
  unauthorized: 'the account may not do this; see whether the CA has deactivated it',
  unsupportedContact: 'correct the issuer’s email',
  unsupportedIdentifier: 'the CA does not issue for names of this kind',
  userActionRequired: 'the CA wants a person to agree to something; its answer says what',
};

/** Not what every object has by that name, as `constructor`. */
const remedyFor = (type: string): string | undefined =>
  Object.hasOwn(FOR_PEOPLE, type) ? FOR_PEOPLE[type] : undefined;

/** Repeating cures these, though the status says that we are at fault. */
const PASSING = new Set(['badNonce', 'rateLimited', 'serverInternal', 'orderNotReady', 'connection', 'dns', 'tls']);

/** A refused request as one of ours. `doing` says what was asked: "ordering a certificate". */
export function failureOf(problem: Problem, doing: string): EverleafError {
  const { type, status, retryAfterSeconds } = problem;
  const cause = new AcmeProblem(problem);
  const message = `${doing}: ${inWords(problem)}`;
  if (type === 'rateLimited' || status === 429) {
    // Most limits are on a domain or a set of names (Let's Encrypt, "Rate limits"): no reason to keep other certificates waiting.
    // A CA that has too much to do answers with 503, or with no problem of its own.
    const blamesCa = type !== 'rateLimited' || status === 503;
    return new TransientError('AcmeRateLimited', message, { cause, retryAfterSeconds, blamesCa });
  }
  // The CA has lost our account: the next attempt registers again.
  if (type === 'accountDoesNotExist') {
    return new TransientError('AcmeAccountDoesNotExist', message, { cause, endsAttempt: true });
  }
  if (status === 404) return new TransientError('AcmeNotFound', message, { cause, endsAttempt: true });
  if (PASSING.has(type) || status === undefined || status >= 500 || status === 408) {
    return new TransientError(codeOf(type, 'CaFailed'), message, { cause, retryAfterSeconds });
  }
  const remedy = remedyFor(type);
  return new PermanentError(codeOf(type, 'CaRefused'), remedy === undefined ? message : `${message} (${remedy})`, {
    cause,
  });
}

/** Stable for what the RFC names; what a CA makes up does not become a code of ours. */
function codeOf(type: string, otherwise: string): string {
  const known = remedyFor(type) !== undefined || PASSING.has(type);
  return known ? `Acme${type.charAt(0).toUpperCase()}${type.slice(1)}` : otherwise;
}

const MOST_SUBPROBLEMS_SHOWN = 3;

/** `caa: CAA record for a.example prevents issuance [b.example: dns: no such name]` */
export function inWords({ type, detail, status, subproblems }: Problem): string {
  const what = [type || `status ${status ?? 'none'}`, detail].filter((part) => part !== '').join(': ');
  const shown = subproblems
    .slice(0, MOST_SUBPROBLEMS_SHOWN)
    .map((each) => [each.identifier, each.type, each.detail].filter((part) => part !== '').join(': '));
  const more = subproblems.length - shown.length;
  if (shown.length === 0) return what;
  return `${what} [${shown.join('; ')}${more > 0 ? `; and ${more} more` : ''}]`;
}

const LONGEST_TEXT = 300;

/** A CA's words end up in logs and on terminals. */
export function shorten(words: string): string {
  const clean = words.replace(/\p{Cc}/gu, ' ');
  return clean.length <= LONGEST_TEXT ? clean : `${clean.slice(0, LONGEST_TEXT - 1)}…`;
}

import { ACCESS_DENIED, ConflictError, EverleafError, PermanentError, TransientError } from '../core/errors.ts';
import { parseRetryAfter, wasNotSent } from '../core/http-faults.ts';

/** What every AWS SDK v3 exception carries, read without importing a client. */
interface ServiceFailure {
  readonly name: string;
  readonly message: string;
  readonly httpStatus: number | undefined;
  readonly retryAfterSeconds: number | undefined;
}

/** Network faults by Node's codes. */
const NETWORK =
  /^(?:ECONN|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|TimeoutError|RequestTimeout|NetworkingError|AbortError)/;
const THROTTLED =
  /Throttl|PriorRequestNotComplete|TransactionInProgress|TooManyRequests|RequestLimitExceeded|LimitExceeded|SlowDown|ProvisionedThroughput/;
const DENIED =
  /AccessDenied|UnauthorizedOperation|NotAuthorized|UnrecognizedClient|InvalidClientTokenId|InvalidSignature/;
/** Credentials that ran out are renewed by the SDK. */
const EXPIRED = /ExpiredToken|RequestExpired/;

/**
 * An AWS SDK error as one of ours. `doing` says what was being done to what ("reading secret X"). Service-specific
 * exceptions are for the adapter to handle first; this is the floor that all of them share.
 */
export function awsFailure(error: unknown, doing: string): EverleafError {
  if (error instanceof EverleafError) return error;
  const failure = readFailure(error);
  const text = `${doing}: ${failure.name}: ${failure.message}`;
  if (DENIED.test(failure.name)) {
    return new PermanentError(ACCESS_DENIED, `${text} (grant the action named, or correct the resource's policy)`, {
      cause: error,
    });
  }
  if (failure.name === 'SyntaxError') {
    return new TransientError('AnswerUnreadable', text, { cause: error, mayHaveActed: true });
  }
  if (failure.name === 'ConditionalCheckFailedException') return new ConflictError('Conflict', text, { cause: error });
  const { retryAfterSeconds } = failure;
  if (THROTTLED.test(failure.name) || failure.httpStatus === 429)
    return new TransientError('Throttled', text, { cause: error, retryAfterSeconds });
  if (EXPIRED.test(failure.name)) return new TransientError('CredentialsExpired', text, { cause: error });
  if (failure.httpStatus === undefined || failure.httpStatus === 408 || NETWORK.test(failure.name)) {
    return new TransientError('Unreachable', text, { cause: error, mayHaveActed: !wasNotSent(failure.name) });
  }
  if (failure.httpStatus >= 500) return new TransientError('ServiceFailed', text, { cause: error, retryAfterSeconds });
  return new PermanentError('Refused', text, { cause: error });
}

export const failureName = (error: unknown): string => readFailure(error).name;

function readFailure(error: unknown): ServiceFailure {
  if (!(error instanceof Error))
    return { name: 'Error', message: String(error), httpStatus: undefined, retryAfterSeconds: undefined };
  const { $metadata, $response, code } = error as Error & {
    readonly $metadata?: { readonly httpStatusCode?: number };
    readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
    readonly code?: string;
  };
  return {
    name: error.name === 'Error' && code !== undefined ? code : error.name,
    message: SDK_MESSAGES[error.message] ?? withoutHint(error.message),
    httpStatus: $metadata?.httpStatusCode,
    retryAfterSeconds: parseRetryAfter($response?.headers?.['retry-after'], Date.now()),
  };
}

/** What the SDK says of an answer without an error in it, and of a call that its caller's time limit has ended. */
const SDK_MESSAGES: Readonly<Record<string, string>> = {
  UnknownError: 'a status, and no more',
  'Request aborted': 'no complete answer in time',
};

/** What the SDK says to programmers, of objects that only they have. */
const withoutHint = (message: string): string =>
  message.replace(/\s*Deserialization error: to see the raw response.*$/s, '');

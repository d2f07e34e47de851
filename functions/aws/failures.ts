import { ConflictError, EverleafError, PermanentError, TransientError } from '../core/errors.ts';

/** What every AWS SDK v3 exception carries, read without importing a client. */
interface ServiceFailure {
  readonly name: string;
  readonly message: string;
  readonly httpStatus: number | undefined;
  readonly retryAfterSeconds: number | undefined;
}

/** Network faults by Node's codes: the request may or may not have arrived. */
const NETWORK = /^(?:ECONN|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|TimeoutError|NetworkingError|AbortError)/;
const THROTTLED = /Throttl|TooManyRequests|RequestLimitExceeded|LimitExceeded|SlowDown|ProvisionedThroughput/;
const DENIED =
  /AccessDenied|UnauthorizedOperation|NotAuthorized|UnrecognizedClient|InvalidClientTokenId|ExpiredToken|InvalidSignature/;

/**
 * An AWS SDK error as one of ours. `doing` says what was being done to what ("reading secret X"). Service-specific
 * exceptions are for the adapter to handle first; this is the floor that all of them share.
 */
export function awsFailure(error: unknown, doing: string): EverleafError {
  if (error instanceof EverleafError) return error;
  const failure = readFailure(error);
  const text = `${doing}: ${failure.name}: ${failure.message}`;
  if (DENIED.test(failure.name)) {
    return new PermanentError('AccessDenied', `${text} (grant the action named, or correct the resource's policy)`, {
      cause: error,
    });
  }
  if (failure.name === 'ConditionalCheckFailedException') return new ConflictError('Conflict', text, { cause: error });
  const { retryAfterSeconds } = failure;
  if (THROTTLED.test(failure.name)) return new TransientError('Throttled', text, { cause: error, retryAfterSeconds });
  if (failure.httpStatus === undefined || NETWORK.test(failure.name)) {
    return new TransientError('Unreachable', text, { cause: error });
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
  const retryAfter = Number($response?.headers?.['retry-after']);
  return {
    name: error.name === 'Error' && code !== undefined ? code : error.name,
    message: error.message,
    httpStatus: $metadata?.httpStatusCode,
    retryAfterSeconds: Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter : undefined,
  };
}

import type { Outcome } from './sandbox.ts';

/** What Lambda sends to an on-failure destination when it has given up on an asynchronous invocation. */
export function failureRecord(
  functionArn: string,
  event: unknown,
  outcome: Outcome & { readonly ok: false },
  attempts: number,
  now: number,
): Record<string, unknown> {
  return {
    version: '1.0',
    timestamp: new Date(now).toISOString(),
    requestContext: {
      functionArn: `${functionArn}:$LATEST`,
      condition: 'RetriesExhausted',
      approximateInvokeCount: attempts,
    },
    requestPayload: event,
    responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
    responsePayload: outcome.failure,
  };
}

/**
 * Settings every AWS client here shares: few retries of the SDK's own, since the ledger retries across invocations, and
 * time limits, since a function that hangs holds a lease.
 */
export const CLIENT_SETTINGS = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true },
} as const;

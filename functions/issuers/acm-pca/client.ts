import { ACMPCAClient } from '@aws-sdk/client-acm-pca';
import type { Credentials } from '../../aws/assumed-role.ts';
import { CLIENT_SETTINGS } from '../../aws/client.ts';
import { TransientError } from '../../core/errors.ts';
import { SECOND_MS } from '../../core/time.ts';

/** For one call, the SDK's own repeats included. Its time limits are for silence: an answer that only trickles runs into none. */
const CALL_LIMIT_MS = 20 * SECOND_MS;

export const callLimit = (): AbortSignal => AbortSignal.timeout(CALL_LIMIT_MS);

/** A chain of ten certificates has some twenty kilobytes. The SDK takes whatever comes into memory. */
const LARGEST_ANSWER_BYTES = 256 * 1024;

/** The SDK's client, with bounds for answers, and with an ear for Retry-After. */
export function acmPcaClient(region: string, credentials: Credentials | undefined): ACMPCAClient {
  const client = new ACMPCAClient({
    ...CLIENT_SETTINGS,
    region,
    ...(credentials === undefined ? {} : { credentials }),
  });
  const { retryStrategy } = client.config;
  client.config.retryStrategy = async () => heedful(await retryStrategy());
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const result = await next(args);
        const response = result.response as { body: AsyncIterable<Uint8Array> | Uint8Array };
        if (!(response.body instanceof Uint8Array)) response.body = await readAll(response.body, commandName);
        return result;
      },
    { name: 'boundedAnswer', step: 'deserialize', priority: 'low' },
  );
  return client;
}

type RetryStrategy = Awaited<ReturnType<ACMPCAClient['config']['retryStrategy']>>;

/** The SDK would wait in place for twenty seconds, and then ask all the same. The ledger waits for as long as it has to. */
function heedful(strategy: RetryStrategy): RetryStrategy {
  if (!('refreshRetryTokenForRetry' in strategy)) return strategy;
  return {
    acquireInitialRetryToken: (scope) => strategy.acquireInitialRetryToken(scope),
    recordSuccess: (token) => strategy.recordSuccess(token),
    refreshRetryTokenForRetry: async (token, failure) => {
      if (failure.retryAfterHint !== undefined) throw new Error('not before the time that was asked for');
      return strategy.refreshRetryTokenForRetry(token, failure);
    },
  };
}

async function readAll(body: AsyncIterable<Uint8Array>, command = ''): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    chunks.push(chunk);
    if (size <= LARGEST_ANSWER_BYTES) continue;
    throw new TransientError(
      'CaAnswerTooLarge',
      `the answer to ${command.replace(/Command$/, '')} has more than ${LARGEST_ANSWER_BYTES} bytes`,
      {
        mayHaveActed: true,
      },
    );
  }
  return Buffer.concat(chunks);
}

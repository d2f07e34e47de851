import type { Logger } from '@aws-lambda-powertools/logger';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { ConflictError, describeFailure } from '../core/errors.ts';
import { parseHint, type RenewalHint } from '../core/events.ts';
import type { Shift } from '../core/shift.ts';
import { SECOND_MS } from '../core/time.ts';

/** Time kept back for noting and releasing when a step runs long. */
const RESERVE_MS = 20 * SECOND_MS;
/** The lease outlives the function by this much, so that nobody takes over while it may still act. */
const LEASE_MARGIN_MS = 10 * SECOND_MS;

/** A function that works on the certificates that a queue hints at. Answers the messages that want another delivery. */
export const hintHandler =
  (work: (hint: RenewalHint, shift: Shift) => Promise<void>, logger: Logger, onDone: () => void = () => {}) =>
  async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
    const remainingMs = context.getRemainingTimeInMillis();
    const shift: Shift = {
      owner: context.awsRequestId,
      leaseMs: remainingMs + LEASE_MARGIN_MS,
      deadline: Date.now() + remainingMs - RESERVE_MS,
    };
    const outcomes = await Promise.all(
      event.Records.map(async (record) => ({ record, ok: await handle(record, shift, work, logger) })),
    );
    onDone();
    const failed = outcomes.filter(({ ok }) => !ok);
    return { batchItemFailures: failed.map(({ record }) => ({ itemIdentifier: record.messageId })) };
  };

async function handle(
  { body, messageId }: SQSRecord,
  shift: Shift,
  work: (hint: RenewalHint, shift: Shift) => Promise<void>,
  logger: Logger,
): Promise<boolean> {
  let hint: RenewalHint | undefined;
  try {
    hint = parseHint(body);
    await work(hint, shift);
    return true;
  } catch (error) {
    const facts = { correlation_id: hint?.correlationId, messageId, failure: describeFailure(error) };
    // Somebody else has it in hand, and the schedule looks again: the message has served.
    if (error instanceof ConflictError) {
      logger.info('left to another worker', facts);
      return true;
    }
    logger.error('message could not be worked on', facts);
    return false;
  }
}

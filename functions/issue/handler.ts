import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import * as z from 'zod/mini';
import { readEnvironment, setting } from '../aws/environment.ts';
import { createLogger } from '../aws/logger.ts';
import { eventBridgeBus } from '../buses/eventbridge.ts';
import { bindIssuer } from '../catalogue.ts';
import { attemptId, type IssuerSpec } from '../core/certificate.ts';
import { ConflictError, describeFailure } from '../core/errors.ts';
import { parseHint } from '../core/events.ts';
import { canonicalJson } from '../core/spec-change.ts';
import { MINUTE_MS, SECOND_MS } from '../core/time.ts';
import { dynamoDbInventory } from '../inventories/dynamodb.ts';
import { sqsHintQueue } from '../queues/sqs.ts';
import { accountStore } from '../stores/accounts.ts';
import { secretsManagerStore } from '../stores/secrets-manager.ts';
import type { ConnectedIssuer, RenewalParts } from './parts.ts';
import { renew, type Shift } from './renew.ts';

const environment = readEnvironment({
  TABLE_NAME: setting,
  BUS_NAME: setting,
  QUEUE_URL: setting,
  DEPLOYMENT: setting,
  KMS_KEY_ARN: z.optional(setting),
});
const logger = createLogger('issue');
const log: RenewalParts['log'] = (message, facts) => logger.info(message, facts);
const secrets = { deployment: environment.DEPLOYMENT, kmsKeyArn: environment.KMS_KEY_ARN };
const accounts = accountStore(secrets);

/** What an issuer's client learns of its CA is trusted for so long in a warm function. */
const CONNECTION_LIFETIME_MS = 5 * MINUTE_MS;

const connections = new Map<string, { readonly connected: Promise<ConnectedIssuer>; readonly until: number }>();

function connectOnce(spec: IssuerSpec): Promise<ConnectedIssuer> {
  const key = canonicalJson(spec);
  const known = connections.get(key);
  if (known !== undefined && Date.now() < known.until) return known.connected;
  const connected = connect(spec);
  connections.set(key, { connected, until: Date.now() + CONNECTION_LIFETIME_MS });
  return connected;
}

async function connect(spec: IssuerSpec): Promise<ConnectedIssuer> {
  const { plugin, create } = bindIssuer(spec);
  const { uninvitedUsages, withheldUsages, honoursNotAfter } = plugin;
  const issuer = await create({ accounts, clock: Date.now, log });
  return { issuer, uninvitedUsages, withheldUsages, honoursNotAfter };
}

const parts: RenewalParts = {
  inventory: dynamoDbInventory(environment.TABLE_NAME),
  store: secretsManagerStore(secrets),
  bus: eventBridgeBus(environment.BUS_NAME),
  hints: sqsHintQueue(environment.QUEUE_URL),
  connect: connectOnce,
  clock: Date.now,
  pause: (seconds) => wait(seconds * SECOND_MS),
  newAttemptId: () => attemptId.parse(randomUUID()),
  random: Math.random,
  log,
};

/** Time kept back for noting and releasing when a step runs long. */
const RESERVE_MS = 20 * SECOND_MS;
/** The lease outlives the function by this much, so that nobody takes over while it may still act. */
const LEASE_MARGIN_MS = 10 * SECOND_MS;

/** Answers the messages that want another delivery; the rest are acknowledged. */
export async function handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  const remainingMs = context.getRemainingTimeInMillis();
  const shift: Shift = {
    owner: context.awsRequestId,
    leaseMs: remainingMs + LEASE_MARGIN_MS,
    deadline: parts.clock() + remainingMs - RESERVE_MS,
  };
  const outcomes = await Promise.all(
    event.Records.map(async (record) => ({ record, ok: await handle(record, shift) })),
  );
  const failed = outcomes.filter(({ ok }) => !ok);
  return { batchItemFailures: failed.map(({ record }) => ({ itemIdentifier: record.messageId })) };
}

async function handle({ body, messageId }: SQSRecord, shift: Shift): Promise<boolean> {
  try {
    await renew(parseHint(body).certificate, parts, shift);
    return true;
  } catch (error) {
    const failure = describeFailure(error);
    // Somebody else has it in hand, and the schedule looks again: the message has served.
    if (error instanceof ConflictError) {
      logger.info('left to another worker', { messageId, failure });
      return true;
    }
    logger.error('message could not be worked on', { messageId, failure });
    return false;
  }
}

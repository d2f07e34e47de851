import type { Context } from 'aws-lambda';
import * as z from 'zod/mini';
import { readEnvironment, setting } from '../aws/environment.ts';
import { createLogger } from '../aws/logger.ts';
import { logMeter } from '../aws/meter.ts';
import { eventBridgeBus } from '../buses/eventbridge.ts';
import { SECOND_MS } from '../core/time.ts';
import { dynamoDbInventory } from '../inventories/dynamodb.ts';
import { detect, type Found } from './detect.ts';

const environment = readEnvironment({
  TABLE_NAME: setting,
  BUS_NAME: setting,
  DEPLOYMENT: setting,
  HINTS_PER_TICK: z.coerce.number(),
  SECONDS_BETWEEN_TICKS: z.coerce.number(),
});
const inventory = dynamoDbInventory(environment.TABLE_NAME);
const bus = eventBridgeBus(environment.BUS_NAME);
const logger = createLogger('detect');
const meter = logMeter(environment.DEPLOYMENT);

/** Keys of so many certificates fit into this function's memory and time, all of them due at once. */
const MOST_READ = 100_000;

/** Runs on the schedule. Its event says nothing that matters. */
export async function handler(_event: unknown, { awsRequestId }: Context): Promise<Found> {
  const now = Date.now();
  const found = await detect(inventory, bus, {
    now,
    next: now + environment.SECONDS_BETWEEN_TICKS * SECOND_MS,
    mostRead: MOST_READ,
    mostHints: environment.HINTS_PER_TICK,
    correlationId: awsRequestId,
  });
  logger.info('looked for certificates that are due', { correlation_id: awsRequestId, ...found });
  meter.record('CertificatesDue', found.due);
  meter.record('CertificatesTold', found.told);
  meter.record('OldestDue', found.oldestDueSeconds);
  if (found.budgetLeft !== undefined) meter.record('IssuerBudgetLeft', found.budgetLeft);
  meter.record('Heartbeat', 1);
  meter.publish();
  return found;
}

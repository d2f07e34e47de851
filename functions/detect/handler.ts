import * as z from 'zod/mini';
import { readEnvironment, setting } from '../aws/environment.ts';
import { createLogger } from '../aws/logger.ts';
import { eventBridgeBus } from '../buses/eventbridge.ts';
import { dynamoDbInventory } from '../inventories/dynamodb.ts';
import { detect } from './detect.ts';

const environment = readEnvironment({ TABLE_NAME: setting, BUS_NAME: setting, HINTS_PER_TICK: z.coerce.number() });
const inventory = dynamoDbInventory(environment.TABLE_NAME);
const bus = eventBridgeBus(environment.BUS_NAME);
const logger = createLogger('detect');

/** Runs on the schedule. Its event says nothing that matters. */
export async function handler(): Promise<{ readonly due: number }> {
  const due = await detect(inventory, bus, Date.now(), environment.HINTS_PER_TICK);
  logger.info('looked for certificates that are due', { due });
  return { due };
}

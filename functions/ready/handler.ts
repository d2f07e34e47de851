import { setTimeout as wait } from 'node:timers/promises';
import type { CloudFormationCustomResourceEvent, Context } from 'aws-lambda';
import * as z from 'zod/mini';
import { respondWith, type ResourceData } from '../aws/custom-resource.ts';
import { readEnvironment, setting } from '../aws/environment.ts';
import { createLogger } from '../aws/logger.ts';
import { certificateId } from '../core/certificate.ts';
import { SECOND_MS } from '../core/time.ts';
import { dynamoDbInventory } from '../inventories/dynamodb.ts';
import { awaitIssuance } from './await-issuance.ts';

const environment = readEnvironment({ TABLE_NAME: setting });
const inventory = dynamoDbInventory(environment.TABLE_NAME);
const logger = createLogger('ready');

/** CloudFormation hands numbers over as text. */
const properties = z.object({ Certificate: certificateId, TimeoutSeconds: z.coerce.number() });

/** Time kept back for the answer, which is tried twice. */
const RESERVE_MS = 45 * SECOND_MS;

const parts = { inventory, clock: Date.now, pause: (seconds: number) => wait(seconds * SECOND_MS) };

/**
 * The custom resource behind `ready`. It waits in place: only a deployment starts it, and whoever waited elsewhere would
 * have to keep the response URL, which is a credential.
 */
export async function handler(event: CloudFormationCustomResourceEvent, context: Context): Promise<void> {
  const started = Date.now();
  const ends = started + context.getRemainingTimeInMillis() - RESERVE_MS;
  await respondWith(event, physicalIdOf(event), async (): Promise<ResourceData> => {
    if (event.RequestType === 'Delete') return {};
    const { Certificate, TimeoutSeconds } = properties.parse(event.ResourceProperties);
    const deadline = Math.min(started + TimeoutSeconds * SECOND_MS, ends);
    const { version, generation } = await awaitIssuance(Certificate, deadline, parts);
    logger.info('has been issued', { certificate: Certificate, version, generation });
    return { Version: version, Generation: generation };
  });
}

/** Named after the certificate, so that another certificate is another resource: it is waited for before the old one goes. */
function physicalIdOf(event: CloudFormationCustomResourceEvent): string {
  if (event.RequestType === 'Delete') return event.PhysicalResourceId;
  return `ready:${String(event.ResourceProperties['Certificate'])}`;
}

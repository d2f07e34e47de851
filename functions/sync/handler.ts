import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { CloudFormationCustomResourceEvent, Context } from 'aws-lambda';
import * as z from 'zod/mini';
import { CLIENT_SETTINGS } from '../aws/client.ts';
import { respondWith, type ResourceData } from '../aws/custom-resource.ts';
import { readEnvironment, setting } from '../aws/environment.ts';
import { awsFailure } from '../aws/failures.ts';
import { createLogger } from '../aws/logger.ts';
import { logMeter } from '../aws/meter.ts';
import { type Manifest, manifest } from '../core/certificate.ts';
import { PermanentError } from '../core/errors.ts';
import { dynamoDbInventory } from '../inventories/dynamodb.ts';
import { applyManifest } from './apply-manifest.ts';

const environment = readEnvironment({ TABLE_NAME: setting, DEPLOYMENT: setting });
const inventory = dynamoDbInventory(environment.TABLE_NAME);
const s3 = new S3Client({ ...CLIENT_SETTINGS });
const logger = createLogger('sync');
const meter = logMeter(environment.DEPLOYMENT);

const properties = z.object({ ManifestBucket: z.string(), ManifestKey: z.string() });

/** The custom resource behind `certificates/`: at every deploy that changes the manifest, the inventory follows. */
export async function handler(event: CloudFormationCustomResourceEvent, _context: Context): Promise<void> {
  await respondWith(event, `${environment.DEPLOYMENT}-manifest`, async (): Promise<ResourceData> => {
    // Removing the stack retires nothing: certificates, keys and records stay, for the next deployment to take up.
    if (event.RequestType === 'Delete') return {};
    const { ManifestBucket, ManifestKey } = properties.parse(event.ResourceProperties);
    const report = await applyManifest(inventory, await readManifest(ManifestBucket, ManifestKey), Date.now());
    logger.info('manifest applied', { ...report });
    if (event.RequestType === 'Create') beginHeartbeat();
    return { ...report };
  });
}

/** Silence counts from here: without this, the alarms on it would ring until the first look. */
function beginHeartbeat(): void {
  meter.record('Heartbeat', 1);
  meter.record('Surveys', 1);
  meter.publish();
}

async function readManifest(bucket: string, key: string): Promise<Manifest> {
  const text = await readObject(bucket, key);
  const parsed = z.safeDecode(manifest, JSON.parse(text) as z.input<typeof manifest>);
  if (parsed.success) return parsed.data;
  throw new PermanentError(
    'UnreadableManifest',
    `the deployed manifest does not fit: ${z.prettifyError(parsed.error)}`,
  );
}

async function readObject(bucket: string, key: string): Promise<string> {
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return (await Body?.transformToString()) ?? '';
  } catch (error) {
    throw awsFailure(error, `reading the manifest from ${bucket}`);
  }
}

import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import * as z from 'zod/mini';
import { jsonOf, readEnvironment, setting } from '../aws/environment.ts';
import { hintHandler } from '../aws/hints.ts';
import { createLogger } from '../aws/logger.ts';
import { logMeter } from '../aws/meter.ts';
import { eventBridgeBus } from '../buses/eventbridge.ts';
import { bindIssuer } from '../catalogue.ts';
import { attemptId, type IssuerSpec } from '../core/certificate.ts';
import { correlated } from '../core/correlation.ts';
import { canonicalJson } from '../core/spec-change.ts';
import { MINUTE_MS, SECOND_MS } from '../core/time.ts';
import { dynamoDbInventory } from '../inventories/dynamodb.ts';
import { sqsHintQueue } from '../queues/sqs.ts';
import { accountStore } from '../stores/accounts.ts';
import type { SecretsManagerSettings } from '../stores/owned-secrets.ts';
import { secretsManagerStore } from '../stores/secrets-manager.ts';
import type { ConnectedIssuer, RenewalParts } from './parts.ts';
import { renew } from './renew.ts';

const replica = z.object({ region: setting, kmsKeyArn: setting });
const environment = readEnvironment({
  TABLE_NAME: setting,
  BUS_NAME: setting,
  QUEUE_URL: setting,
  DEPLOYMENT: setting,
  KMS_KEY_ARN: setting,
  REPLICAS: z.optional(jsonOf(z.array(replica))),
  SECRET_TAGS: z.optional(jsonOf(z.record(z.string(), z.string()))),
});
const logger = createLogger('issue');
const meter = logMeter(environment.DEPLOYMENT);
const log: RenewalParts['log'] = (message, facts) => logger.info(message, facts);
const secrets: SecretsManagerSettings = {
  deployment: environment.DEPLOYMENT,
  kmsKeyArn: environment.KMS_KEY_ARN,
  tags: environment.SECRET_TAGS ?? {},
  replicas: environment.REPLICAS ?? [],
};
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
  meter,
  connect: connectOnce,
  clock: Date.now,
  pause: (seconds) => wait(seconds * SECOND_MS),
  newAttemptId: () => attemptId.parse(randomUUID()),
  random: Math.random,
  log,
};

export const handler = hintHandler(
  ({ certificate, correlationId }, shift) => renew(certificate, correlated(parts, correlationId), shift),
  logger,
  () => meter.publish(),
);

import { readEnvironment, setting } from '../aws/environment.ts';
import { hintHandler } from '../aws/hints.ts';
import { createLogger } from '../aws/logger.ts';
import { logMeter } from '../aws/meter.ts';
import { eventBridgeBus } from '../buses/eventbridge.ts';
import { hookPlugin } from '../catalogue.ts';
import type { HookContext } from '../core/rollout/ports.ts';
import { correlated } from '../core/correlation.ts';
import { measureRollouts } from '../core/metrics.ts';
import { dynamoDbInventory } from '../inventories/dynamodb.ts';
import { tlsProber } from '../probers/tls/prober.ts';
import { sqsHintQueue } from '../queues/sqs.ts';
import { bundleReader } from '../stores/bundle-reader.ts';
import { versionSwitch } from '../stores/version-switch.ts';
import { deploy } from './deploy.ts';
import type { DeployParts } from './parts.ts';

const environment = readEnvironment({
  TABLE_NAME: setting,
  BUS_NAME: setting,
  QUEUE_URL: setting,
  DEPLOYMENT: setting,
});
const logger = createLogger('deploy');
const meter = logMeter(environment.DEPLOYMENT);
const bus = eventBridgeBus(environment.BUS_NAME);
const context: HookContext = { clock: Date.now, log: (message, facts) => logger.info(message, facts) };

const parts: DeployParts = {
  inventory: dynamoDbInventory(environment.TABLE_NAME),
  versions: versionSwitch(environment.DEPLOYMENT),
  bus: {
    publish: async (announcements) => {
      await bus.publish(announcements);
      measureRollouts(announcements, meter);
    },
  },
  hints: sqsHintQueue(environment.QUEUE_URL),
  connect: (kind, options) => {
    const plugin = hookPlugin(kind);
    return plugin.create(options, plugin.writesKeys ? { ...context, readBundle: bundleReader() } : context);
  },
  prober: tlsProber(),
  clock: Date.now,
  log: context.log,
};

export const handler = hintHandler(
  ({ certificate, correlationId }, shift) => deploy(certificate, correlated(parts, correlationId), shift),
  logger,
  () => meter.publish(),
);

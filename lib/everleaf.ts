import { Annotations, CfnOutput, Duration, Stack, Token } from 'aws-cdk-lib';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { Construct } from 'constructs';
import { Alarms } from './alarms.ts';
import { CertificateStore } from './certificate-store.ts';
import { Detection } from './detection.ts';
import { InventoryTable } from './inventory-table.ts';
import { Issuance } from './issuance.ts';
import { loadManifestOrThrow } from './load-manifest.ts';
import { ManifestSync } from './manifest-sync.ts';

export interface EverleafProps {
  /** The folder of cert-manager documents, relative to the working directory. */
  readonly manifest: string;
  /**
   * Names the deployment: the first part of every secret's name and the value of its tag. Two deployments in one account and
   * Region need two names, and one that is to take up an earlier one's secrets needs that one's name.
   * @default the stack's name
   */
  readonly deployment?: string;
  /**
   * How often to look for what is due.
   * @default every minute
   */
  readonly lookEvery?: Duration;
  /**
   * Issue functions that may run at once, 2 to 1000, each on ten certificates.
   * @default 10
   */
  readonly maxConcurrency?: number;
}

/** The renewal pipeline: manifest → inventory → detect → issue → store, announced on a bus of its own. */
export class Everleaf extends Construct {
  /** Everything that happens is published here. */
  readonly bus: EventBus;

  constructor(scope: Construct, id: string, props: EverleafProps) {
    super(scope, id);
    const { manifest, warnings } = loadManifestOrThrow(props.manifest);
    for (const warning of warnings) Annotations.of(this).addWarningV2('everleaf:manifest', warning);
    const deployment = checkedDeployment(props.deployment ?? Stack.of(this).stackName);

    this.bus = new EventBus(this, 'Bus', { description: `Everleaf ${deployment}: certificates due, rotated, failed` });
    const inventory = new InventoryTable(this, 'Inventory');
    const store = new CertificateStore(this, 'Store', deployment);
    const sync = new ManifestSync(this, 'ManifestSync', { deployment, manifest, inventory });
    const detection = new Detection(this, 'Detection', {
      inventory,
      bus: this.bus,
      every: props.lookEvery ?? Duration.minutes(1),
    });
    const issuance = new Issuance(this, 'Issuance', {
      deployment,
      inventory,
      store,
      bus: this.bus,
      issuers: manifest.issuers,
      maxConcurrency: props.maxConcurrency ?? 10,
    });
    new Alarms(this, 'Alarms', {
      functions: { Detect: detection.function, Issue: issuance.function, Sync: sync.function },
      deadLetters: issuance.deadLetters,
    });

    new CfnOutput(this, 'BusName', { value: this.bus.eventBusName, description: 'Subscribe to rotations here' });
    new CfnOutput(this, 'TableName', { value: inventory.table.tableName, description: 'The inventory' });
    new CfnOutput(this, 'QueueUrl', { value: issuance.queue.queueUrl, description: 'Certificates waiting for a look' });
    new CfnOutput(this, 'DeadLettersUrl', {
      value: issuance.deadLetters.queueUrl,
      description: 'Messages given up on',
    });
    new CfnOutput(this, 'SecretPrefix', { value: `${deployment}/`, description: 'Secrets are named below this' });
  }
}

function checkedDeployment(name: string): string {
  if (!Token.isUnresolved(name) && /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(name)) return name;
  throw new Error(
    `Everleaf: deployment is "${name}"; it must be 1 to 64 letters, digits, dots, hyphens or underscores, and known at synthesis`,
  );
}

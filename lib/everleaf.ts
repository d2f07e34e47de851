import { Annotations, CfnOutput, Names, Stack, Tags } from 'aws-cdk-lib';
import type { Metric, MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { EventBus, type Rule } from 'aws-cdk-lib/aws-events';
import { type Grant, type IGrantable, PermissionsBoundary } from 'aws-cdk-lib/aws-iam';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { MetricName } from '../functions/core/metrics.ts';
import { acknowledgeFindings } from './acknowledgements.ts';
import { Alarms } from './alarms.ts';
import { topicsOf } from './alarm-topics.ts';
import { CertificateStore } from './certificate-store.ts';
import { FleetDashboard } from './dashboard.ts';
import { DeclaredCertificates } from './declared-certificates.ts';
import { Deployment, type DeploymentProps } from './deployment.ts';
import { Detection } from './detection.ts';
import { archiveOf } from './event-archive.ts';
import { type EverleafProps, settingsOf } from './everleaf-props.ts';
import { InventoryTable } from './inventory-table.ts';
import { Issuance } from './issuance.ts';
import { loadManifestOrThrow } from './load-manifest.ts';
import { ManifestSync } from './manifest-sync.ts';
import { metricOf } from './metrics.ts';
import { type CertificateReady, Readiness, type ReadyOptions } from './readiness.ts';
import { subscribe, type SubscriptionOptions } from './subscription.ts';
import { Survey } from './survey.ts';

/**
 * The renewal pipeline: manifest → inventory → detect → issue → store, announced on a bus of its own.
 *
 * A certificate is called what its document calls it: `name`, in the namespace `default`, or `namespace/name`. Every method
 * throws for one that the manifest does not declare.
 */
export class Everleaf extends Construct {
  /** Everything that happens is published here. */
  readonly bus: EventBus;
  /** One alarm for each way of failing, under which people are called. */
  readonly alarms: Alarms;
  /** First part of every secret's name. */
  readonly deployment: string;
  readonly #certificates: DeclaredCertificates;
  readonly #store: CertificateStore;
  readonly #readiness: Readiness;

  constructor(scope: Construct, id: string, props: EverleafProps) {
    super(scope, id);
    const { manifest, warnings } = loadManifestOrThrow(props.manifest);
    for (const warning of warnings) Annotations.of(this).addWarningV2('everleaf:manifest', warning);
    const settings = settingsOf(props, Stack.of(this));
    const { deployment, logRetention, tracing } = settings;
    const runtime = { logRetention, tracing };
    for (const [key, value] of Object.entries(settings.tags)) Tags.of(this).add(key, value);
    if (props.permissionsBoundary !== undefined) PermissionsBoundary.of(this).apply(props.permissionsBoundary);

    this.deployment = deployment;
    this.bus = new EventBus(this, 'Bus', {
      description: `Everleaf ${deployment}: certificates due, rotated, failed`,
      // A bus has to have a name. CDK's own is made of ids alone: two stacks of one app would be in each other's way.
      eventBusName: Names.uniqueResourceName(this, { maxLength: 200, separator: '-' }),
    });
    archiveOf(this.bus, settings.archiveEvents);
    const inventory = new InventoryTable(this, 'Inventory', settings.removalPolicy);
    const store = new CertificateStore(this, 'Store', { ...settings, encryptionKey: props.encryptionKey });
    const detection = new Detection(this, 'Detection', {
      deployment,
      inventory,
      bus: this.bus,
      every: settings.lookEvery,
      runtime,
    });
    const issuance = new Issuance(this, 'Issuance', {
      deployment,
      inventory,
      store,
      bus: this.bus,
      issuers: manifest.issuers,
      maxConcurrency: settings.maxConcurrency,
      runtime,
    });
    const rollouts = this.#deploy({
      deployment,
      inventory,
      store,
      hooks: manifest.hooks ?? [],
      vpc: props.vpc,
      runtime,
    });
    const sync = new ManifestSync(this, 'ManifestSync', {
      deployment,
      manifest,
      inventory,
      runtime,
      // What is declared is worked on at once, and by those who may.
      after: [issuance.function.role, ...(rollouts === undefined ? [] : [rollouts.function.role])],
    });
    const survey = new Survey(this, 'Survey', { deployment, inventory, runtime });
    const watched = {
      deployment,
      functions: {
        Detect: detection.function,
        Issue: issuance.function,
        Survey: survey.function,
        Sync: sync.function,
        ...(rollouts === undefined ? {} : { Deploy: rollouts.function }),
      },
      deliveries: { Renewal: issuance, ...(rollouts === undefined ? {} : { Deployment: rollouts }) },
    };
    this.alarms = new Alarms(this, 'Alarms', {
      ...watched,
      after: sync.applied,
      bus: this.bus,
      ...topicsOf(this, props),
    });
    new FleetDashboard(this, 'Overview', {
      ...watched,
      alarms: this.alarms,
      survey: survey.function,
      issue: issuance.function,
    });
    this.#certificates = new DeclaredCertificates(manifest.certificates);
    this.#store = store;
    this.#readiness = new Readiness(this, { inventory, runtime, after: [sync, detection, issuance] });

    acknowledgeFindings(this);

    new CfnOutput(this, 'BusName', { value: this.bus.eventBusName, description: 'Subscribe to rotations here' });
    new CfnOutput(this, 'TableName', { value: inventory.table.tableName, description: 'The inventory' });
    new CfnOutput(this, 'QueueUrl', { value: issuance.queue.queueUrl, description: 'Certificates waiting for a look' });
    new CfnOutput(this, 'DeadLettersUrl', {
      value: issuance.deadLetters.queueUrl,
      description: 'Messages given up on',
    });
    if (rollouts !== undefined) {
      const { roleArn } = rollouts.function.role;
      new CfnOutput(this, 'DeployRoleArn', { value: roleArn, description: 'Who deploys: for access entries of EKS' });
    }
    new CfnOutput(this, 'SecretPrefix', { value: `${deployment}/`, description: 'Secrets are named below this' });
  }

  /** Only where there is something to deploy to: without hooks the pipeline ends with the rotation. */
  #deploy(props: Omit<DeploymentProps, 'bus'>): Deployment | undefined {
    return props.hooks.length === 0 ? undefined : new Deployment(this, 'Deployment', { ...props, bus: this.bus });
  }

  /** The secret that holds a certificate: JSON with `tls.crt`, `tls.key` and `ca.crt`. Before the first issuance there is none. */
  secret(certificate: string): ISecret {
    return this.#store.secret(this.#certificates.named(certificate));
  }

  /** Lets `grantee` read a certificate and its key, in replica Regions as well: the secret, and decryption by way of the store. */
  grantRead(certificate: string, grantee: IGrantable): Grant {
    return this.#store.grantRead(this.#certificates.named(certificate), grantee);
  }

  /** A rule for new versions in the store: of one certificate, or of all. */
  onRotated(certificate?: string, options: SubscriptionOptions = {}): Rule {
    return this.#subscribe('Rotated', certificate, options);
  }

  /** A rule for certificates that every endpoint has been seen to serve: one, or all. */
  onDeployed(certificate?: string, options: SubscriptionOptions = {}): Rule {
    return this.#subscribe('Deployed', certificate, options);
  }

  /** A rule for renewals, deployments and revocations that failed, and for roll-backs: of one certificate, or of all. */
  onFailed(certificate?: string, options: SubscriptionOptions = {}): Rule {
    return this.#subscribe('Failed', certificate, options);
  }

  /** What stands for "has been issued". A service that depends on it is not started before. */
  ready(certificate: string, options: ReadyOptions = {}): CertificateReady {
    return this.#readiness.of(this.#certificates.named(certificate).id, options);
  }

  /** A metric that the functions publish, of this deployment. */
  metric(name: MetricName, options: MetricOptions = {}): Metric {
    return metricOf(this.deployment, name, options);
  }

  #subscribe(
    what: 'Rotated' | 'Deployed' | 'Failed',
    certificate: string | undefined,
    options: SubscriptionOptions,
  ): Rule {
    const id = certificate === undefined ? undefined : this.#certificates.named(certificate).id;
    return subscribe(this, this.bus, what, id, options);
  }
}

import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CustomResource, Duration, Names } from 'aws-cdk-lib';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Construct, type IDependable } from 'constructs';
import type { Manifest } from '../functions/core/certificate.ts';
import { canonicalJson } from '../functions/core/spec-change.ts';
import { EverleafFunction, type FunctionRuntime } from './everleaf-function.ts';
import type { InventoryTable } from './inventory-table.ts';
import { issuerGrants } from './plugin-grants.ts';
import { assemblyDir } from './outdir.ts';

export interface ManifestSyncProps {
  readonly deployment: string;
  readonly manifest: Manifest;
  readonly inventory: InventoryTable;
  readonly runtime: FunctionRuntime;
  /** What has to be there when certificates are declared. */
  readonly after: readonly IDependable[];
}

/**
 * At every deploy that changes the manifest, a custom resource makes the inventory follow. The asset holds parsed documents
 * only, and its key is a property of the resource: when a deploy is rolled back, CloudFormation sends the older key.
 */
export class ManifestSync extends Construct {
  readonly function: EverleafFunction;
  /** Exists once the manifest is in the inventory. */
  readonly applied: CustomResource;

  constructor(scope: Construct, id: string, { deployment, manifest, inventory, runtime, after }: ManifestSyncProps) {
    super(scope, id);
    this.function = new EverleafFunction(this, 'Sync', {
      name: 'sync',
      description: 'Everleaf: makes the inventory want what the manifest says',
      timeout: Duration.minutes(15),
      memoryMiB: 512,
      runtime,
      environment: { TABLE_NAME: inventory.table.tableName, DEPLOYMENT: deployment },
    });
    inventory.allowReadWrite(this.function);
    inventory.allowScan(this.function);
    const asset = new Asset(this, 'Manifest', { path: this.#writeManifest(manifest) });
    // Not this very object: IAM takes a while to believe a changed policy, and the function is called seconds later.
    this.function.allow(['s3:GetObject'], [asset.bucket.arnForObjects('*.json')]);
    this.applied = new CustomResource(this, 'Inventory', {
      resourceType: 'Custom::EverleafManifest',
      serviceToken: this.function.lambda.functionArn,
      properties: {
        ManifestBucket: asset.s3BucketName,
        ManifestKey: asset.s3ObjectKey,
        // What failed for want of a grant is looked at again by the deploy that gives it.
        IssuerGrants: digestOf(issuerGrants(manifest.issuers)),
      },
    });
    // The function must be able to read and write before it is called, and until after it was called for the last time.
    this.applied.node.addDependency(this.function.role, ...after);
  }

  #writeManifest(manifest: Manifest): string {
    const outdir = assemblyDir(this);
    mkdirSync(outdir, { recursive: true });
    const path = join(outdir, `${Names.uniqueId(this)}.manifest.json`);
    writeFileSync(path, JSON.stringify(manifest));
    return path;
  }
}

const digestOf = (value: unknown): string =>
  createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 16);

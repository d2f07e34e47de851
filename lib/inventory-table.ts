import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import { DUE_INDEX } from '../functions/inventories/due-index.ts';
import type { EverleafFunction } from './everleaf-function.ts';

/** The truth about every certificate. It outlives the stack. */
export class InventoryTable extends Construct {
  readonly table: Table;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.table.addGlobalSecondaryIndex({
      indexName: DUE_INDEX,
      partitionKey: { name: 'dueShard', type: AttributeType.STRING },
      sortKey: { name: 'dueAt', type: AttributeType.STRING },
      projectionType: ProjectionType.KEYS_ONLY,
    });
  }

  /** Reads what is due, and nothing else. */
  allowDue(to: EverleafFunction): void {
    to.allow(['dynamodb:Query'], [`${this.table.tableArn}/index/${DUE_INDEX}`]);
  }

  allowReadWrite(to: EverleafFunction): void {
    to.allow(['dynamodb:GetItem', 'dynamodb:PutItem'], [this.table.tableArn]);
  }

  allowScan(to: EverleafFunction): void {
    to.allow(['dynamodb:Scan'], [this.table.tableArn]);
  }
}

import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import { DUE_INDEX } from '../functions/inventories/due-index.ts';
import { FLEET_INDEX, STANDING } from '../functions/inventories/fleet-index.ts';
import type { EverleafFunction } from './everleaf-function.ts';

/** The truth about every certificate. It outlives the stack unless asked otherwise. */
export class InventoryTable extends Construct {
  readonly table: Table;

  constructor(scope: Construct, id: string, removalPolicy: RemovalPolicy) {
    super(scope, id);
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: removalPolicy === RemovalPolicy.RETAIN,
      removalPolicy,
    });
    this.table.addGlobalSecondaryIndex({
      indexName: DUE_INDEX,
      partitionKey: { name: 'dueShard', type: AttributeType.STRING },
      sortKey: { name: 'dueAt', type: AttributeType.STRING },
      projectionType: ProjectionType.KEYS_ONLY,
    });
    this.table.addGlobalSecondaryIndex({
      indexName: FLEET_INDEX,
      partitionKey: { name: 'dueShard', type: AttributeType.STRING },
      sortKey: { name: 'expiresAt', type: AttributeType.STRING },
      projectionType: ProjectionType.INCLUDE,
      nonKeyAttributes: [STANDING],
    });
  }

  /** Reads what is due, and how much of their budgets issuers have left. */
  allowDue(to: EverleafFunction): void {
    to.allow(['dynamodb:Query'], [`${this.table.tableArn}/index/${DUE_INDEX}`]);
    to.allow(['dynamodb:GetItem'], [this.table.tableArn]);
  }

  /** Reads how every certificate is doing, and no ledger. */
  allowSurvey(to: EverleafFunction): void {
    to.allow(['dynamodb:Query'], [`${this.table.tableArn}/index/${FLEET_INDEX}`]);
  }

  allowRead(to: EverleafFunction): void {
    to.allow(['dynamodb:GetItem'], [this.table.tableArn]);
  }

  allowReadWrite(to: EverleafFunction): void {
    to.allow(['dynamodb:GetItem', 'dynamodb:PutItem'], [this.table.tableArn]);
  }

  /** Budgets are taken from by many at the same time. */
  allowBudgets(to: EverleafFunction): void {
    to.allow(['dynamodb:UpdateItem'], [this.table.tableArn]);
  }

  allowScan(to: EverleafFunction): void {
    to.allow(['dynamodb:Scan'], [this.table.tableArn]);
  }
}

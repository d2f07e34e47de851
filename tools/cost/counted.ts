/**
 * What a deployment does, counted on the twin: test/infra/cost.test.ts counts it again, and fails when this says anything else.
 * Warm functions, one certificate with one name, records whose trail is as long as trails get.
 */
export interface Counted {
  /** `service operation`, and how often. */
  readonly calls: Readonly<Record<string, number>>;
  /** Request units of DynamoDB. They follow from sizes of records, which differ: the test lets them be off by a tenth, or two. */
  readonly readUnits: number;
  readonly writeUnits: number;
  /** Bytes that functions log, give or take a tenth. */
  readonly logBytes: number;
}

/** Detect, when nothing is due. */
export const IDLE_TICK: Counted = {
  calls: { 'dynamodb Query': 8 },
  readUnits: 4,
  writeUnits: 0,
  logBytes: 575,
};

/** A look at a fleet of two certificates. More of them are read at {@link STANDING_BYTES} each. */
export const SURVEY: Counted = {
  calls: { 'dynamodb Query': 8 },
  readUnits: 4,
  writeUnits: 0,
  logBytes: 1_732,
};

/** From the hint to the new version being current: detect (but its idle tick) and issue. Their issuer has a limit of orders. */
export const ACM_PCA_RENEWAL: Counted = {
  calls: {
    'acm-pca GetCertificate': 1,
    'acm-pca IssueCertificate': 1,
    'dynamodb GetItem': 5,
    'dynamodb PutItem': 6,
    'dynamodb UpdateItem': 2,
    'events PutEvents': 2,
    'secretsmanager DescribeSecret': 2,
    'secretsmanager GetSecretValue': 1,
    'secretsmanager PutSecretValue': 2,
    'secretsmanager UpdateSecretVersionStage': 2,
  },
  readUnits: 6,
  writeUnits: 69,
  logBytes: 2_510,
};

/** The same, at an ACME CA to which control of the name has to be proved anew. */
export const ACME_RENEWAL: Counted = {
  calls: {
    'dynamodb GetItem': 6,
    'dynamodb PutItem': 8,
    'events PutEvents': 2,
    'route53 ChangeResourceRecordSets': 2,
    'route53 ListHostedZones': 1,
    'secretsmanager DescribeSecret': 2,
    'secretsmanager GetSecretValue': 1,
    'secretsmanager PutSecretValue': 2,
    'secretsmanager UpdateSecretVersionStage': 2,
  },
  readUnits: 8,
  writeUnits: 90,
  logBytes: 2_810,
};

/** An ACME CA is asked when it would like the certificate to be replaced. It has not changed its mind. */
export const ACME_LOOK: Counted = {
  calls: {
    'dynamodb GetItem': 2,
    'dynamodb PutItem': 2,
    'events PutEvents': 1,
    'secretsmanager DescribeSecret': 1,
    'secretsmanager GetSecretValue': 1,
  },
  readUnits: 4,
  writeUnits: 22,
  logBytes: 58,
};

/** The largest record of a certificate in the inventory, and its entry in the index that surveys read; give or take a tenth. */
export const RECORD_BYTES = 8_834;
export const STANDING_BYTES = 298;

/** From the template of the sample manifests. */
export const RESOURCES = {
  alarms: 20,
  compositeAlarms: 1,
  customMetrics: 24,
  dashboards: 1,
  keys: 1,
  memoryMiB: { Detect: 256, Issue: 512, Survey: 256, Sync: 512 },
};

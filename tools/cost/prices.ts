/** One price of a list. */
export interface Price {
  readonly what: string;
  /** US dollars for `per` of `unit`; where that is one, the unit says for what. */
  readonly usd: number;
  readonly per: number;
  readonly unit: string;
  readonly page: string;
  /** Where the number was read: AWS's own page or price list; quoted by others; from memory, so look it up. */
  readonly seen: 'AWS' | 'quoted' | 'memory';
}

/** When they were looked up. Lists change: the pages are what counts. */
export const PRICED_ON = '2026-11-24';

const aws = (service: string): string => `https://aws.amazon.com/${service}/pricing/`;
const price = (
  what: string,
  usd: number,
  [per, unit]: readonly [number, string],
  service: string,
  seen: Price['seen'],
): Price => ({ what, usd, per, unit, page: aws(service), seen });

const MILLION = 1_000_000;
const monthly = (unit: string): readonly [number, string] => [1, `a month for each ${unit}`];

/** In us-east-1, for the first tier, before any free tier or discount. */
export const PRICES = {
  secret: price('Secrets Manager', 0.4, monthly('secret, and for each replica'), 'secrets-manager', 'quoted'),
  secretCall: price('Secrets Manager', 0.05, [10_000, 'calls'], 'secrets-manager', 'quoted'),
  key: price('KMS', 1, monthly('key, and for each of its first two rotations'), 'kms', 'AWS'),
  keyRequest: price('KMS', 0.03, [10_000, 'requests'], 'kms', 'quoted'),
  writeUnit: price('DynamoDB', 0.625, [MILLION, 'write request units'], 'dynamodb', 'quoted'),
  readUnit: price('DynamoDB', 0.125, [MILLION, 'read request units'], 'dynamodb', 'quoted'),
  tableGigabyte: price('DynamoDB', 0.25, monthly('GB'), 'dynamodb', 'memory'),
  backupGigabyte: price('DynamoDB, point-in-time recovery', 0.2, monthly('GB'), 'dynamodb', 'memory'),
  invocation: price('Lambda', 0.2, [MILLION, 'invocations'], 'lambda', 'quoted'),
  gigabyteSecond: price('Lambda, ARM', 13.3334, [MILLION, 'GB-seconds'], 'lambda', 'quoted'),
  event: price('EventBridge', 1, [MILLION, 'events'], 'eventbridge', 'quoted'),
  queueRequest: price('SQS', 0.4, [MILLION, 'requests'], 'sqs', 'memory'),
  metric: price('CloudWatch', 0.3, monthly('custom metric'), 'cloudwatch', 'quoted'),
  alarm: price('CloudWatch', 0.1, monthly('alarm'), 'cloudwatch', 'memory'),
  compositeAlarm: price('CloudWatch', 0.5, monthly('composite alarm'), 'cloudwatch', 'memory'),
  dashboard: price('CloudWatch', 3, monthly('dashboard'), 'cloudwatch', 'quoted'),
  logGigabyte: price('CloudWatch', 0.5, [1, 'for each GB of logs taken in'], 'cloudwatch', 'quoted'),
  keptLogGigabyte: price('CloudWatch', 0.03, monthly('GB of logs that is kept'), 'cloudwatch', 'memory'),
  trace: price('X-Ray', 5, [MILLION, 'traces'], 'xray', 'memory'),
  privateCa: price('AWS Private CA, general purpose', 400, monthly('CA'), 'private-ca', 'AWS'),
  shortLivedCa: price('AWS Private CA, short-lived mode', 50, monthly('CA'), 'private-ca', 'AWS'),
  privateCertificate: price(
    'AWS Private CA',
    0.75,
    [1, 'for each of the first 1,000 certificates of a month'],
    'private-ca',
    'memory',
  ),
  privateCertificateNext: price('AWS Private CA', 0.35, [1, 'for each of the next 9,000'], 'private-ca', 'memory'),
  privateCertificateRest: price('AWS Private CA', 0.001, [1, 'for each above 10,000'], 'private-ca', 'AWS'),
  shortLivedCertificate: price('AWS Private CA', 0.058, [1, 'for each short-lived certificate'], 'private-ca', 'AWS'),
  exportableName: price(
    'ACM, exportable',
    7,
    [1, 'for each name, at issuance and at each renewal'],
    'certificate-manager',
    'quoted',
  ),
  exportableWildcard: price(
    'ACM, exportable',
    79,
    [1, 'for each wildcard name, likewise'],
    'certificate-manager',
    'quoted',
  ),
  cluster: price('EKS', 0.1, [1, 'an hour for each cluster'], 'eks', 'quoted'),
  node: price('EC2 t3.medium', 0.0416, [1, 'an hour for each node'], 'ec2', 'quoted'),
} satisfies Readonly<Record<string, Price>>;

/** US dollars for `count` of them. */
export const costOf = (name: keyof typeof PRICES, count: number): number =>
  (count * PRICES[name].usd) / PRICES[name].per;

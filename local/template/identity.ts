import { createHash } from 'node:crypto';
import { type Account, arnOf } from '../account.ts';

/** What `Ref` and `Fn::GetAtt` answer for a resource. */
export interface Identity {
  readonly physicalId: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export type Properties = Readonly<Record<string, unknown>>;

interface Naming {
  /** The property with which a template may choose the name; otherwise one is generated. */
  readonly property?: string;
  readonly longest?: number;
  identify(name: string, account: Account, properties: Properties): Identity;
}

const NAMINGS: Readonly<Record<string, Naming>> = {
  'AWS::Lambda::Function': named('FunctionName', 64, 'lambda', 'function:'),
  'AWS::DynamoDB::Table': named('TableName', 255, 'dynamodb', 'table/'),
  'AWS::CloudWatch::Alarm': named('AlarmName', 255, 'cloudwatch', 'alarm:'),
  'AWS::CloudWatch::CompositeAlarm': named('AlarmName', 255, 'cloudwatch', 'alarm:'),
  'AWS::Events::EventBus': {
    property: 'Name',
    identify: (name, account) => ({
      physicalId: name,
      attributes: { Name: name, Arn: arnOf(account, 'events', `event-bus/${name}`) },
    }),
  },
  'AWS::Events::Rule': { property: 'Name', longest: 64, identify: ruleIdentity },
  'AWS::SQS::Queue': {
    property: 'QueueName',
    longest: 80,
    identify: (name, account) => {
      const url = `${account.endpoint}/${account.accountId}/${name}`;
      return { physicalId: url, attributes: { Arn: arnOf(account, 'sqs', name), QueueName: name, QueueUrl: url } };
    },
  },
  'AWS::IAM::Role': {
    property: 'RoleName',
    longest: 64,
    identify: (name, account, { Path }) => {
      const path = typeof Path === 'string' ? Path : '/';
      const arn = `arn:aws:iam::${account.accountId}:role${path}${name}`;
      return { physicalId: name, attributes: { Arn: arn, RoleId: `AROA${digest(name, 17)}` } };
    },
  },
  'AWS::IAM::ManagedPolicy': {
    property: 'ManagedPolicyName',
    longest: 128,
    identify: (name, account) => {
      const arn = `arn:aws:iam::${account.accountId}:policy/${name}`;
      return { physicalId: arn, attributes: { PolicyArn: arn } };
    },
  },
  'AWS::KMS::Key': {
    identify: (name, account) => {
      const id = uuidOf(name);
      return { physicalId: id, attributes: { KeyId: id, Arn: arnOf(account, 'kms', `key/${id}`) } };
    },
  },
  'AWS::Logs::LogGroup': {
    property: 'LogGroupName',
    identify: (name, account) => ({
      physicalId: name,
      attributes: { Arn: arnOf(account, 'logs', `log-group:${name}:*`) },
    }),
  },
  'AWS::SNS::Topic': {
    property: 'TopicName',
    identify: (name, account) => {
      const arn = arnOf(account, 'sns', name);
      return { physicalId: arn, attributes: { TopicArn: arn, TopicName: name } };
    },
  },
  'AWS::Lambda::EventSourceMapping': {
    identify: (name) => ({ physicalId: uuidOf(name), attributes: { Id: uuidOf(name) } }),
  },
};

/** The same stack has the same names on every start: a test may compare, a person may recognise. */
export function identify(type: string, logicalId: string, properties: Properties, account: Account): Identity {
  const naming = NAMINGS[type];
  const chosen = naming?.property === undefined ? undefined : properties[naming.property];
  const generated = generatedName(account.stackName, logicalId, naming?.longest ?? 255);
  if (naming === undefined) return { physicalId: generated, attributes: {} };
  return naming.identify(typeof chosen === 'string' ? chosen : generated, account, properties);
}

export function stackIdOf(account: Account): string {
  return arnOf(account, 'cloudformation', `stack/${account.stackName}/${uuidOf(account.stackName)}`);
}

function named(property: string, longest: number, service: string, prefix: string): Naming {
  return {
    property,
    longest,
    identify: (name, account) => ({
      physicalId: name,
      attributes: { Arn: arnOf(account, service, `${prefix}${name}`) },
    }),
  };
}

function ruleIdentity(name: string, account: Account, { EventBusName }: Properties): Identity {
  const bus = typeof EventBusName === 'string' ? (EventBusName.split('/').at(-1) ?? EventBusName) : 'default';
  const onDefaultBus = bus === 'default';
  const arn = arnOf(account, 'events', onDefaultBus ? `rule/${name}` : `rule/${bus}/${name}`);
  return { physicalId: onDefaultBus ? name : `${bus}|${name}`, attributes: { Arn: arn } };
}

/** CloudFormation's form: stack, logical id, twelve characters; cut before those when the service allows no more. */
function generatedName(stackName: string, logicalId: string, longest: number): string {
  const suffix = digest(`${stackName}/${logicalId}`, 12);
  return `${`${stackName}-${logicalId}`.slice(0, longest - suffix.length - 1)}-${suffix}`;
}

function digest(text: string, length: number): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bytes = createHash('sha256').update(text).digest();
  return Array.from({ length }, (_, index) => alphabet[(bytes[index] ?? 0) % alphabet.length]).join('');
}

function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Tracing } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { afterAll, describe, expect, it } from 'vitest';
import { appForTwin } from '../../bin/twin/synthesize.ts';
import { Everleaf, type EverleafProps } from '../../lib/index.ts';
import { certificateYaml, manifestOf } from '../support/deployment.ts';

const folder = mkdtempSync(join(tmpdir(), 'everleaf-construct-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const manifest = join(folder, 'manifest.yaml');
const payments = certificateYaml('orders').replace('{ name: orders }', '{ name: orders, namespace: payments }');
writeFileSync(manifest, manifestOf(certificateYaml('shop'), payments));

const LAMBDA = new ServicePrincipal('lambda.amazonaws.com');

let apps = 0;

/** An app with Everleaf in it, and what somebody makes of it. */
function synthesized(props: Partial<EverleafProps> = {}, use: (everleaf: Everleaf, stack: Stack) => void = () => {}) {
  const app = appForTwin(join(folder, `assembly-${++apps}`));
  const stack = new Stack(app, 'Shop');
  const everleaf = new Everleaf(stack, 'Everleaf', { manifest, ...props });
  use(everleaf, stack);
  return Template.fromStack(stack);
}

describe('a prop', () => {
  it.each<[string, Partial<EverleafProps>, string]>([
    ['deployment', { deployment: 'a/b' }, 'deployment is "a/b"; it must be 1 to 64 letters'],
    [
      'lookEvery, in seconds',
      { lookEvery: Duration.seconds(90) },
      'lookEvery is 90 s; it must be 1 to 10 whole minutes',
    ],
    ['lookEvery, too seldom', { lookEvery: Duration.minutes(15) }, 'lookEvery is 900 s'],
    ['maxConcurrency', { maxConcurrency: 1 }, 'maxConcurrency is 1; it must be a whole number from 2 to 1000'],
    [
      'removalPolicy',
      { removalPolicy: RemovalPolicy.SNAPSHOT },
      'removalPolicy is "snapshot"; it must be RemovalPolicy.',
    ],
    ['replicaRegions', { replicaRegions: [{ region: 'Ireland' }] }, 'names "Ireland"; each must be a Region, such as'],
    ['replicaRegions, no key', { replicaRegions: [{ region: 'eu-west-1' }] }, 'names no encryptionKey for eu-west-1'],
    ['alarmEmail', { alarmEmail: 'on call' }, 'alarmEmail is "on call"; it must be one address'],
    ['tags, reserved', { tags: { 'everleaf:deployment': 'x' } }, 'tags has the key "everleaf:deployment"; it must be'],
    ['tags, value', { tags: { team: 'a\nb' } }, 'tags.team is "a\nb"; it must be at most 64 letters'],
    [
      'archiveEvents',
      { archiveEvents: Duration.hours(30) },
      'archiveEvents is 1 day 6 hours; it must be a number of whole days',
    ],
  ])('out of bounds is refused with what is allowed: %s', (_name, props, message) => {
    expect(() => synthesized(props)).toThrow(message);
  });

  it('of replicas is refused where it names the Region of the stack itself', () => {
    const stack = new Stack(appForTwin(join(folder, `assembly-${++apps}`)), 'Shop', { env: { region: 'eu-west-1' } });
    const encryptionKey = Key.fromKeyArn(stack, 'There', 'arn:aws:kms:eu-west-1:111122223333:key/1');
    const replicaRegions = [{ region: 'eu-west-1', encryptionKey }];
    expect(() => new Everleaf(stack, 'Everleaf', { manifest, replicaRegions })).toThrow(
      'replicaRegions names eu-west-1, where the secrets themselves are',
    );
  });

  it('left out has the default that is documented', () => {
    const template = synthesized();
    template.hasResourceProperties('AWS::Events::Rule', { ScheduleExpression: 'rate(1 minute)' });
    template.hasResourceProperties('AWS::Events::Archive', {
      RetentionDays: 14,
      EventPattern: { source: ['everleaf'], 'detail-type': [{ 'anything-but': ['Certificate Renewal Due'] }] },
    });
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 90 });
    template.allResourcesProperties('AWS::Lambda::Function', {
      TracingConfig: { Mode: 'Active' },
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      LoggingConfig: Match.objectLike({ LogFormat: 'JSON' }),
    });
    template.hasResource('AWS::DynamoDB::Table', { DeletionPolicy: 'Retain' });
    template.hasResourceProperties('AWS::DynamoDB::Table', { DeletionProtectionEnabled: true });
  });

  it('given reaches what it is for', () => {
    const boundary = 'arn:aws:iam::111122223333:policy/boundary';
    const template = synthesized({
      removalPolicy: RemovalPolicy.DESTROY,
      logRetention: RetentionDays.ONE_WEEK,
      tracing: Tracing.DISABLED,
      tags: { team: 'platform' },
      archiveEvents: 'never',
      lookEvery: Duration.minutes(5),
    });
    template.hasResource('AWS::DynamoDB::Table', { DeletionPolicy: 'Delete', UpdateReplacePolicy: 'Delete' });
    template.hasResourceProperties('AWS::DynamoDB::Table', {
      DeletionProtectionEnabled: false,
      Tags: [{ Key: 'team', Value: 'platform' }],
    });
    template.hasResource('AWS::KMS::Key', { DeletionPolicy: 'Delete' });
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 7 });
    template.allResourcesProperties('AWS::Lambda::Function', { TracingConfig: Match.absent() });
    template.resourceCountIs('AWS::Events::Archive', 0);
    template.hasResourceProperties('AWS::Events::Rule', { ScheduleExpression: 'rate(5 minutes)' });
    const bounded = synthesizedWith((stack) => ({
      permissionsBoundary: ManagedPolicy.fromManagedPolicyArn(stack, 'Boundary', boundary),
    }));
    bounded.allResourcesProperties('AWS::IAM::Role', { PermissionsBoundary: boundary });
  });

  it('of tags and replicas goes to whoever makes secrets, with the grants for it', () => {
    const replicaKey = 'arn:aws:kms:eu-west-1:111122223333:key/11111111-1111-4111-8111-111111111111';
    const template = synthesizedWith((stack) => ({
      tags: { team: 'platform' },
      replicaRegions: [{ region: 'eu-west-1', encryptionKey: Key.fromKeyArn(stack, 'There', replicaKey) }],
    }));
    template.hasResourceProperties('AWS::Lambda::Function', {
      Description: 'Everleaf: takes a certificate from due to current',
      Environment: {
        Variables: Match.objectLike({
          SECRET_TAGS: '{"team":"platform"}',
          REPLICAS: `[{"region":"eu-west-1","kmsKeyArn":"${replicaKey}"}]`,
        }),
      },
    });
    const policies = JSON.stringify(template.findResources('AWS::IAM::Policy'));
    expect(policies).toContain('secretsmanager:ReplicateSecretToRegions');
    expect(policies).toContain('secretsmanager.eu-west-1.amazonaws.com');
    expect(policies).toContain('"everleaf:account","team"');
    // Replication encrypts in the other Region.
    expect(policies).toContain('"kms:GenerateDataKey","kms:Encrypt","kms:Decrypt"');
  });

  it('of a key of another account is granted by its ARN: there, this account has no other', () => {
    const arn = 'arn:aws:kms:us-east-1:999999999999:key/22222222-2222-4222-8222-222222222222';
    const template = synthesizedWith((stack) => ({ encryptionKey: Key.fromKeyArn(stack, 'Theirs', arn) }));
    const policies = Object.values(template.findResources('AWS::IAM::Policy')).map((each) => JSON.stringify(each));
    expect(policies.filter((each) => each.includes(`"${arn}"`))).not.toEqual([]);
  });

  it('of an encryption key takes the place of the key of its own', () => {
    const arn = 'arn:aws:kms:us-east-1:111122223333:key/22222222-2222-4222-8222-222222222222';
    const template = synthesizedWith((stack) => ({ encryptionKey: Key.fromKeyArn(stack, 'Ours', arn) }));
    template.resourceCountIs('AWS::KMS::Key', 0);
    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: Match.objectLike({ KMS_KEY_ARN: arn }) },
    });
  });
});

/** Where props want a scope of their own. */
function synthesizedWith(props: (stack: Stack) => Partial<EverleafProps>): Template {
  const app = appForTwin(join(folder, `assembly-${++apps}`));
  const stack = new Stack(app, 'Shop');
  new Everleaf(stack, 'Everleaf', { manifest, ...props(stack) });
  return Template.fromStack(stack);
}

describe('a certificate', () => {
  it.each<[string, (everleaf: Everleaf, stack: Stack) => unknown]>([
    ['secret', (everleaf) => everleaf.secret('shopp')],
    ['ready', (everleaf) => everleaf.ready('shopp')],
    ['onRotated', (everleaf) => everleaf.onRotated('shopp')],
    ['onDeployed', (everleaf) => everleaf.onDeployed('shopp')],
    ['onFailed', (everleaf) => everleaf.onFailed('shopp')],
    ['grantRead', (everleaf, stack) => everleaf.grantRead('shopp', new Role(stack, 'R', { assumedBy: LAMBDA }))],
  ])('that nobody declared is refused by %s, which knows what was meant', (_method, use) => {
    const known = 'Everleaf: the manifest declares no certificate "shopp". Did you mean "shop"?';
    expect(() => synthesized({}, use)).toThrow(known);
  });

  it('that is nothing like any is answered with what there is', () => {
    expect(() => synthesized({}, (everleaf) => everleaf.secret('database'))).toThrow(
      'It declares shop, payments/orders.',
    );
  });

  it('is read with two grants: its secret, and decryption of that secret by way of the store', () => {
    const template = synthesized({}, (everleaf, stack) => {
      const role = new Role(stack, 'Reader', { assumedBy: LAMBDA });
      everleaf.grantRead('payments/orders', role);
    });
    const [policy] = Object.values(
      template.findResources('AWS::IAM::Policy', {
        Properties: { Roles: [{ Ref: Match.stringLikeRegexp('^Reader') }] },
      }),
    ) as { Properties: { PolicyDocument: unknown } }[];
    const text = JSON.stringify(policy?.Properties.PolicyDocument);
    expect(text.match(/:secret:[^"]*/g)).toEqual([
      ':secret:Shop/payments/orders-tls-??????',
      ':secret:Shop/payments/orders-tls-??????',
    ]);
    expect(text).toContain('kms:ViaService');
    expect(text).not.toMatch(/PutSecretValue|GenerateDataKey/);
  });
});

describe('a subscription', () => {
  it('has an exact pattern, of all certificates or of one', () => {
    const template = synthesized({}, (everleaf, stack) => {
      everleaf.onRotated(undefined, { targets: [new SqsQueue(new Queue(stack, 'Queue'))] });
      everleaf.onFailed('payments/orders');
    });
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: { source: ['everleaf'], 'detail-type': ['Certificate Rotated'] },
      Targets: [Match.anyValue()],
    });
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['everleaf'],
        'detail-type': [
          'Certificate Renewal Failed',
          'Certificate Deployment Failed',
          'Certificate Rolled Back',
          'Certificate Revocation Failed',
        ],
        detail: { certificate: ['payments/orders'] },
      },
    });
  });

  it('stands where the subscriber wants it, and there may be several of a kind', () => {
    const app = appForTwin(join(folder, `assembly-${++apps}`));
    const everleaf = new Everleaf(new Stack(app, 'Certificates'), 'Everleaf', { manifest });
    const service = new Stack(app, 'Service');
    everleaf.onDeployed('shop', { scope: service });
    everleaf.onDeployed('shop', { scope: service, id: 'Second' });
    expect(() => everleaf.onDeployed('shop', { scope: service })).toThrow(
      'Service has a rule OnDeployed-default-shop already; give this one another id',
    );
    Template.fromStack(service).resourceCountIs('AWS::Events::Rule', 2);
  });
});

describe('ready', () => {
  it('is one custom resource a certificate, after all that issuing needs, with a function of its own', () => {
    const template = synthesized({}, (everleaf) => {
      expect(everleaf.ready('shop')).toBe(everleaf.ready('shop'));
      everleaf.ready('payments/orders', { timeout: Duration.minutes(2) });
    });
    const waits = template.findResources('Custom::EverleafReady') as Record<string, { DependsOn: string[] }>;
    expect(Object.keys(waits)).toHaveLength(2);
    for (const { DependsOn } of Object.values(waits)) {
      const needs = DependsOn.map((logicalId) => logicalId.slice(0, -8));
      expect(needs).toEqual(
        expect.arrayContaining([
          'EverleafManifestSyncInventory',
          'EverleafDetectionSchedule',
          'EverleafIssuanceDue',
          'EverleafIssuanceIssueRoleDefaultPolicy',
          'EverleafReadyRoleDefaultPolicy',
        ]),
      );
    }
    template.hasResourceProperties('Custom::EverleafReady', {
      Certificate: 'payments/orders',
      TimeoutSeconds: 120,
      ServiceTimeout: '180',
    });
  });

  it('costs nothing where nobody waits', () => {
    expect(JSON.stringify(synthesized().toJSON())).not.toContain('EverleafReady');
  });

  it('refuses a timeout that no function lives to see', () => {
    const tooLong = (everleaf: Everleaf) => everleaf.ready('shop', { timeout: Duration.minutes(15) });
    expect(() => synthesized({}, tooLong)).toThrow('timeout is 15 minutes; it must be 1 to 14 whole minutes');
  });
});

describe('several deployments in one account', () => {
  it('give no resource a name of their own, so that none is in the way of another', () => {
    const named = Object.values(synthesized().toJSON()['Resources'] as Record<string, Named>).filter(
      ({ Type, Properties = {} }) => Properties[NAME_OF[Type] ?? ''] !== undefined,
    );
    expect(named).toEqual([]);
  });

  it('have two buses, also where only the names of their stacks differ', () => {
    const names = ['Blue', 'Green'].map((stackName) => {
      const app = appForTwin(join(folder, `assembly-${++apps}`));
      const stack = new Stack(app, 'Certificates', { stackName });
      new Everleaf(stack, 'Everleaf', { manifest });
      return Object.values(Template.fromStack(stack).findResources('AWS::Events::EventBus'))[0] as Named;
    });
    expect(new Set(names.map(({ Properties }) => Properties?.['Name'])).size).toBe(2);
  });

  it('have roles and secrets that say whose they are', () => {
    const [one, two] = ['Blue', 'Green'].map((deployment) => JSON.stringify(synthesized({ deployment }).toJSON()));
    expect(one).toContain('secret:Blue/*');
    expect(one).not.toContain('Green');
    expect(two).toContain('secret:Green/*');
  });
});

interface Named {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

/** The property by which CloudFormation would name a thing. A bus has to have a name; CDK makes it of the stack's. */
const NAME_OF: Readonly<Record<string, string>> = {
  'AWS::DynamoDB::Table': 'TableName',
  'AWS::SQS::Queue': 'QueueName',
  'AWS::Lambda::Function': 'FunctionName',
  'AWS::IAM::Role': 'RoleName',
  'AWS::Logs::LogGroup': 'LogGroupName',
  'AWS::CloudWatch::Alarm': 'AlarmName',
  'AWS::Events::Rule': 'Name',
  'AWS::Events::Archive': 'ArchiveName',
};

describe('alarms', () => {
  interface Told {
    readonly AlarmActions?: readonly unknown[];
    readonly OKActions?: readonly unknown[];
  }
  const toldBy = (template: Template, type: string): readonly Told[] =>
    Object.values(template.findResources(type) as Record<string, { readonly Properties: Told }>).map(
      ({ Properties: { AlarmActions = [], OKActions = [] } }) => ({ AlarmActions, OKActions }),
    );
  const PAGE = 'AWS::CloudWatch::CompositeAlarm';
  const NOTICE = 'AWS::CloudWatch::Alarm';

  it('tell nobody who is not named', () => {
    const template = synthesized();
    for (const told of [...toldBy(template, PAGE), ...toldBy(template, NOTICE)]) {
      expect(told).toEqual({ AlarmActions: [], OKActions: [] });
    }
  });

  it('tell one topic of the page, another of all others, and an address of everything', () => {
    const stack = new Stack(new App(), 'Topics');
    const [alarmTopic, noticeTopic] = ['page', 'notice'].map((name) =>
      Topic.fromTopicArn(stack, name, `arn:aws:sns:eu-west-1:111122223333:${name}`),
    );
    const template = synthesized({
      alarmTopic,
      noticeTopic,
      alarmEmail: 'oncall@example.com',
    } as Partial<EverleafProps>);
    const [address] = Object.keys(template.findResources('AWS::SNS::Topic'));
    const both = (topic: ITopic | undefined) => [topic?.topicArn, { Ref: address }];
    expect(toldBy(template, PAGE)).toEqual([{ AlarmActions: both(alarmTopic), OKActions: both(alarmTopic) }]);
    const notices = toldBy(template, NOTICE);
    expect(notices.length).toBeGreaterThan(15);
    for (const told of notices) expect(told).toEqual({ AlarmActions: both(noticeTopic), OKActions: both(noticeTopic) });
  });

  it('may publish to the topic of the address: its own policy takes the place of the one that lets the account', () => {
    synthesized({ alarmEmail: 'oncall@example.com' }).hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: Match.objectLike({
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Allow',
            Action: 'sns:Publish',
            Principal: { Service: 'cloudwatch.amazonaws.com' },
            Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
          }),
        ]),
      }),
    });
  });
});

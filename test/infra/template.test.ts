import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { synthesizeTemplate } from '../support/synthesis.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const template = synthesizeTemplate();

interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

const ofType = (type: string): readonly Resource[] =>
  Object.values(template.findResources(type) as Record<string, Resource>);

describe('the template', () => {
  it("passes CDK's own validation", () => {
    expect(() => synthesizeTemplate(undefined, { validate: true })).not.toThrow();
  });

  it('keeps the table and the key when the stack goes', () => {
    for (const type of ['AWS::DynamoDB::Table', 'AWS::KMS::Key']) {
      expect(ofType(type)).toHaveLength(1);
      expect(ofType(type)[0]).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    }
    template.hasResourceProperties('AWS::DynamoDB::Table', {
      DeletionProtectionEnabled: true,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    });
  });

  it('runs every function on Node 24, on arm64, under a role of its own, into a log group that ends', () => {
    const functions = ofType('AWS::Lambda::Function');
    expect(functions).toHaveLength(5);
    const roles = new Set(functions.map(({ Properties }) => JSON.stringify(Properties['Role'])));
    expect(roles.size).toBe(functions.length);
    for (const { Properties } of functions) {
      expect(Properties).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        LoggingConfig: { LogFormat: 'JSON', LogGroup: expect.anything() as unknown },
      });
    }
    for (const { Properties } of ofType('AWS::Logs::LogGroup'))
      expect(Properties['RetentionInDays']).toBeGreaterThan(0);
  });

  it('lets what waits by way of its own queue do so: Lambda would drop the sixteenth hint as a loop', () => {
    const looping = ofType('AWS::Lambda::Function').filter(({ Properties }) => Properties['RecursiveLoop'] === 'Allow');
    const sending = ofType('AWS::Lambda::Function').filter(
      ({ Properties }) => 'QUEUE_URL' in (Properties['Environment'] as { Variables: object }).Variables,
    );
    expect(looping).toHaveLength(2);
    expect(looping).toEqual(sending);
  });

  it('has a runbook entry for every alarm, named in its description', () => {
    const runbook = readFileSync(join(ROOT, 'docs', 'runbook.md'), 'utf8');
    const entries = new Set([...runbook.matchAll(/^## (.+)$/gm)].map(([, name]) => name));
    const alarms = ['AWS::CloudWatch::Alarm', 'AWS::CloudWatch::CompositeAlarm']
      .flatMap(ofType)
      .map(({ Properties }) => String(Properties['AlarmDescription']));
    expect(alarms).toHaveLength(25);
    const named = alarms.map((description) => /docs\/runbook\.md#([\w-]+)$/.exec(description)?.[1]);
    expect(new Set(named)).toEqual(entries);
  });

  it('alarms when the heartbeat is missing, also when there is no data at all', () => {
    // Filled in, since CloudWatch goes by older data for as long as it finds some.
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      Metrics: Match.arrayWith([
        Match.objectLike({ Expression: 'FILL(measured, 0)' }),
        Match.objectLike({
          MetricStat: Match.objectLike({
            Metric: Match.objectLike({ MetricName: 'Heartbeat', Namespace: 'Everleaf' }),
          }),
        }),
      ]),
      ComparisonOperator: 'LessThanThreshold',
      Threshold: 1,
      TreatMissingData: 'breaching',
    });
  });

  it('takes a poison message out of the way after three deliveries', () => {
    template.hasResourceProperties('AWS::SQS::Queue', {
      RedrivePolicy: Match.objectLike({ maxReceiveCount: 3 }),
      VisibilityTimeout: 720,
    });
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: 10 },
    });
  });

  it('grants no action by wildcard, and on every resource only those that IAM knows no resource for', () => {
    interface Statement {
      readonly Action: string | readonly string[];
      readonly Resource: unknown;
    }
    const documents = ofType('AWS::IAM::Policy').map(
      ({ Properties }) => Properties['PolicyDocument'] as { readonly Statement: readonly Statement[] },
    );
    const statements = documents.flatMap(({ Statement }) => Statement);
    expect(statements.length).toBeGreaterThan(5);
    for (const { Action, Resource } of statements) {
      expect([Action].flat().filter((action) => action.includes('*'))).toEqual([]);
      if (![Resource].flat().includes('*')) continue;
      for (const action of [Action].flat()) {
        expect(['route53:ListHostedZones', 'xray:PutTraceSegments', 'xray:PutTelemetryRecords']).toContain(action);
      }
    }
  });
});

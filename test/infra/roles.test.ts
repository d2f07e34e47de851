import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { certificateYaml, manifestOf } from '../support/deployment.ts';
import { synthesizeTemplate } from '../support/synthesis.ts';

const CA = 'arn:aws:acm-pca:us-east-1:111122223333:certificate-authority/11111111-1111-4111-8111-111111111111';
const ROLE = 'arn:aws:iam::444455556666:role/issue-certificates';
const BY_ROLE = `apiVersion: awspca.cert-manager.io/v1beta1
kind: AWSPCAClusterIssuer
metadata: { name: theirs }
spec: { arn: "${CA.replace('111122223333', '444455556666')}", role: "${ROLE}" }
`;

function synthesized(manifest: string): Template {
  const folder = mkdtempSync(join(tmpdir(), 'everleaf-roles-'));
  try {
    writeFileSync(join(folder, 'manifest.yaml'), manifest);
    return synthesizeTemplate(join(folder, 'manifest.yaml'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const template = synthesized(manifestOf(certificateYaml('shop'), BY_ROLE));

interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}
interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Principal?: unknown;
  readonly Resource?: unknown;
  readonly Condition?: unknown;
}
interface Document {
  readonly Statement: readonly Statement[];
}

const ofType = (type: string): readonly [string, Resource['Properties']][] =>
  Object.entries(template.findResources(type) as Record<string, Resource>).map(([id, { Properties }]) => [
    bare(id),
    Properties,
  ]);

/** Without what CDK puts around an id to make it unique. */
const bare = (id: string): string => id.replace(/^Everleaf/, '').replace(/[0-9A-F]{8}$/, '');

/** Intrinsic functions as a person reads them: `${Queue.Arn}/*`. */
function inWords(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inWords);
  if (typeof value !== 'object' || value === null) return value;
  const { Ref, 'Fn::GetAtt': attribute, 'Fn::Join': join, 'Fn::Sub': sub } = value as Record<string, unknown>;
  if (typeof Ref === 'string') return `\${${bare(Ref)}}`;
  if (Array.isArray(attribute)) return `\${${bare(String(attribute[0]))}.${String(attribute[1])}}`;
  if (Array.isArray(join)) return (inWords(join[1]) as unknown[]).join(String(join[0]));
  if (typeof sub === 'string') return sub;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, inWords(member)]));
}

/** A line for the actions, one for each resource, and one for each condition. */
function lines({ Effect, Action, Principal, Resource, Condition = {} }: Statement): string {
  const conditions = Object.entries(inWords(Condition) as Record<string, Record<string, unknown>>).flatMap(
    ([operator, keys]) => Object.entries(keys).map(([key, value]) => `if ${key} ${operator} ${JSON.stringify(value)}`),
  );
  const who = Principal === undefined ? '' : ` to ${JSON.stringify(inWords(Principal))}`;
  const resources = [Resource ?? []].flat().map((each) => `on ${String(inWords(each))}`);
  return [`${Effect} ${[Action].flat().join(', ')}${who}`, ...resources, ...conditions].join('\n  ');
}

const allLines = (document: unknown): string => `\n${(document as Document).Statement.map(lines).join('\n')}\n`;

/** Everything a role may do: what it was made with, and what was added. */
function roleMay(name: string): string {
  const inline = ofType('AWS::IAM::Role').flatMap(([id, { Policies = [] }]) =>
    id === name
      ? (Policies as { PolicyDocument: Document }[]).flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
      : [],
  );
  const added = ofType('AWS::IAM::Policy').flatMap(([, { PolicyDocument, Roles }]) =>
    (inWords(Roles) as string[]).includes(`\${${name}}`) ? (PolicyDocument as Document).Statement : [],
  );
  return allLines({ Statement: [...inline, ...added] });
}

const policyOf = (type: string, property: string): readonly [string, string][] =>
  ofType(type).map(([id, properties]) => [id, allLines(properties[property])]);

describe('the role of', () => {
  it('detect reads what is due, and tells of it', () => {
    expect(roleMay('DetectionDetectRole')).toMatchInlineSnapshot(`
      "
      Allow logs:CreateLogStream, logs:PutLogEvents
        on \${DetectionDetectLogs.Arn}
      Allow xray:PutTraceSegments, xray:PutTelemetryRecords
        on *
      Allow dynamodb:Query
        on \${InventoryTable.Arn}/index/due
      Allow dynamodb:GetItem
        on \${InventoryTable.Arn}
      Allow events:PutEvents
        on \${Bus.Arn}
      "
    `);
  });

  it('issue reaches the certificates, secrets and CAs of this deployment, and no others', () => {
    expect(roleMay('IssuanceIssueRole')).toMatchInlineSnapshot(`
      "
      Allow logs:CreateLogStream, logs:PutLogEvents
        on \${IssuanceIssueLogs.Arn}
      Allow xray:PutTraceSegments, xray:PutTelemetryRecords
        on *
      Allow sqs:ReceiveMessage, sqs:DeleteMessage, sqs:GetQueueAttributes, sqs:SendMessage
        on \${IssuanceQueue.Arn}
      Allow dynamodb:GetItem, dynamodb:PutItem
        on \${InventoryTable.Arn}
      Allow dynamodb:UpdateItem
        on \${InventoryTable.Arn}
      Allow secretsmanager:DescribeSecret
        on arn:\${AWS::Partition}:secretsmanager:\${AWS::Region}:\${AWS::AccountId}:secret:Everleaf/*
      Allow secretsmanager:CreateSecret, secretsmanager:TagResource
        on arn:\${AWS::Partition}:secretsmanager:\${AWS::Region}:\${AWS::AccountId}:secret:Everleaf/*
        if aws:RequestTag/everleaf:deployment StringEquals "Everleaf"
        if aws:TagKeys ForAllValues:StringEquals ["everleaf:deployment","everleaf:certificate","everleaf:account"]
      Allow secretsmanager:GetSecretValue, secretsmanager:PutSecretValue, secretsmanager:UpdateSecretVersionStage
        on arn:\${AWS::Partition}:secretsmanager:\${AWS::Region}:\${AWS::AccountId}:secret:Everleaf/*
        if aws:ResourceTag/everleaf:deployment StringEquals "Everleaf"
      Allow kms:GenerateDataKey, kms:Decrypt
        on arn:\${AWS::Partition}:kms:\${AWS::Region}:\${AWS::AccountId}:key/*
        if kms:ViaService StringEquals "secretsmanager.\${AWS::Region}.amazonaws.com"
        if kms:EncryptionContext:SecretARN StringLike ["arn:\${AWS::Partition}:secretsmanager:\${AWS::Region}:\${AWS::AccountId}:secret:Everleaf/*","RequestToValidateKeyAccess"]
      Allow events:PutEvents
        on \${Bus.Arn}
      Allow acm-pca:DescribeCertificateAuthority, acm-pca:GetCertificateAuthorityCertificate, acm-pca:IssueCertificate, acm-pca:GetCertificate, acm-pca:RevokeCertificate
        on arn:aws:acm-pca:us-east-1:111122223333:certificate-authority/11111111-1111-4111-8111-111111111111
      Allow sts:AssumeRole
        on arn:aws:iam::444455556666:role/issue-certificates
      "
    `);
  });

  it('survey reads how the fleet is doing, and no ledger', () => {
    expect(roleMay('SurveyRole')).toMatchInlineSnapshot(`
      "
      Allow logs:CreateLogStream, logs:PutLogEvents
        on \${SurveyLogs.Arn}
      Allow xray:PutTraceSegments, xray:PutTelemetryRecords
        on *
      Allow dynamodb:Query
        on \${InventoryTable.Arn}/index/fleet
      "
    `);
  });

  it('sync reads the manifest and writes the inventory', () => {
    expect(roleMay('ManifestSyncRole')).toMatchInlineSnapshot(`
      "
      Allow logs:CreateLogStream, logs:PutLogEvents
        on \${ManifestSyncLogs.Arn}
      Allow xray:PutTraceSegments, xray:PutTelemetryRecords
        on *
      Allow dynamodb:GetItem, dynamodb:PutItem
        on \${InventoryTable.Arn}
      Allow dynamodb:Scan
        on \${InventoryTable.Arn}
      Allow s3:GetObject
        on arn:\${AWS::Partition}:s3:::cdk-hnb659fds-assets-\${AWS::AccountId}-\${AWS::Region}/*.json
      "
    `);
  });
});

describe('the stack', () => {
  it('has these roles only, each for Lambda alone and without managed policies', () => {
    const roles = ofType('AWS::IAM::Role');
    expect(roles.map(([id]) => id).sort()).toEqual([
      'DetectionDetectRole',
      'IssuanceIssueRole',
      'ManifestSyncRole',
      'SurveyRole',
    ]);
    for (const [, properties] of roles) {
      expect(allLines(properties['AssumeRolePolicyDocument'])).toBe(
        '\nAllow sts:AssumeRole to {"Service":"lambda.amazonaws.com"}\n',
      );
      expect(properties['ManagedPolicyArns']).toBeUndefined();
    }
    const types = Object.values(template.toJSON()['Resources'] as Record<string, Resource>).map(({ Type }) => Type);
    expect([...new Set(types.filter((type) => /IAM|Policy|Permission/.test(type)))].sort()).toEqual([
      'AWS::IAM::Policy',
      'AWS::IAM::Role',
      'AWS::Lambda::Permission',
      'AWS::SQS::QueuePolicy',
    ]);
  });

  it('lets its rules, over TLS, send to its queue, and nobody to its dead letters', () => {
    expect(Object.fromEntries(policyOf('AWS::SQS::QueuePolicy', 'PolicyDocument'))).toMatchInlineSnapshot(`
      {
        "IssuanceDeadLettersPolicy": "
      Deny sqs:* to {"AWS":"*"}
        on \${IssuanceDeadLetters.Arn}
        if aws:SecureTransport Bool "false"
      ",
        "IssuanceQueuePolicy": "
      Deny sqs:* to {"AWS":"*"}
        on \${IssuanceQueue.Arn}
        if aws:SecureTransport Bool "false"
      Allow sqs:SendMessage, sqs:GetQueueAttributes, sqs:GetQueueUrl to {"Service":"events.amazonaws.com"}
        on \${IssuanceQueue.Arn}
        if aws:SourceArn ArnEquals "\${IssuanceDue.Arn}"
      ",
      }
    `);
  });

  it('leaves its key to the policies of the account', () => {
    expect(Object.fromEntries(policyOf('AWS::KMS::Key', 'KeyPolicy'))).toMatchInlineSnapshot(`
      {
        "StoreKey": "
      Allow kms:* to {"AWS":"arn:\${AWS::Partition}:iam::\${AWS::AccountId}:root"}
        on *
      ",
      }
    `);
  });

  it('lets its schedule alone call a function', () => {
    expect(ofType('AWS::Lambda::Permission').map(([, properties]) => inWords(properties))).toMatchInlineSnapshot(`
      [
        {
          "Action": "lambda:InvokeFunction",
          "FunctionName": "\${DetectionDetectFunction.Arn}",
          "Principal": "events.amazonaws.com",
          "SourceArn": "\${DetectionSchedule.Arn}",
        },
        {
          "Action": "lambda:InvokeFunction",
          "FunctionName": "\${SurveyFunction.Arn}",
          "Principal": "events.amazonaws.com",
          "SourceArn": "\${SurveySchedule.Arn}",
        },
      ]
    `);
  });
});

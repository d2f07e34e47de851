import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { type IVpc, Vpc } from 'aws-cdk-lib/aws-ec2';
import { describe, expect, it } from 'vitest';
import { appForTwin } from '../../bin/twin/synthesize.ts';
import { Everleaf } from '../../lib/everleaf.ts';
import { certificateYaml, manifestOf } from '../support/deployment.ts';

const hookYaml = (target: string): string => `apiVersion: everleaf.dev/v1
kind: DeployHook
metadata: { name: shop }
spec: { certificateNames: [shop], ${target} }
`;

function synthesized(hooks: readonly string[], inVpc = false): Template {
  const folder = mkdtempSync(join(tmpdir(), 'everleaf-hooks-'));
  try {
    writeFileSync(join(folder, 'manifest.yaml'), manifestOf(certificateYaml('shop'), ...hooks));
    const app = appForTwin(join(folder, 'assembly'));
    const stack = new Stack(app, 'Everleaf');
    const vpc = inVpc ? { vpc: new Vpc(stack, 'Vpc') as IVpc } : {};
    new Everleaf(stack, 'Everleaf', { manifest: join(folder, 'manifest.yaml'), ...vpc });
    return Template.fromStack(stack);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

/** What was added to the role of the deploy function, and how long that is as IAM counts it. */
function grantsOf(template: Template): { readonly statements: readonly Statement[]; readonly characters: number } {
  const policies = Object.entries(template.findResources('AWS::IAM::Policy')).filter(([id]) =>
    id.startsWith('EverleafDeploymentDeployRole'),
  );
  const documents = policies.map(
    ([, policy]) =>
      (policy as { Properties: { PolicyDocument: { Statement: Statement[] } } }).Properties.PolicyDocument,
  );
  return {
    statements: documents.flatMap(({ Statement: all }) => all),
    characters: documents.reduce((sum, document) => sum + JSON.stringify(document).length, 0),
  };
}

const actionsOf = (template: Template): readonly string[] =>
  grantsOf(template).statements.flatMap(({ Action }) => Action);

const ECS = hookYaml('ecs: { cluster: prod, services: [shop] }');
const EKS = hookYaml('eks: { cluster: prod, namespace: web, secretName: shop-tls }');

describe('of a manifest with a hook', () => {
  const template = synthesized([ECS]);

  it('the deploy function has a queue, dead letters and a rule of its own', () => {
    template.resourceCountIs('AWS::SQS::Queue', 4);
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: { source: ['everleaf'], 'detail-type': ['Certificate Rotated', 'Certificate Deployment Due'] },
    });
  });

  it('the deploy function may wait by way of its own queue', () => {
    template.hasResourceProperties('AWS::Lambda::Function', {
      Description: 'Everleaf: takes a version to where it is served, and proves it',
      RecursiveLoop: 'Allow',
    });
  });

  it('certificates are declared once whoever works on them may', () => {
    const [manifest] = Object.values(template.findResources('Custom::EverleafManifest'));
    const after = (manifest as { readonly DependsOn: readonly string[] }).DependsOn;
    for (const role of ['EverleafIssuanceIssueRoleDefaultPolicy', 'EverleafDeploymentDeployRoleDefaultPolicy'])
      expect(after).toContainEqual(expect.stringContaining(role));
  });

  it('the role that deploys is an output, for whoever has to let it in', () => {
    const [output, ...others] = Object.values(template.findOutputs('*')).filter(
      ({ Description }) => typeof Description === 'string' && Description.startsWith('Who deploys'),
    );
    expect(others).toEqual([]);
    expect(JSON.stringify(output)).toMatch(/"Fn::GetAtt":\["EverleafDeploymentDeployRole\w+","Arn"\]/);
  });

  it('the deploy function moves what consumers read, and reads no key', () => {
    const actions = actionsOf(template);
    expect(actions).toContain('secretsmanager:UpdateSecretVersionStage');
    expect(actions.filter((action) => /GetSecretValue|PutSecretValue|CreateSecret|^kms:/.test(action))).toEqual([]);
    expect(actions.filter((action) => action.startsWith('acm-pca:') || action.includes('*'))).toEqual([]);
  });

  it('the deploy function reaches the services that the hook names', () => {
    const { statements } = grantsOf(template);
    const ecs = statements.filter(({ Action }) => [Action].flat().some((action) => action.startsWith('ecs:')));
    expect(JSON.stringify(ecs)).toContain('service/prod/shop');
    expect(JSON.stringify(ecs)).not.toContain('service/prod/*');
  });

  it('the deploy function is outside of any VPC', () => {
    const functions = Object.values(template.findResources('AWS::Lambda::Function')) as {
      readonly Properties: { readonly VpcConfig?: unknown };
    }[];
    expect(functions).toHaveLength(5);
    expect(functions.filter(({ Properties }) => Properties.VpcConfig !== undefined)).toEqual([]);
  });
});

it('without a hook there is no deploy function, and nothing of it', () => {
  expect(JSON.stringify(synthesized([]).toJSON())).not.toMatch(/EverleafDeployment|Deployment Due|DeployRoleArn/);
});

it('a hook that hands out the key lets the function read it, of this deployment’s secrets', () => {
  const { statements } = grantsOf(synthesized([EKS]));
  const reading = statements.find(({ Action }) => [Action].flat().includes('secretsmanager:GetSecretValue'));
  expect(JSON.stringify(reading?.Resource)).toContain(':secret:Everleaf/*');
  expect(JSON.stringify(reading?.Condition)).toContain('aws:ResourceTag/everleaf:deployment');
  expect(statements.flatMap(({ Action }) => Action).filter((action) => action.startsWith('kms:'))).toEqual([
    'kms:Decrypt',
  ]);
});

it.each([
  [1, 500],
  [5, 100],
  [20, 25],
  [25, 1],
  [100, 5],
])('%i clusters of %i services leave the role’s policies below 10,240 characters', (clusters, services) => {
  const names = Array.from({ length: services }, (_, index) => `service-with-a-rather-long-name-${index}`).join(', ');
  const many = Array.from({ length: clusters }, (_, index) =>
    hookYaml(`ecs: { cluster: cluster-with-a-rather-long-name-${index}, services: [${names}] }`).replace(
      'name: shop }',
      `name: shop-${index} }`,
    ),
  );
  const { statements, characters } = grantsOf(synthesized(many));
  expect(statements.flatMap(({ Action }) => Action)).toContain('ecs:UpdateService');
  expect(characters).toBeLessThan(10_240);
});

it('in a VPC that is given it is the deploy function that joins it, and no other', () => {
  const template = synthesized([ECS], true);
  const functions = Object.entries(template.findResources('AWS::Lambda::Function')) as [
    string,
    { readonly Properties: { readonly VpcConfig?: unknown } },
  ][];
  const joined = functions.filter(([, { Properties }]) => Properties.VpcConfig !== undefined);
  expect(joined.map(([name]) => name.replace(/[0-9A-F]{8}$/, ''))).toEqual(['EverleafDeploymentDeployFunction']);
  // Without, Lambda refuses to make the function at all.
  const roles = Object.entries(template.findResources('AWS::IAM::Role')).filter(([, role]) =>
    JSON.stringify(role).includes('ec2:CreateNetworkInterface'),
  );
  expect(roles.map(([name]) => name.replace(/[0-9A-F]{8}$/, ''))).toEqual(['EverleafDeploymentDeployRole']);
});

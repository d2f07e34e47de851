import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { afterAll, describe, expect, it } from 'vitest';

const EXAMPLES = join(import.meta.dirname, '..', '..', 'examples');
const run = promisify(execFile);

const folder = mkdtempSync(join(tmpdir(), 'everleaf-examples-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The templates of an example, by stack, as its own cdk.json has them made. */
async function synthesized(name: string): Promise<Readonly<Record<string, Template>>> {
  const cwd = join(EXAMPLES, name);
  const { app } = JSON.parse(readFileSync(join(cwd, 'cdk.json'), 'utf8')) as { readonly app: string };
  const outdir = join(folder, name);
  const [program = '', ...parameters] = app.split(' ');
  const context = JSON.stringify({ 'aws:cdk:builtin-cfn-validation': false });
  await run(program === 'node' ? process.execPath : program, parameters, {
    cwd,
    env: { PATH: process.env['PATH'], CDK_OUTDIR: outdir, CDK_CONTEXT_JSON: context },
  });
  const files = readdirSync(outdir).filter((file) => file.endsWith('.template.json'));
  return Object.fromEntries(
    files.map((file) => [
      file.replace('.template.json', ''),
      Template.fromJSON(JSON.parse(readFileSync(join(outdir, file), 'utf8')) as Record<string, unknown>),
    ]),
  );
}

describe('the example', () => {
  it('subscriber has a queue told of everything, and a function called for one certificate that it may read', async () => {
    const { Everleaf: template } = await synthesized('subscriber');
    template?.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: { 'detail-type': ['Certificate Rotated'], detail: { certificate: ['default/shop'] } },
      Targets: [Match.objectLike({ Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Reload'), 'Arn'] } })],
    });
    expect(JSON.stringify(template?.findResources('AWS::IAM::Policy'))).toContain('secret:Everleaf/shop-tls-??????');
  });

  it('ecs-fargate starts no task before its certificate is there, and lets it read that one alone', async () => {
    const { Shop: template } = await synthesized('ecs-fargate');
    template?.hasResource('AWS::ECS::Service', {
      DependsOn: Match.arrayWith([Match.stringLikeRegexp('^Readydefaultshop')]),
    });
    template?.hasResourceProperties('Custom::EverleafReady', { Certificate: 'default/shop', TimeoutSeconds: 600 });
    const policies = JSON.stringify(template?.findResources('AWS::IAM::Policy'));
    expect(policies.match(/:secret:[^"]*/g)).toEqual(
      Array.from({ length: 2 }, () => ':secret:Certificates/shop-tls-??????'),
    );
    expect(JSON.stringify(template?.findResources('AWS::ECS::TaskDefinition'))).not.toContain('tls.key');
  });

  it('cross-account passes on one certificate, to a bus that takes nothing else from that account', async () => {
    const { Platform, Shop } = await synthesized('cross-account');
    Platform?.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: Match.objectLike({ detail: { certificate: ['default/shop'] } }),
      Targets: [Match.objectLike({ Arn: 'arn:aws:events:us-east-1:444455556666:event-bus/certificates' })],
    });
    Shop?.hasResourceProperties('AWS::Events::EventBusPolicy', {
      Statement: Match.objectLike({ Condition: { StringEquals: { 'events:source': 'everleaf' } } }),
    });
  });

  it("of the README is subscriber's own code", () => {
    const readme = readFileSync(join(EXAMPLES, '..', 'README.md'), 'utf8');
    expect(readme).toContain(`\`\`\`ts\n${readFileSync(join(EXAMPLES, 'subscriber', 'app.ts'), 'utf8')}\`\`\``);
  });
});

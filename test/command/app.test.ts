import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
const outdir = mkdtempSync(join(tmpdir(), 'everleaf-app-'));
afterAll(() => rmSync(outdir, { recursive: true, force: true }));

/** The app as the CDK command starts it, with context as `-c` hands it over. */
function synthesize(context: Readonly<Record<string, unknown>>) {
  const { status, stderr } = spawnSync(process.execPath, [join('bin', 'app.ts')], {
    cwd: ROOT,
    encoding: 'utf8',
    env: {
      PATH: process.env['PATH'],
      CDK_OUTDIR: outdir,
      CDK_CONTEXT_JSON: JSON.stringify({ 'aws:cdk:builtin-cfn-validation': false, ...context }),
    },
  });
  return { status, stderr };
}

const KEY = 'arn:aws:kms:eu-west-1:111122223333:key/11111111-1111-4111-8111-111111111111';

describe('the CDK app', () => {
  it('takes all its settings from context', () => {
    const { status, stderr } = synthesize({
      stackName: 'Prod',
      region: 'eu-central-1',
      lookEveryMinutes: '2',
      removalPolicy: 'destroy',
      encryptionKey: KEY.replace('eu-west-1', 'eu-central-1'),
      replicaRegions: JSON.stringify({ 'eu-west-1': KEY }),
      permissionsBoundary: 'arn:aws:iam::111122223333:policy/boundary',
      tags: { team: 'platform' },
      logRetentionDays: 30,
      tracing: 'off',
      archiveDays: 'never',
      // What `cdk acknowledge` and `cdk cli-telemetry` leave in cdk.context.json.
      'acknowledged-issue-numbers': [32775],
      'cli-telemetry': false,
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.not.stringContaining('rror') as string });
    const template = readFileSync(join(outdir, 'Prod.template.json'), 'utf8');
    for (const told of ['rate(2 minutes)', KEY, 'policy/boundary', '"team"', '"RetentionInDays": 30'])
      expect(template).toContain(told);
    for (const untold of ['AWS::KMS::Key', 'AWS::Events::Archive', 'TracingConfig', '"Retain"'])
      expect(template).not.toContain(untold);
  });

  it.each([
    [{ removalPolicy: 'keep' }, 'context value "removalPolicy" is "keep"; it must be retain or destroy'],
    [{ removalpolicy: 'destroy' }, 'there is no context value "removalpolicy". Did you mean "removalPolicy"?'],
    [{ lookEveryMinutes: '11' }, 'lookEvery is 660 s; it must be 1 to 10 whole minutes'],
    [
      { replicaRegions: 'eu-west-1' },
      'it must be Regions with the ARN of a KMS key in each: {"eu-west-1": "arn:aws:kms:…"}',
    ],
    [{ encryptionKey: 'alias/mine' }, 'it must be the ARN of a KMS key'],
    [{ logRetentionDays: 31 }, 'context value "logRetentionDays" is 31; it must be one of 1, 3, 5, 7, 14, 30, 60, 90,'],
    [{ manifest: '' }, 'context value "manifest" is ""; it must be the folder of manifests'],
  ])('refuses %j, says what is allowed, and buries it under no stack trace', (context, message) => {
    const { status, stderr } = synthesize(context);
    expect(status).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

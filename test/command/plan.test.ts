import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, onTestFinished, vi } from 'vitest';
import { plan } from '../../bin/commands/plan.ts';
import { certificateYaml, deployOnTwin, manifestOf } from '../support/deployment.ts';
import { Sink } from '../support/sink.ts';

afterEach(() => vi.unstubAllEnvs());

function folderWith(manifest: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'everleaf-plan-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'manifest.yaml'), manifest);
  return folder;
}

async function run(folder: string, options: { table?: string; endpoint?: string; json?: boolean } = {}) {
  const [stdout, stderr] = [new Sink(), new Sink()];
  const code = await plan(folder, { json: false, ...options }, { stdout, stderr });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

it('on an account without an inventory everything is to be issued', async () => {
  const { code, stdout } = await run(folderWith(manifestOf(certificateYaml('ledger'), certificateYaml('orders'))));
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: `+ issue       default/ledger  new in the manifest
+ issue       default/orders  new in the manifest

Against an account without an inventory: 2 to issue.
`,
  });
});

it('a folder with errors has no plan', async () => {
  await expect(run('test/manifest/planted')).rejects.toMatchObject({ code: 'ManifestRefused' });
});

it('an endpoint without a table is a mistake', async () => {
  const folder = folderWith(manifestOf());
  await expect(run(folder, { endpoint: 'http://127.0.0.1:1' })).rejects.toThrow('--table which');
});

it('an inventory that cannot be reached is said to be', async () => {
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'a');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'b');
  const options = { table: 'nowhere', endpoint: 'http://127.0.0.1:1' };
  await expect(run(folderWith(manifestOf()), options)).rejects.toMatchObject({ code: 'Unreachable' });
});

it('against a deployed inventory it says what differs, reads only, and the deploy then does it', async () => {
  const before = manifestOf(certificateYaml('ledger'), certificateYaml('orders'), certificateYaml('wiki'));
  const deployment = await deployOnTwin({ manifest: before });
  onTestFinished(() => deployment.close());
  await deployment.tick();
  const { twin } = deployment;
  vi.stubEnv('AWS_REGION', twin.account.region);
  vi.stubEnv('AWS_ACCESS_KEY_ID', twin.operatorCredentials.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', twin.operatorCredentials.secretAccessKey);
  const deployed = { table: twin.physicalId('EverleafInventoryTable'), endpoint: twin.endpoint };

  const after = manifestOf(
    certificateYaml('orders', '  duration: 24h\n'),
    certificateYaml('shop'),
    certificateYaml('wiki'),
  );
  const callsBefore = twin.calls.length;
  const { stdout } = await run(folderWith(after), deployed);
  expect(stdout).toBe(`− retire      default/ledger  no longer in the manifest: its secret stays, and is not renewed
± re-issue    default/orders  duration: 2160h → 24h
+ issue       default/shop    new in the manifest
= leave       default/wiki    unchanged

Against the inventory ${deployed.table}: 1 to issue, 1 to re-issue, 1 to retire, 1 left alone.
`);
  expect(new Set(twin.calls.slice(callsBefore).map(({ operation }) => operation))).toEqual(
    new Set(['Scan', 'GetItem']),
  );

  await deployment.deploy(after);
  await deployment.tick();
  const generations = async (...names: string[]) =>
    Promise.all(names.map(async (name) => (await deployment.record(name)).generation));
  expect(await generations('ledger', 'orders', 'shop', 'wiki')).toEqual([1, 2, 1, 1]);
  expect((await deployment.record('ledger')).retiredAt).toBeDefined();
  const { changes } = JSON.parse((await run(folderWith(after), { ...deployed, json: true })).stdout) as {
    changes: { action: string }[];
  };
  expect(changes.map(({ action }) => action)).toEqual(['leave', 'leave', 'leave', 'leave']);
});

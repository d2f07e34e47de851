import { ReplicateSecretToRegionsCommand } from '@aws-sdk/client-secrets-manager';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { doctor } from '../../bin/commands/doctor.ts';
import { purge, type PurgeOptions } from '../../bin/commands/purge.ts';
import { rebuild } from '../../bin/commands/rebuild.ts';
import type { Happening } from '../../functions/core/transitions.ts';
import { clockFinding } from '../../bin/doctor/person-checks.ts';
import { AcmeServer } from '../../local/acme/server.ts';
import { AwsError } from '../../local/wire/service.ts';
import { documents } from '../support/acme-deployment.ts';
import { certificateYaml, type Deployment, deployOnTwin, GENERAL_CA, manifestOf } from '../support/deployment.ts';
import { become, running, unusedOf, withPeople } from '../support/people.ts';

const NEVER = new AbortController().signal;
const ALL = ['gone', 'ledger', 'orders', 'wiki'].map((name) => certificateYaml(name));
const LEFT = ALL.slice(1);

let deployment: Deployment;

beforeAll(async () => {
  deployment = await deployOnTwin({ manifest: manifestOf(...ALL), adapt: withPeople, atWallTime: true });
  await deployment.tick();
  await deployment.deploy(manifestOf(...LEFT));
  const AddReplicaRegions = [{ Region: 'eu-west-1' }];
  await deployment.secrets.send(
    new ReplicateSecretToRegionsCommand({ SecretId: 'Everleaf/gone-tls', AddReplicaRegions }),
  );
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await deployment.twin.settled();
  await deployment.close();
});

function folderWith(manifest: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'everleaf-recovery-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'manifest.yaml'), manifest);
  return folder;
}

describe('everleaf purge', () => {
  beforeEach(() => become(deployment, 'recovery'));
  const purging = (name: string, options: Partial<PurgeOptions> = {}, types?: string) =>
    running(
      deployment,
      (stack, io) => purge(name, { ...stack, recoveryDays: 7, dryRun: false, yes: false, json: false, ...options }, io),
      types,
    );
  const isDeleted = async (): Promise<boolean> =>
    deployment.bundle('gone').then(
      () => false,
      () => true,
    );

  it('leaves alone what is in the manifest, and says how it goes', async () => {
    expect(await purging('ledger', { yes: true })).toEqual({
      code: 1,
      stdout: '',
      stderr: 'default/ledger: it is in the manifest; remove it there, deploy, and purge it then\n',
    });
  });

  it('shows what would go, and wants the name for a yes', async () => {
    const { code, stderr } = await purging('gone', { dryRun: true });
    expect(code).toBe(0);
    expect(stderr).toContain('secret Everleaf/gone-tls, with every version of its key; it can be restored for 7 days');
    expect(await purging('gone', {}, 'default/ledger')).toMatchObject({ code: 1 });
    await expect(purging('gone')).rejects.toThrow('no terminal to ask at');
    expect(await isDeleted()).toBe(false);
  });

  it('deletes nothing that is in the manifest again by the time somebody has said yes', async () => {
    const { operator, record, now } = deployment;
    const { id, spec } = await record('gone');
    const wish = (happening: Happening) => operator.wish(id, () => happening, { arn: 'test', clock: now });
    let isBack = false;
    const restore = deployment.twin.use(async ({ operation }, next) => {
      const answer = await next();
      if (!isBack && operation === 'Scan') {
        isBack = true;
        await wish({ event: 'Reinstated', spec });
      }
      return answer;
    });
    const { code, stderr } = await purging('gone', { yes: true });
    restore();
    expect(code).toBe(1);
    expect(stderr).toContain('default/gone: meanwhile it is in the manifest; remove it there');
    expect(await isDeleted()).toBe(false);
    await wish({ event: 'Retired' });
  });

  it('interrupted half-way, says so, and a second run finishes', async () => {
    const restore = deployment.twin.use(async ({ operation }, next) => {
      if (operation === 'DeleteItem') throw new AwsError('InternalServerError', 'struck', 500);
      return next();
    });
    // The SDK itself tries three times.
    await expect(purging('gone', { yes: true })).rejects.toMatchObject({ code: 'ServiceFailed' });
    restore();
    expect(await isDeleted()).toBe(true);
    expect((await deployment.record('gone')).retiredAt).toBeDefined();

    const { code, stdout } = await purging('gone', {}, 'default/gone');
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: '✔ secret Everleaf/gone-tls: was gone\n✔ default/gone: forgotten\n',
    });
    await expect(deployment.record('gone')).rejects.toThrow('not in the inventory');
    await expect(purging('gone', { yes: true })).rejects.toThrow('there is no certificate gone');
  });

  it('never deletes a secret that is somebody else’s', async () => {
    await deployment.deploy(manifestOf(...LEFT, certificateYaml('shared')));
    await deployment.tick();
    await deployment.deploy(manifestOf(...LEFT));
    const { TagResourceCommand } = await import('@aws-sdk/client-secrets-manager');
    const Tags = [{ Key: 'everleaf:certificate', Value: 'default/other' }];
    await deployment.secrets.send(new TagResourceCommand({ SecretId: 'Everleaf/shared-tls', Tags }));
    await expect(purging('shared', { yes: true })).rejects.toMatchObject({ code: 'SecretNotOurs' });
    expect(await deployment.bundle('shared')).toHaveProperty('tls.crt');
  });
});

const HOOK = `apiVersion: everleaf.dev/v1
kind: DeployHook
metadata: { name: orders }
spec: { certificateNames: [orders], ecs: { cluster: prod, services: [orders] } }
`;

describe('everleaf rebuild', () => {
  beforeEach(() => become(deployment, 'recovery'));
  const rebuilding = (dryRun: boolean) =>
    running(deployment, (stack, io) =>
      rebuild(
        folderWith(documents(manifestOf(...LEFT, certificateYaml('fresh')), HOOK)),
        {
          ...stack,
          dryRun,
          json: false,
          signal: NEVER,
        },
        io,
      ),
    );

  it('restores an emptied inventory from the store: nothing is issued, and no key is read by whoever runs it', async () => {
    const { inventory } = deployment.operator;
    const before = await deployment.operator.records();
    for (const { id } of before) {
      const stored = await inventory.read(id);
      if (stored !== undefined) await inventory.remove(id, stored.revision);
    }
    const signed = deployment.pca.issued(GENERAL_CA).length;

    const dry = await rebuilding(true);
    expect(dry.stdout).toMatch(/^✔ default\/ledger: would be restored$[^]*0 records were there\. Nothing was done\.$/m);
    expect(await deployment.operator.records()).toEqual([]);

    const calls = deployment.twin.calls.length;
    const { code, stdout } = await rebuilding(false);
    expect(code).toBe(1);
    expect(stdout).toContain('✔ default/orders: restored; the pipeline takes up what its secret holds');
    expect(stdout).toContain('– default/fresh: it has no secret, so nothing to restore; a deploy declares it');
    expect(stdout).toContain(
      '? secret Everleaf/shared-tls is of default/other, which neither manifest nor inventory has',
    );
    const asked = deployment.twin.calls.slice(calls).filter(({ principal }) => principal === 'operator');
    expect(asked.map(({ operation }) => operation)).not.toContain('GetSecretValue');
    // And the documents of its hooks, without which no rotation would be deployed.
    const [ref] = (await deployment.record('orders')).spec.hooks ?? [];
    expect(ref === undefined ? ref : await inventory.readHook(ref)).toMatchObject({ plugin: 'ecs' });

    await deployment.tick();
    const restored = await deployment.operator.records();
    expect(restored.map(({ id, generation, current }) => [id, generation, current?.version])).toEqual(
      before
        .filter(({ id }) => !id.endsWith('/shared'))
        .map(({ id, generation, current }) => [id, generation, current?.version]),
    );
    expect(deployment.pca.issued(GENERAL_CA)).toHaveLength(signed);
    expect(restored[0]?.history[0]?.actor).toMatch(/assumed-role\/.*\/alice$/);
    expect((await rebuilding(false)).stdout).toContain('3 records were there.');
  });
});

describe('everleaf doctor', () => {
  beforeEach(() => become(deployment, 'viewer'));
  const examined = async (folder?: string): Promise<{ code: number; lines: readonly string[] }> => {
    const { code, stdout } = await running(deployment, (stack, io) => doctor(folder, { ...stack, json: false }, io));
    return { code, lines: stdout.split('\n') };
  };

  it('finds nothing wrong where nothing is, but that a viewer may not write', async () => {
    const { code, lines } = await examined();
    expect(lines.filter((line) => line.startsWith('✘'))).toEqual([]);
    expect(code).toBe(0);
    expect(lines.filter((line) => line.startsWith('⚠'))).toEqual([
      '⚠ writing: you may look, and not write: renew, retry and revoke will be refused',
    ]);
    expect(lines).toContain("✔ clock: this machine's agrees with AWS's");
    expect(lines).toContain('✔ dead letters: none of issuance');
    expect(lines.filter((line) => /^✔ rule: \S+ is enabled$/.test(line))).toHaveLength(3);
    expect(lines.find((line) => line.includes('issuer internal'))).toContain('is ACTIVE for');
  });

  it('looks at CAs and zones of a folder before it is deployed', async () => {
    const { twin, pca } = deployment;
    const ca = await AcmeServer.start({ clock: twin.clock, dnsServer: twin.dns.address, hosts: ['localhost'] });
    onTestFinished(() => ca.close());
    twin.route53.addZone('zone.example');
    pca.setStatus(GENERAL_CA, 'DISABLED');
    onTestFinished(() => pca.setStatus(GENERAL_CA, 'ACTIVE'));
    const issuer = (name: string, bundle: string): string => `apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: { name: ${name} }
spec:
  acme:
    server: https://localhost:${ca.port}/directory
    ${bundle}
    privateKeySecretRef: { name: ${name}-account }
    solvers: [{ dns01: { route53: {} } }]
`;
    const certificate = (name: string, host: string, from: string): string => `apiVersion: cert-manager.io/v1
kind: Certificate
metadata: { name: ${name} }
spec:
  secretName: ${name}-tls
  dnsNames: [${host}]
  issuerRef: { kind: ClusterIssuer, name: ${from} }
`;
    const trusted = issuer('trusted', `caBundle: ${Buffer.from(ca.tlsRoot).toString('base64')}`);
    const { code, lines } = await examined(
      folderWith(
        documents(
          manifestOf(certificateYaml('inner')),
          trusted,
          issuer('untrusted', ''),
          certificate('here', 'www.zone.example', 'trusted'),
          certificate('there', 'www.elsewhere.example', 'untrusted'),
        ),
      ),
    );
    const text = lines.join('\n');
    expect(code).toBe(1);
    expect(text).toMatch(/^✔ issuer trusted: https:\/\/localhost:\d+\/directory answers with its directory$/m);
    expect(text).toMatch(
      /^✘ issuer untrusted: .*(SELF_SIGNED|UNABLE_TO).*\n {2}→ put the CA’s root into the issuer’s caBundle/m,
    );
    expect(text).toMatch(/^✘ issuer internal: .* is DISABLED; only an ACTIVE CA issues$/m);
    expect(text).toMatch(/^✔ zones: \S+ is for 1 name$/m);
    expect(text).toMatch(/^✘ zones: no public hosted zone here for www\.elsewhere\.example$/m);
  });

  it('finds a rule that is off, what nobody takes up, and messages that were given up on', async () => {
    const answers: Readonly<Record<string, object>> = {
      DescribeRule: { State: 'DISABLED' },
      Query: { Items: [{ pk: { S: 'certificate#default/late' }, dueAt: { S: '2026-01-01T00:00:00.000Z' } }] },
      GetQueueAttributes: { Attributes: { ApproximateNumberOfMessages: '3' } },
    };
    const restore = deployment.twin.use(async ({ operation }, next) => {
      const answer = answers[operation];
      return answer === undefined ? next() : { status: 200, headers: {}, body: JSON.stringify(answer) };
    });
    const { code, lines } = await examined();
    restore();
    const text = lines.join('\n');
    expect(code).toBe(1);
    expect(text).toMatch(
      /^✘ rule: \S+ on bus default is DISABLED: .*\n {2}→ aws events enable-rule --name \S+ --event-bus-name default$/m,
    );
    expect(text).toMatch(/^⚠ table: default\/late and 7 more have been due for a quarter of an hour/m);
    expect(text).toMatch(/^⚠ dead letters: 3 messages of issuance were given up on$/m);
  });

  it.each([
    [0, 'fine'],
    [-30_000, 'fine'],
    [120_000, 'warning'],
    [-600_000, 'fault'],
  ])('judges a clock that is %i ms off: %s', (aheadMs, verdict) => {
    expect(clockFinding({ aheadMs }).verdict).toBe(verdict);
  });

  it('finds a budget that cannot keep up', async () => {
    const slow = manifestOf(certificateYaml('one'), certificateYaml('two')).replace(
      'metadata: { name: internal }',
      'metadata: { name: internal, annotations: { everleaf.dev/order-limit: 1/700h } }',
    );
    const { code, lines } = await examined(folderWith(slow));
    expect(code).toBe(1);
    expect(lines.join('\n')).toMatch(/^✘ budget of internal: .* and they have 30d$/m);
  });

  it('looks at the queues of both ways, where there are hooks', async () => {
    await deployment.deploy(documents(manifestOf(...LEFT), HOOK));
    const { lines } = await examined();
    for (const work of ['issuance', 'deployment']) {
      expect(lines).toContain(`✔ dead letters: none of ${work}`);
      expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^✔ queue: \\d+ certificates wait for ${work}$`)));
    }
    await deployment.deploy(manifestOf(...LEFT));
  });

  it('names the permission that somebody lacks for looking', async () => {
    await become(deployment, 'operator');
    const { code, lines } = await examined();
    expect(code).toBe(1);
    expect(lines.join('\n')).toMatch(
      /^✘ table: your credentials do not allow dynamodb:Query on \S+\n {2}→ docs\/policies\/viewer\.json grants/m,
    );
    expect(lines).toContain('✔ writing: you may write: renew, retry and revoke will work');
  });
});

it('the policies of viewers and of recovery grant nothing that these do without', () => {
  expect(unusedOf(deployment, 'viewer')).toEqual([]);
  expect(unusedOf(deployment, 'recovery')).toEqual([]);
});

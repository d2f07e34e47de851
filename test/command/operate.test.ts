import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CfnOutput } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { history } from '../../bin/commands/history.ts';
import { renew, type WritingOptions } from '../../bin/commands/renew.ts';
import { retry } from '../../bin/commands/retry.ts';
import { revoke } from '../../bin/commands/revoke.ts';
import { status, type StatusOptions } from '../../bin/commands/status.ts';
import { apply } from '../../functions/core/transitions.ts';
import { AwsError } from '../../local/wire/service.ts';
import { certificateYaml, type Deployment, deployOnTwin, GENERAL_CA, manifestOf } from '../support/deployment.ts';
import { Sink } from '../support/sink.ts';
import { become, running, unusedOf, whileTicking, withPeople } from '../support/people.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const ALICE = /^arn:aws:sts::111122223333:assumed-role\/.*\/alice$/;
const NEVER = new AbortController().signal;
const LOOKING = { names: [], watch: false, json: false, signal: NEVER } as const;
const WRITING = { dryRun: false, yes: false, json: false, wait: false, timeout: '1m', signal: NEVER } as const;

let deployment: Deployment;

beforeAll(async () => {
  const names = ['ledger', 'orders', 'wiki'];
  deployment = await deployOnTwin({
    manifest: manifestOf(...names.map((name) => certificateYaml(name))),
    adapt: (stack) => {
      withPeople(stack);
      // An app's own, whose output ends as one of ours does.
      new CfnOutput(new Construct(stack, 'Orders'), 'TableName', { value: 'orders' });
    },
    atWallTime: true,
  });
  await deployment.tick();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await deployment.twin.settled();
  await deployment.close();
});

const seeing = (options: Partial<StatusOptions> = {}) =>
  running(deployment, (stack, io) => status({ ...stack, ...LOOKING, ...options }, io));
const renewing = (names: readonly string[], options: Partial<WritingOptions> & { expiringWithin?: string } = {}) =>
  running(deployment, (stack, io) => renew({ ...stack, ...WRITING, names, ...options }, io));
const writesSince = (calls: number) =>
  deployment.twin.calls.slice(calls).filter(({ operation }) => /^(?:Put|Delete|Update)/.test(operation));

describe('everleaf status', () => {
  beforeEach(() => become(deployment, 'viewer'));

  it('shows how everything stands, and is content', async () => {
    const { code, stdout } = await seeing();
    expect(code).toBe(0);
    expect(stdout.split('\n')[0]).toMatch(/^NAME +STATE +ISSUER +NOT AFTER +NEXT RENEWAL +LAST ERROR$/);
    expect(stdout).toMatch(/^default\/ledger +current +internal +\d{4}-\d\d-\d\d \d\d:\d\d \(in 89d 2\dh\)/m);
    expect(stdout).toContain('3 certificates: 3 current.');
  });

  it('prints a document of a shape that stays', async () => {
    const { stdout } = await seeing({ names: ['wiki'], json: true });
    expect(JSON.parse(stdout)).toEqual({
      at: expect.stringMatching(/Z$/) as unknown,
      stack: 'Everleaf',
      certificates: [
        {
          name: 'default/wiki',
          state: 'current',
          issuer: 'internal',
          names: ['wiki.internal.example'],
          key: 'P-256',
          secret: 'wiki-tls',
          generation: 1,
          version: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown,
          serialNumber: expect.any(String) as unknown,
          sha256Fingerprint: expect.any(String) as unknown,
          notAfter: expect.any(String) as unknown,
          nextRenewal: expect.any(String) as unknown,
          nextLook: expect.any(String) as unknown,
        },
      ],
    });
  });

  it('selects by issuer and by expiry, and refuses what it does not understand', async () => {
    expect((await seeing({ expiringWithin: '7d' })).stdout).toContain('0 certificates');
    expect((await seeing({ expiringWithin: '100d', issuer: 'internal' })).stdout).toContain('3 certificates');
    await expect(seeing({ expiringWithin: 'soon' })).rejects.toThrow('"soon" is no time span; write 7d, 12h or 90m');
    await expect(seeing({ issuer: 'internl' })).rejects.toThrow('Did you mean internal?');
  });

  it('names the nearest certificate to one that nobody has', async () => {
    await expect(seeing({ names: ['default/ordres'] })).rejects.toThrow('Did you mean default/orders?');
    await expect(seeing({ names: ['wikki'] })).rejects.toThrow('Did you mean default/wiki?');
  });

  it('says which stack there is none of', async () => {
    const elsewhere = running(deployment, (stack, io) => status({ ...stack, ...LOOKING, stack: 'Everlef' }, io));
    await expect(elsewhere).rejects.toThrow('there is no stack Everlef in this account and Region');
  });

  it('says which setting of AWS is missing', async () => {
    await expect(
      running(deployment, (stack, io) => status({ ...stack, ...LOOKING, endpoint: 'twin' }, io)),
    ).rejects.toThrow('--endpoint twin is no URL');
    vi.stubEnv('AWS_REGION', undefined);
    await expect(seeing()).rejects.toThrow('no Region is set');
    await become(deployment, 'viewer');
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
    await expect(seeing()).rejects.toThrow('no credentials are set');
  });

  it('says which permission is missing for looking', async () => {
    const restore = deployment.twin.use(async ({ operation }, next) => {
      if (operation !== 'Scan') return next();
      const message =
        'User: alice is not authorized to perform: dynamodb:Scan on resource: arn:aws:dynamodb:x because …';
      throw new AwsError('AccessDeniedException', message);
    });
    await expect(seeing()).rejects.toThrow(
      'do not allow dynamodb:Scan on arn:aws:dynamodb:x; docs/policies/viewer.json grants',
    );
    restore();
  });

  it('keeps looking until it is interrupted, and prints what changed where nobody sits at a terminal', async () => {
    const ending = new AbortController();
    let looks = 0;
    const pause = async (): Promise<void> => {
      looks += 1;
      if (looks === 1) await deployment.requestRenewal('ledger');
      if (looks === 2) await deployment.tick();
      if (looks === 4) ending.abort();
    };
    const { code, stdout } = await seeing({ watch: true, signal: ending.signal, pause });
    expect(code).toBe(130);
    const lines = stdout.split('\n').filter((line) => line.includes('default/ledger'));
    expect(lines.map((line) => line.replace(/^.*default/, 'default'))).toEqual([
      'default/ledger  current  #1',
      'default/ledger  renewing  #1',
      'default/ledger  current  #2',
    ]);
    expect(stdout.split('\n').filter((line) => line.includes('default/wiki'))).toHaveLength(1);
  });
});

describe('everleaf renew', () => {
  beforeEach(() => become(deployment, 'operator'));

  it('says what it has written when a write fails in the middle, and then why', async () => {
    let written = 0;
    const restore = deployment.twin.use(async ({ operation }, next) => {
      if (operation === 'PutItem' && ++written > 1) throw new AwsError('ValidationException', 'struck');
      return next();
    });
    const stdout = new Sink();
    const work = running(deployment, (stack, io) =>
      renew({ ...stack, ...WRITING, json: true, names: ['wiki', 'orders'] }, { ...io, stdout }),
    );
    await expect(work).rejects.toMatchObject({
      code: 'Refused',
      message: expect.stringContaining('struck') as unknown,
    });
    restore();
    const { done, notReached } = JSON.parse(stdout.text) as Record<'done' | 'notReached', readonly string[]>;
    expect([done.length, notReached.length]).toEqual([1, 1]);
    await deployment.tick();
  });

  it('asks under the person’s own name, tells the pipeline, and follows it to the new version', async () => {
    const before = await deployment.record('wiki');
    const { code, stdout, stderr } = await whileTicking(deployment, renewing(['wiki'], { wait: true }));
    expect({ code, stdout }).toEqual({ code: 0, stdout: '✔ default/wiki: asked to be renewed\n' });
    expect(stderr).toMatch(/RenewalRequested[^]*AttemptStarted[^]*VersionPromoted/);
    const { generation, history: trail, current } = await deployment.record('wiki');
    expect(generation).toBe(before.generation + 1);
    const asked = trail.find(({ event }) => event === 'RenewalRequested');
    expect(asked?.actor).toMatch(ALICE);

    const told = await running(deployment, (stack, io) => history('wiki', { ...stack, json: false }, io));
    expect(told.stdout).toMatch(/^WHEN \(UTC\) +WHAT +WHO +VERSION +WHY$/m);
    expect(told.stdout).toMatch(/RenewalRequested +arn:.*\/alice +– +requested by arn/);
    expect(told.stdout).toContain(`VersionPromoted`);
    expect(told.stdout).toContain(current?.version.slice(0, 8));
    const asJson = await running(deployment, (stack, io) => history('wiki', { ...stack, json: true }, io));
    const { transitions } = JSON.parse(asJson.stdout) as { transitions: readonly { event: string; at: string }[] };
    expect(transitions[0]).toMatchObject({ event: 'Declared', actor: 'sync', cause: 'in the manifest' });
  });

  it('shows what it would do and does nothing, with --dry-run', async () => {
    const calls = deployment.twin.calls.length;
    const { code, stdout } = await renewing([], { expiringWithin: '100d', dryRun: true });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^± default\/ledger: at once$[^]*Nothing was done\.$/m);
    expect(writesSince(calls)).toEqual([]);
  });

  it('asks before it orders many, and takes nothing but the right word for a yes', async () => {
    const calls = deployment.twin.calls.length;
    await expect(renewing([], { expiringWithin: '100d' })).rejects.toThrow('--yes says that it is meant');
    const refused = await running(
      deployment,
      (stack, io) => renew({ ...stack, ...WRITING, names: [], expiringWithin: '100d' }, io),
      'yes',
    );
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('Type 3 to go on: Nothing was done.');
    await expect(renewing([])).rejects.toThrow('which ones?');
    expect(writesSince(calls)).toEqual([]);
  });

  it('interrupted, leaves each record as it was or asked for, and says which is which', async () => {
    const ending = new AbortController();
    ending.abort();
    const calls = deployment.twin.calls.length;
    const { code, stdout } = await renewing(['wiki', 'orders'], { signal: ending.signal });
    expect(code).toBe(130);
    expect(stdout).toBe('Interrupted. Not reached, and left as they are: default/wiki, default/orders\n');
    expect(writesSince(calls)).toEqual([]);
  });

  it('writes over what a worker wrote at the same time, once more', async () => {
    const id = (await deployment.record('orders')).id;
    let meddled = 0;
    const restore = deployment.twin.use(async (call, next) => {
      if (call.operation === 'PutItem' && meddled++ === 0) {
        const stored = await deployment.operator.inventory.read(id);
        if (stored === undefined) throw new Error('gone');
        const by = { actor: 'test', at: deployment.now() };
        await deployment.operator.inventory.write(
          apply(stored.value, { event: 'Reconsidered', cause: 'a deploy meanwhile' }, by),
          stored.revision,
        );
      }
      return next();
    });
    const { code } = await renewing(['orders']);
    restore();
    expect(code).toBe(0);
    await deployment.tick();
    const events = (await deployment.record('orders')).history.map(({ event }) => event);
    expect(events.slice(events.indexOf('Reconsidered'))).toEqual(
      expect.arrayContaining(['Reconsidered', 'RenewalRequested', 'VersionPromoted']),
    );
  });

  it('says which permission is missing, and which policy has it', async () => {
    await become(deployment, 'viewer');
    await expect(renewing(['wiki'])).rejects.toThrow(
      /do not allow dynamodb:PutItem on arn:aws:dynamodb:[^;]*; docs\/policies\/operator\.json grants/,
    );
  });
});

describe('a certificate that fails', () => {
  beforeEach(() => become(deployment, 'operator'));
  /** A warm function trusts for minutes what it has learnt of its CA. */
  const forgetCa = async (): Promise<void> => {
    await deployment.twin.settled();
    await deployment.twin.cool('EverleafIssuanceIssueFunction');
  };

  it('is shown with its error and the remedy, and retried when that is done', async () => {
    deployment.pca.setStatus(GENERAL_CA, 'DISABLED');
    await forgetCa();
    const failed = await whileTicking(deployment, renewing(['orders'], { wait: true }));
    expect(failed.code).toBe(1);
    const { code, stdout } = await seeing();
    expect(code).toBe(1);
    expect(stdout).toMatch(/^default\/orders +blocked .* CaNotActive$/m);
    expect(stdout).toContain('CaNotActive (default/orders)');
    expect(stdout).toContain('→ make the CA active again, or refer to another issuer');
    const one = await seeing({ names: ['orders'] });
    expect(one.stdout).toMatch(/^remedy +make the CA active again/m);

    deployment.pca.setStatus(GENERAL_CA, 'ACTIVE');
    await forgetCa();
    const again = (names: readonly string[], all: boolean, dryRun: boolean) =>
      running(deployment, (stack, io) =>
        retry({ ...stack, ...WRITING, names, all, dryRun, yes: true, wait: !dryRun }, io),
      );
    const unasked = (types?: string) =>
      running(deployment, (stack, io) => retry({ ...stack, ...WRITING, names: [], all: true }, io), types);
    const calls = deployment.twin.calls.length;
    await expect(unasked()).rejects.toThrow('no terminal to ask at');
    expect(await unasked('2')).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('1 would be') });
    expect(writesSince(calls)).toEqual([]);
    expect((await again([], true, true)).stdout).toMatch(/^\? default\/orders: CaNotActive: .*Nothing was done\.$/ms);
    expect(await again([], true, false)).toMatchObject({
      code: 0,
      stdout: '✔ default/orders: to be tried again now\n',
    });
    expect((await seeing()).code).toBe(0);
    expect(await again([], true, false)).toMatchObject({ code: 1, stderr: 'Nothing here has failed.\n' });
    expect(await again(['orders'], false, false)).toMatchObject({ code: 1 });
  });

  it('of an issuer whose circuit is open is tried at once where a person says so', async () => {
    const { id, spec } = await deployment.record('wiki');
    const { inventory } = deployment.operator;
    const issuerId = `${spec.issuerRef.group}/${spec.issuerRef.kind}/${spec.issuerRef.name}` as never;
    const until = deployment.now() + 3_600_000;
    const issuer = await inventory.readIssuer(issuerId);
    if (issuer === undefined) throw new Error('gone');
    const breaker = { ...issuer.value.breaker, failures: 5, openUntil: until };
    await inventory.writeIssuer({ ...issuer.value, breaker }, issuer.revision);
    const stored = await inventory.read(id);
    if (stored === undefined) throw new Error('gone');
    const by = { actor: 'test', at: deployment.now() };
    await inventory.write(apply(stored.value, { event: 'Deferred', until, cause: 'CircuitOpen' }, by), stored.revision);
    const { code } = await running(deployment, (stack, io) =>
      retry({ ...stack, ...WRITING, names: [], all: false, yes: true, issuer: 'internal' }, io),
    );
    expect(code).toBe(0);
    expect((await inventory.readIssuer(issuerId))?.value.breaker.openUntil).toBeUndefined();
    expect((await deployment.record('wiki')).waitUntil).toBeUndefined();
  });
});

describe('everleaf revoke', () => {
  beforeEach(() => become(deployment, 'operator'));
  const revoking = (options: Partial<WritingOptions> & { serial?: string }, types?: string) =>
    running(
      deployment,
      (stack, io) => revoke('ledger', { ...stack, ...WRITING, reason: 'keyCompromise', ...options }, io),
      types,
    );
  const revokedSerials = () =>
    deployment.pca.issued(GENERAL_CA).flatMap(({ serial, revoked }) => (revoked === undefined ? [] : serial));

  it('says what it would do, and wants the name for a yes', async () => {
    const dry = await revoking({ dryRun: true });
    expect(dry.code).toBe(0);
    expect(dry.stderr).toMatch(/a new certificate is ordered first\. When it is current, internal revokes [0-9A-F]+/);
    expect(await revoking({}, 'no')).toMatchObject({ code: 1 });
    expect((await deployment.record('ledger')).revocations).toBeUndefined();
  });

  it('replaces the certificate, then has the CA revoke the old one, and keeps that in mind', async () => {
    const { current: old } = await deployment.record('ledger');
    const { code, stderr } = await whileTicking(deployment, revoking({ wait: true }, 'default/ledger'));
    expect(code, stderr).toBe(0);
    const record = await deployment.record('ledger');
    expect(record.current?.version).not.toBe(old?.version);
    expect(record.previous).toMatchObject({
      version: old?.version,
      revocation: { reason: 'keyCompromise', revokedAt: expect.any(Number) as unknown },
    });
    expect(revokedSerials()).toEqual([old?.leaf.serialNumber.toLowerCase()]);
    const trail = record.history.map(({ event }) => event);
    expect(trail.indexOf('Revoked')).toBeGreaterThan(trail.lastIndexOf('VersionPromoted'));
    expect(record.history.find(({ event }) => event === 'Revoked')).toMatchObject({ cause: 'keyCompromise' });
  });

  it('says that it was, when it is asked again; and knows no older leaf', async () => {
    const { previous } = await deployment.record('ledger');
    const again = await revoking({ yes: true, serial: previous?.leaf.serialNumber ?? '' });
    expect(again).toMatchObject({ code: 1 });
    expect(again.stderr).toMatch(/it was revoked \d{4}-/);
    await expect(revoking({ yes: true, serial: '00:FF' })).rejects.toThrow('knows its last two leaves');
  });
});

describe('docs/command.md', () => {
  const page = readFileSync(join(ROOT, 'docs', 'command.md'), 'utf8');
  const blocks = [...page.matchAll(/```sh\n([^]*?)```/g)].flatMap(([, block = '']) => block.split('\n'));
  const lines = blocks.filter((line) => line.startsWith('everleaf ')).map((line) => line.replace(/\s+#.*/, ''));

  const typed = async (line: string, region: NodeJS.ProcessEnv) => {
    const { twin } = deployment;
    const child = spawn(process.execPath, [join(ROOT, 'bin', 'everleaf.ts'), ...line.split(' ').slice(1)], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        ...region,
        AWS_ENDPOINT_URL: twin.endpoint,
        AWS_ACCESS_KEY_ID: twin.operatorCredentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: twin.operatorCredentials.secretAccessKey,
      },
    });
    let printed = '';
    for (const channel of [child.stdout, child.stderr]) {
      channel.setEncoding('utf8').on('data', (text: string) => (printed += text));
    }
    const [code] = (await whileTicking(deployment, once(child, 'close'))) as [number | null];
    return { code, printed };
  };

  it.each(lines)('has a line that works as it stands: %s', async (line) => {
    const { code, printed } = await typed(line, { AWS_REGION: deployment.twin.account.region });
    // 1 is a finding, such as that there is nothing to be done; 2 would be a line that nobody can type.
    expect([0, 1], printed).toContain(code);
    expect(printed).not.toBe('');
  });

  it('takes the Region as aws does, also by its older name', async () => {
    const { region } = deployment.twin.account;
    expect(await typed('everleaf status', { AWS_DEFAULT_REGION: region })).toMatchObject({
      code: 0,
      printed: expect.stringContaining('default/wiki') as unknown,
    });
    expect((await typed('everleaf status', {})).printed).toContain('no Region is set');
  });
});

it('the operator’s policy grants nothing that these do without', () => {
  expect(unusedOf(deployment, 'operator')).toEqual([]);
});

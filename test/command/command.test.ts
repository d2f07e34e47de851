import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { FleetRow } from '../../bin/twin/fleet-table.ts';
import { everleaf } from '../support/run-command.ts';
import { SAMPLES } from '../support/synthesis.ts';

const PLANTED = join(import.meta.dirname, '..', 'manifest', 'planted');

describe('everleaf twin', () => {
  it('runs the samples, renews what is due and what was asked for, and prints one JSON document', async () => {
    const { code, stdout, stderr, left } = await everleaf(['twin', '--manifest', SAMPLES, '--renew', 'wiki', '--json']);
    const report = JSON.parse(stdout) as { certificates: FleetRow[] };
    expect(code, stderr).toBe(0);
    expect(report).toMatchObject({
      issuedAtFirst: 9,
      renewedByTime: ['default/api', 'payments/checkout'],
      renewedOnRequest: ['default/wiki'],
      proof: { chainsVerified: 9, callsDenied: 0, privateKeysOutsideTheStore: 0, faults: [] },
    });
    expect(report.certificates.map(({ state }) => state)).toEqual(Array.from({ length: 9 }, () => 'current'));
    expect(report.certificates.filter(({ deployments }) => deployments !== undefined)).toMatchObject([
      { name: 'default/api', rollout: 'deployed', deployments: [{ target: 'eks:production/web/deployment/api' }] },
      { name: 'payments/checkout', rollout: 'deployed', deployments: [{ target: 'ecs:production/checkout' }] },
    ]);
    for (const { sha256Fingerprint, deployments = [] } of report.certificates)
      for (const served of deployments) expect(served).toMatchObject({ verdict: 'served', sha256Fingerprint });
    expect(stderr).toContain('NotIssued → key staged → ordered → verified → current');
    expect(left).toEqual([]);
  });

  it('ends at Ctrl-C and leaves nothing behind', async () => {
    const { code, left } = await everleaf(['twin', '--manifest', SAMPLES], 'The schedule fires');
    expect(code).toBe(130);
    expect(left).toEqual([]);
  });

  it('stays up with --keep, prints commands that work against it, and ends at Ctrl-C', async () => {
    const { code, stdout, left } = await everleaf(['twin', '--manifest', SAMPLES, '--keep'], 'aws dynamodb scan');
    expect(code).toBe(0);
    expect(stdout).toMatch(/export AWS_ENDPOINT_URL=http:\/\/127\.0\.0\.1:\d+/);
    expect(left).toEqual([]);
  });

  it('says which certificates there are when it is asked for another', async () => {
    const { code, stderr } = await everleaf(['twin', '--manifest', SAMPLES, '--renew', 'nobody']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/there is no certificate nobody\. Certificates here: .*default\/shop/);
  });

  it('says where it looked when there is no such folder', async () => {
    const { code, stderr } = await everleaf(['twin', '--manifest', '/nowhere/at/all']);
    expect(code).toBe(2);
    expect(stderr).toContain('There is no folder /nowhere/at/all');
  });

  it('says when the port for DNS cannot be had, and leaves nothing behind', async () => {
    const taken = createServer();
    await once(taken.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as AddressInfo;
    const { code, stderr, left } = await everleaf(['twin', '--manifest', SAMPLES, '--dns', String(port)]);
    expect(code).toBe(2);
    expect(stderr).toBe(`--dns ${port}: port ${port} of 127.0.0.1 cannot be had (EADDRINUSE); name another\n`);
    expect(left).toEqual([]);
    expect(await everleaf(['twin', '--dns', 'eighty'])).toMatchObject({ code: 2 });
  });

  it('names every fault of a manifest and runs nothing', async () => {
    const { code, stderr, left } = await everleaf(['twin', '--manifest', PLANTED]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/\.yaml:\d+:\d+ error/);
    expect(left).toEqual([]);
  });
});

describe('everleaf validate', () => {
  it('is content with the samples', async () => {
    const { code, stdout } = await everleaf(['validate', SAMPLES]);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: '9 certificates, 4 issuers, 2 hooks, no errors, no warnings\n',
    });
  });

  it('ends with 1 when there are findings, as JSON too', async () => {
    const { code, stdout } = await everleaf(['validate', PLANTED, '--json']);
    expect(code).toBe(1);
    expect((JSON.parse(stdout) as { findings: unknown[] }).findings.length).toBeGreaterThan(10);
  });

  it('ends with 2 when it is used wrongly', async () => {
    expect(await everleaf(['validate'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('missing required argument') as unknown,
    });
    expect(await everleaf(['validate', 'certificates', '--colour'])).toMatchObject({ code: 2 });
    expect(await everleaf(['unknown'])).toMatchObject({ code: 2 });
  });
});

describe('everleaf --help', () => {
  it.each([
    [[]],
    [['--help']],
    [['twin', '--help']],
    [['validate', '--help']],
    [['plan', '--help']],
    [['status', '--help']],
    [['revoke', '--help']],
  ])('teaches: %j', async (options: string[]) => {
    const { stdout, stderr } = await everleaf(options);
    expect(`${stdout}${stderr}`).toMatch(/Usage: everleaf/);
    expect(`${stdout}${stderr}`).toMatch(/Exit codes:/);
  });
});

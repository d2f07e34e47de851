import { expect, it } from 'vitest';
import type { LoadReport } from '../../bin/twin/load/rotate.ts';
import { everleaf } from '../support/run-command.ts';

it('rotates four kinds of services and fails no handshake, and shows what was rolled back with its evidence', async () => {
  const { code, stdout, stderr, left } = await everleaf(['twin', '--rotate-under-load', '--json']);
  const { handshakes, rotations, servedAfterMs, services, rolledBack, certificates, proof } = JSON.parse(
    stdout,
  ) as LoadReport;
  expect(code, stderr).toBe(0);
  expect(proof.faults).toEqual([]);
  expect(handshakes).toMatchObject({ failed: 0, failures: [] });
  // Every service was asked at least once after every rotation.
  expect(handshakes.total).toBeGreaterThan(services.length * rotations);
  expect(rotations).toBeGreaterThan(services.length);
  expect(servedAfterMs.worst).toBeGreaterThanOrEqual(servedAfterMs.median);
  expect(servedAfterMs.median).toBeGreaterThan(0);
  const times = Object.fromEntries(services.map((row) => [row.target, row.servedAfterMs.length]));
  expect(times).toEqual({
    'ecs:production/ledger': 0,
    'ecs:production/orders': 4,
    'eks:production/shop/deployment/storefront': 4,
    'eks:production/shop/secret/catalog-tls': 4,
  });

  const [back, ...others] = rolledBack;
  expect(others).toEqual([]);
  expect(back).toMatchObject({
    certificate: 'payments/ledger',
    target: 'ecs:production/ledger',
    event: 'Certificate Rolled Back',
    failure: { code: 'NotServed', message: expect.stringContaining('otherLeaf') as unknown },
    expected: { generation: 2 },
    putBack: { generation: 3 },
    evidence: [{ verdict: 'served', address: '192.0.2.1', endpoint: 'ledger.internal.example:443' }],
    seenByClients: { expected: 0 },
  });
  expect(back?.evidence[0]?.sha256Fingerprint).toBe(back?.putBack.sha256Fingerprint);
  expect(back?.expected.sha256Fingerprint).not.toBe(back?.putBack.sha256Fingerprint);
  expect(back?.seenByClients.putBack).toBeGreaterThan(0);
  const served = certificates.map(({ name, sha256Fingerprint, rollout, deployments }) => ({
    name,
    rollout,
    served: deployments?.map((each) => each.verdict === 'served' && each.sha256Fingerprint === sha256Fingerprint),
  }));
  expect(served).toEqual([
    { name: 'payments/ledger', rollout: 'rolledBack', served: [true] },
    { name: 'payments/orders', rollout: 'deployed', served: [true] },
    { name: 'shop/catalog', rollout: 'deployed', served: [true] },
    { name: 'shop/storefront', rollout: 'deployed', served: [true] },
  ]);
  expect(stderr).toContain('Rotation 4 of 4, under load');
  expect(left).toEqual([]);
});

it('says so where nothing is served, and which options do not go together', async () => {
  const { code, stderr } = await everleaf(['twin', '--rotate-under-load', '--manifest', 'examples/acme']);
  expect(code).toBe(2);
  expect(stderr).toContain('has no DeployHook');
  expect(await everleaf(['twin', '--rotate-under-load', '--keep'])).toMatchObject({ code: 2 });
});

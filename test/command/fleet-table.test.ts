import { describe, expect, it } from 'vitest';
import { type FleetRow, fleetTable } from '../../bin/twin/fleet-table.ts';
import { type Deployment, deployFaults } from '../../bin/twin/served.ts';
import type { CertificateRecord } from '../../functions/core/record.ts';
import { versionId } from '../../functions/core/certificate.ts';
import { declare } from '../../functions/core/transitions.ts';
import { aLeaf, aSpec, ISSUER, NOON } from '../support/builders.ts';

const LEAF = 'ab'.repeat(32);

const aRow = (overrides: Partial<FleetRow> = {}): FleetRow => ({
  name: 'payments/orders',
  issuer: 'internal',
  names: ['orders.internal.example'],
  key: 'P-256',
  secret: 'orders-tls',
  generation: 1,
  state: 'current',
  ...overrides,
});

const aDeployment = (overrides: Partial<Deployment> = {}): Deployment => ({
  target: 'ecs:production/orders',
  serverName: 'orders.internal.example',
  verdict: 'served',
  sha256Fingerprint: LEAF,
  detail: 'it serves it',
  ...overrides,
});

const OTHER = aDeployment({
  target: 'ecs:production/refunds',
  verdict: 'otherLeaf',
  sha256Fingerprint: 'cd'.repeat(32),
});

describe('the table', () => {
  it('has no column for deployments where there are none', () => {
    expect(fleetTable([aRow()], new Set(), NOON)).not.toContain('DEPLOYED TO');
  });

  it.each([
    ['every endpoint serves it', 'deployed', [aDeployment()], 'ecs:production/orders  abababababab ✔'],
    ['one does not', 'deployed', [aDeployment(), OTHER], 'ecs:production/refunds +1  cdcdcdcdcdcd ✘ otherLeaf'],
    ['it is on its way', 'underWay', [OTHER], 'ecs:production/refunds  cdcdcdcdcdcd not yet'],
    ['no endpoint is named', 'deployed', [], '–  –'],
  ])('says where it is deployed and what is served there: %s', (_, rollout, deployments, cells) => {
    const table = fleetTable([aRow({ rollout, deployments })], new Set(), NOON).replaceAll(/ {2,}/g, '  ');
    expect(table.slice(-cells.length)).toBe(cells);
  });
});

describe('a fault of the run', () => {
  const record = (rollout: CertificateRecord['rollout']): CertificateRecord => ({
    ...declare(aSpec(), { actor: 'sync', at: NOON }),
    ...(rollout === undefined ? {} : { rollout }),
  });
  const state = (of: 'deployed' | 'underWay'): CertificateRecord['rollout'] => ({
    generation: 1,
    hooks: [],
    state: of,
    at: NOON,
  });
  const rows = [aRow({ deployments: [aDeployment(), OTHER] })];

  it('is an endpoint that serves something else after a roll-out has ended well', () => {
    expect(deployFaults([record(state('deployed'))], rows)).toEqual([
      'payments/orders is deployed, and ecs:production/refunds does not serve it: it serves it',
    ]);
    expect(deployFaults([record(state('underWay'))], rows)).toEqual([]);
    expect(deployFaults([record(undefined)], [aRow()])).toEqual([]);
  });

  it('is a certificate that is held, with the reason', () => {
    const version = {
      version: versionId.parse('v2'),
      secretName: 'orders-tls',
      issuerRef: ISSUER.ref,
      leaf: aLeaf(),
      specDigest: '',
      issuedAt: NOON,
    };
    const halted: CertificateRecord = {
      ...record({ generation: 2, hooks: [], state: 'halted', at: NOON }),
      held: { version, since: NOON, issueAt: NOON, cause: 'NotServed: for a reason' },
    };
    expect(deployFaults([halted], rows)).toEqual(['payments/orders is halted: NotServed: for a reason']);
  });
});

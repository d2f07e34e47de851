import { X509Certificate } from 'node:crypto';
import { DeleteSecretCommand, RestoreSecretCommand } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { retry } from '../../bin/commands/retry.ts';
import { WRONG_LEAVES } from '../../local/pca/wrong-leaves.ts';
import {
  certificateYaml,
  type Deployment,
  deployOnTwin,
  FOREIGN_CA,
  GENERAL_CA,
  manifestOf,
} from '../support/deployment.ts';
import { become, running, withPeople } from '../support/people.ts';

// What docs/operating.md says of what is lost and of what is changed, tried by the commands that it names.

const WRITING = {
  dryRun: false,
  yes: false,
  json: false,
  wait: false,
  timeout: '10m',
  signal: new AbortController().signal,
};
const PARTNER = `apiVersion: awspca.cert-manager.io/v1beta1
kind: AWSPCAClusterIssuer
metadata: { name: partner }
spec: { arn: "${FOREIGN_CA}" }
`;
const [SHOP, CART, DESK] = ['shop', 'cart', 'desk'].map((name) => certificateYaml(name)) as [string, string, string];
/** Changed so that nothing has to be issued for it. */
const SHOP_LATER = certificateYaml('shop', '  renewBefore: 240h\n');

let deployment: Deployment;
let signed: number;

beforeAll(async () => {
  deployment = await deployOnTwin({
    manifest: manifestOf(SHOP, CART, DESK, PARTNER),
    adapt: withPeople,
    atWallTime: true,
  });
  await deployment.tick();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await deployment.close();
});
beforeEach(async () => {
  await become(deployment, 'operator');
  signed = deployment.pca.issued(GENERAL_CA).length;
});

async function renewed(): Promise<void> {
  await deployment.requestRenewal('shop');
  await deployment.tick();
}

/** `everleaf retry NAME`, and what the pipeline then does about it. */
async function retried(name: string): Promise<void> {
  const { code, stderr } = await running(deployment, (stack, io) =>
    retry({ ...stack, ...WRITING, names: [name], all: false }, io),
  );
  expect({ code, stderr }).toMatchObject({ code: 0 });
  await deployment.tick();
}

const signedSince = (): number => deployment.pca.issued(GENERAL_CA).length - signed;
const secret = { SecretId: 'Everleaf/shop-tls' };

describe('what is lost comes back', () => {
  it('an emptied inventory, by a deploy that changes a manifest: what the secret holds is taken up', async () => {
    const { inventory } = deployment.operator;
    const before = await deployment.record('shop');
    const stored = await inventory.read(before.id);
    await inventory.remove(before.id, stored?.revision ?? NaN);
    await deployment.deploy(manifestOf(SHOP_LATER, CART, DESK, PARTNER));
    await deployment.tick();
    const { current, generation } = await deployment.record('shop');
    expect({ generation, version: current?.version }).toEqual({ generation: 1, version: before.current?.version });
    expect(signedSince()).toBe(0);
  });

  it('an inventory from before the last renewal: the next one finds what is in use, and replaces that', async () => {
    const { inventory } = deployment.operator;
    const older = await deployment.record('shop');
    await renewed();
    const { id, current: inUse } = await deployment.record('shop');
    const stored = await inventory.read(id);
    await inventory.write(older, stored?.revision);
    await renewed();
    const { current, generation, failures } = await deployment.record('shop');
    expect({ generation, failures: failures.count }).toEqual({ generation: 3, failures: 0 });
    expect(await deployment.stages('shop')).toEqual({
      [current?.version ?? '']: ['AWSCURRENT'],
      [inUse?.version ?? '']: ['AWSPREVIOUS'],
    });
  });

  it('a secret that somebody deletes: until it is gone it is restored, and nothing is put in its place', async () => {
    const before = await deployment.bundle('shop');
    await deployment.secrets.send(new DeleteSecretCommand({ ...secret, RecoveryWindowInDays: 7 }));
    await renewed();
    const { failures } = await deployment.record('shop');
    expect(failures).toMatchObject({ blocked: true, last: { code: 'SecretDeleted' } });
    expect(failures.last?.message).toContain('aws secretsmanager restore-secret');
    expect(signedSince()).toBe(0);

    await deployment.secrets.send(new RestoreSecretCommand(secret));
    expect(await deployment.bundle('shop')).toEqual(before);
    await retried('shop');
    expect((await deployment.record('shop')).failures).toMatchObject({ count: 0, blocked: false });
    expect(signedSince()).toBe(1);
  });

  it('a secret that is gone for good: a renewal makes it anew, under its name', async () => {
    await deployment.secrets.send(new DeleteSecretCommand({ ...secret, ForceDeleteWithoutRecovery: true }));
    await renewed();
    const { generation, current } = await deployment.record('shop');
    const bundle = await deployment.bundle('shop');
    expect(new X509Certificate(bundle['tls.crt'] ?? '').serialNumber).toBe(current?.leaf.serialNumber);
    expect(bundle['everleaf']).toMatchObject({ certificate: 'default/shop', generation });
    expect(signedSince()).toBe(1);
  });
});

describe('what is changed is proven before the old retires', () => {
  it('an issuer: the old certificate stays in use until one of the new CA has passed the gate', async () => {
    const before = await deployment.bundle('cart');
    deployment.pca.misissue = WRONG_LEAVES.untrusted;
    await deployment.deploy(manifestOf(SHOP_LATER, CART.replace('name: internal', 'name: partner'), DESK, PARTNER));
    await deployment.tick();
    expect((await deployment.record('cart')).failures).toMatchObject({ blocked: true, last: { code: 'GateRefused' } });
    expect(await deployment.bundle('cart')).toEqual(before);

    deployment.pca.misissue = undefined;
    await retried('cart');
    const after = await deployment.bundle('cart');
    expect(after['ca.crt']).not.toBe(before['ca.crt']);
    expect(await deployment.bundle('cart', { VersionStage: 'AWSPREVIOUS' })).toEqual(before);
    expect(signedSince()).toBe(0);
  });

  it('and goes back by the manifest of before', async () => {
    const before = await deployment.bundle('cart');
    await deployment.deploy(manifestOf(SHOP_LATER, CART, DESK, PARTNER));
    await deployment.tick();
    expect((await deployment.bundle('cart'))['ca.crt']).not.toBe(before['ca.crt']);
    expect(signedSince()).toBe(1);
  });

  it('a secretName: the old secret stays as it is, and the new one has no certificate before one is proven', async () => {
    const before = await deployment.bundle('desk');
    const moved = { SecretId: 'Everleaf/desk-next-tls' };
    deployment.pca.misissue = WRONG_LEAVES.untrusted;
    await deployment.deploy(manifestOf(SHOP_LATER, CART, DESK.replace('desk-tls', 'desk-next-tls'), PARTNER));
    await deployment.tick();
    expect((await deployment.record('desk')).failures.last?.code).toBe('GateRefused');
    expect(await deployment.bundle('desk', moved)).not.toHaveProperty('tls.crt');

    deployment.pca.misissue = undefined;
    await retried('desk');
    expect(await deployment.bundle('desk', moved)).toHaveProperty('tls.crt');
    expect(await deployment.bundle('desk')).toEqual(before);
  });
});

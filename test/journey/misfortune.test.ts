import { describe, expect, it, onTestFinished } from 'vitest';
import type { Stack } from 'aws-cdk-lib';
import { CfnPolicy } from 'aws-cdk-lib/aws-iam';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../functions/core/time.ts';
import { WRONG_LEAVES } from '../../local/pca/wrong-leaves.ts';
import {
  certificateYaml,
  type Deployment,
  type DeploymentOptions,
  deployOnTwin,
  GENERAL_CA,
  manifestOf,
} from '../support/deployment.ts';

async function deploy(options: Partial<DeploymentOptions> = {}): Promise<Deployment> {
  const deployment = await deployOnTwin({ manifest: manifestOf(certificateYaml('shop')), ...options });
  onTestFinished(() => deployment.close());
  return deployment;
}

const HINT = JSON.stringify({ schemaVersion: '1', certificate: 'default/shop' });

/** Takes one action out of every policy of the stack, as a careless edit would. */
const withoutGrant =
  (action: string) =>
  (stack: Stack): void => {
    for (const policy of stack.node.findAll().filter((node) => node instanceof CfnPolicy)) {
      const document = stack.resolve(policy.policyDocument) as { Statement: { Action: string | string[] }[] };
      const statements = document.Statement.map((statement) => ({
        ...statement,
        Action: [statement.Action].flat().filter((each) => each !== action),
      }));
      policy.policyDocument = { ...document, Statement: statements.filter(({ Action }) => Action.length > 0) };
    }
  };

describe('a CA that answers wrongly', () => {
  it('gets no leaf past the gate: the version in use stays', async () => {
    const shop = await deploy();
    await shop.tick();
    const before = await shop.bundle('shop');
    for (const name of ['anotherKey', 'untrusted'] as const) {
      shop.pca.misissue = WRONG_LEAVES[name];
      await shop.requestRenewal('shop');
      await shop.advance(25 * HOUR_MS);
      const { failures } = await shop.record('shop');
      expect(failures.last?.code, name).toBe('GateRefused');
      expect(await shop.bundle('shop'), name).toEqual(before);
    }
    shop.pca.misissue = undefined;
    await shop.advance(25 * HOUR_MS);
    expect((await shop.record('shop')).generation).toBe(2);
  });
});

describe('a missing grant', () => {
  it.each([
    ['acm-pca:IssueCertificate', /not authorized to perform: acm-pca:IssueCertificate/],
    ['secretsmanager:PutSecretValue', /not authorized to perform: secretsmanager:PutSecretValue/],
    ['kms:GenerateDataKey', /kms:GenerateDataKey|Access to KMS is not allowed/],
  ])('%s is named in the record of the certificate that needed it', async (action, message) => {
    const shop = await deploy({ adapt: withoutGrant(action) });
    await shop.tick();
    const { failures, current } = await shop.record('shop');
    expect(current).toBeUndefined();
    expect(failures.last).toMatchObject({ code: 'AccessDenied', message: expect.stringMatching(message) as unknown });
  });

  it('blocks once IAM has had a while to believe in it', async () => {
    const shop = await deploy({ adapt: withoutGrant('acm-pca:IssueCertificate') });
    await shop.tick();
    expect((await shop.record('shop')).failures).toMatchObject({ count: 1, blocked: false });
    for (const minutes of [1, 10]) await shop.advance(minutes * MINUTE_MS);
    expect((await shop.record('shop')).failures).toMatchObject({ count: 3, blocked: true });
  });
});

describe('messages', () => {
  it('that are duplicated and reordered cause one issuance', async () => {
    const shop = await deploy();
    await Promise.all(Array.from({ length: 12 }, () => shop.sendHint(HINT)));
    await Promise.all([shop.tick(), shop.tick()]);
    await shop.tick();
    expect(shop.pca.issued(GENERAL_CA)).toHaveLength(1);
    expect((await shop.record('shop')).generation).toBe(1);
  });

  it('that are lost cost one tick', async () => {
    const shop = await deploy();
    const remove = shop.twin.use((call, next) =>
      call.operation === 'PutEvents' && call.principal.includes('Detect')
        ? Promise.resolve({
            status: 200,
            headers: { 'content-type': 'application/x-amz-json-1.1' },
            body: JSON.stringify({ FailedEntryCount: 0, Entries: [{ EventId: 'lost' }] }),
          })
        : next(),
    );
    await shop.tick();
    expect((await shop.record('shop')).generation).toBe(0);
    remove();
    await shop.advance(MINUTE_MS);
    expect((await shop.record('shop')).generation).toBe(1);
  });

  it('that cannot be read end in the dead-letter queue after three deliveries, and harm nobody', async () => {
    const shop = await deploy();
    await shop.sendHint('poison');
    for (let delivery = 0; delivery < 4; delivery++) await shop.advance(13 * MINUTE_MS);
    const deadLetters = shop.twin.queue('EverleafIssuanceDeadLetters').receive(10);
    expect(deadLetters.map(({ body }) => body)).toEqual(['poison']);
    expect((await shop.record('shop')).generation).toBe(1);
    const logged = shop.twin.logs.filter(({ line }) => line.includes('message could not be worked on'));
    expect(logged.length).toBe(3);
    expect(logged[0]?.line).toContain('UnreadableHint');
  });

  it('for a certificate that is not there are acknowledged', async () => {
    const shop = await deploy();
    await shop.sendHint(JSON.stringify({ schemaVersion: '1', certificate: 'default/nobody' }));
    await shop.tick();
    expect(shop.twin.queue('EverleafIssuanceDeadLetters').receive(10)).toEqual([]);
    expect(shop.twin.logs.some(({ line }) => line.includes('certificate is not in the inventory'))).toBe(true);
  });
});

describe('a slow CA', () => {
  it('is asked again by a delayed message, not by waiting', async () => {
    const shop = await deploy();
    shop.pca.issuanceDelay = 6;
    await shop.twin.tick();
    await shop.twin.settled();
    const waiting = await shop.record('shop');
    expect(waiting.attempt?.phase).toBe('orderPlaced');
    expect(waiting.lease?.expiresAt).toBe(0);
    expect(shop.twin.calls.filter(({ operation }) => operation === 'SendMessage')).toHaveLength(1);
    for (let look = 0; look < 3; look++) await shop.advance(30 * SECOND_MS);
    expect((await shop.record('shop')).generation).toBe(1);
    expect(shop.pca.issued(GENERAL_CA)).toHaveLength(1);
  });
});

describe('a manifest that changes', () => {
  it('adds, changes and retires exactly what differs, and keeps the retired secret', async () => {
    const shop = await deploy({
      manifest: manifestOf(certificateYaml('shop'), certificateYaml('wiki'), certificateYaml('old')),
    });
    await shop.tick();
    const [wiki, old] = [await shop.record('wiki'), await shop.bundle('old')];
    await shop.deploy(
      manifestOf(
        certificateYaml('shop', '  commonName: shop.internal.example\n'),
        certificateYaml('wiki'),
        certificateYaml('new'),
      ),
    );
    await shop.tick();
    expect((await shop.record('shop')).generation).toBe(2);
    expect((await shop.record('new')).generation).toBe(1);
    expect(await shop.record('wiki')).toEqual(wiki);
    expect((await shop.record('old')).retiredAt).toBeDefined();
    expect(await shop.bundle('old')).toEqual(old);
    expect(shop.pca.issued(GENERAL_CA)).toHaveLength(5);
  });

  it('is refused with file and line before anything is deployed', async () => {
    const shop = await deploy();
    await expect(shop.deploy(manifestOf(certificateYaml('shop', '  durration: 1h\n')))).rejects.toThrow(
      /manifest\.yaml:\d+:\d+ error UnknownField/,
    );
    await shop.tick();
    expect((await shop.record('shop')).generation).toBe(1);
  });
});

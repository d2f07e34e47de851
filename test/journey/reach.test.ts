import { randomUUID } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HOUR_MS } from '../../functions/core/time.ts';
import { declare } from '../../functions/core/transitions.ts';
import { aSpec, id } from '../support/builders.ts';
import {
  certificateYaml,
  type Deployment,
  type DeploymentOptions,
  deployOnTwin,
  FOREIGN_CA,
  manifestOf,
} from '../support/deployment.ts';

async function deploy(options: DeploymentOptions): Promise<Deployment> {
  const deployment = await deployOnTwin(options);
  onTestFinished(() => deployment.close());
  return deployment;
}

describe('a tick of detect', () => {
  it('reads no item when nothing is due, among ten certificates and among two thousand alike', async () => {
    const shop = await deploy({ manifest: manifestOf() });
    const { inventory } = shop.operator;
    const scanned: number[] = [];
    shop.twin.use(async (call, next) => {
      const answer = await next();
      if (call.operation === 'Query')
        scanned.push((JSON.parse(answer.body.toString()) as { ScannedCount: number }).ScannedCount);
      return answer;
    });
    const fill = async (count: number): Promise<void> => {
      const now = shop.now();
      const write = async (): Promise<unknown> => {
        const record = declare(aSpec({ id: id(`fleet/${randomUUID()}`) }), { actor: 'test', at: now });
        return inventory.write({ ...record, waitUntil: now + 24 * HOUR_MS }, undefined);
      };
      for (let written = 0; written < count; written += 50)
        await Promise.all(Array.from({ length: Math.min(50, count - written) }, write));
    };
    for (const count of [10, 1_990]) {
      await fill(count);
      scanned.length = 0;
      await shop.tick();
      expect(scanned).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    }
  });
});

describe('a CA in another account', () => {
  it('is reached through the role that its issuer names', async () => {
    const role = 'arn:aws:iam::444455556666:role/issue-certificates';
    const manifest = manifestOf(certificateYaml('shop')).replace(
      /spec: \{ arn: .* \}/,
      `spec: { arn: "${FOREIGN_CA}", role: "${role}" }`,
    );
    const shop = await deploy({ manifest });
    await shop.tick();
    expect((await shop.record('shop')).generation).toBe(1);
    expect(shop.pca.issued(FOREIGN_CA)).toHaveLength(1);
    const assumed = shop.twin.calls.filter(({ operation }) => operation === 'AssumeRole');
    expect(assumed).toMatchObject([{ resources: [role] }]);
  });
});

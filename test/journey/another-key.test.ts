import type { CfnKey } from 'aws-cdk-lib/aws-kms';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificateYaml, type Deployment, deployOnTwin, manifestOf } from '../support/deployment.ts';

describe('a deployment that takes up secrets of an earlier one', () => {
  let deployment: Deployment;
  let deploys = 0;
  beforeAll(async () => {
    deployment = await deployOnTwin({
      manifest: manifestOf(certificateYaml('shop')),
      // A stack that is destroyed and deployed again has a new key; what the old one encrypted stays as it is.
      adapt: (stack) => {
        deploys += 1;
        const key = stack.node.findChild('Everleaf').node.findChild('Store').node.findChild('Key').node.defaultChild;
        (key as CfnKey).overrideLogicalId(`EverleafStoreKey0000000${deploys}`);
      },
    });
    await deployment.tick();
  });
  afterAll(() => deployment.close());

  it('reads and renews what is encrypted under a key that is no longer its own', async () => {
    await deployment.deploy(manifestOf(certificateYaml('shop')));
    await deployment.requestRenewal('shop');
    await deployment.tick();
    const { generation, failures } = await deployment.record('shop');
    expect(failures.last).toBeUndefined();
    expect(generation).toBe(2);
  });
});

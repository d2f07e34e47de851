import type { Stack } from 'aws-cdk-lib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Everleaf } from '../../lib/index.ts';
import { certificateYaml, type Deployment, deployOnTwin, GENERAL_CA, manifestOf } from '../support/deployment.ts';
import { whileTicking } from '../support/people.ts';
import { bundled } from '../twin/stage.ts';

/** Of a CA that is not there. */
const GONE = manifestOf()
  .replace('internal', 'gone')
  .replace(GENERAL_CA, GENERAL_CA.replace(/[\d-]+$/, '99999999-9999-4999-8999-999999999999'));
const MANIFEST = manifestOf(
  certificateYaml('shop'),
  certificateYaml('other'),
  GONE,
  certificateYaml('impossible').replace('name: internal', 'name: gone'),
);

/** Reads the secret that it is told. */
const READER = `
  import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
  const client = new SecretsManagerClient({ maxAttempts: 1 });
  export const handler = async ({ secret }) => {
    try {
      const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secret }));
      return Object.keys(JSON.parse(SecretString)).sort();
    } catch (error) {
      return error.name;
    }
  };`;

/** What each test adds to the stack before it deploys again. */
let adapt: (everleaf: Everleaf, stack: Stack) => void = () => {};
let deployment: Deployment;
beforeAll(async () => {
  deployment = await deployOnTwin({
    manifest: MANIFEST,
    adapt: (stack) => {
      const everleaf = stack.node.findChild('Everleaf');
      if (!(everleaf instanceof Everleaf)) throw new Error('the stack has no Everleaf');
      adapt(everleaf, stack);
    },
  });
  await deployment.tick();
});
afterAll(() => deployment.close());

describe('ready, on the twin', () => {
  it('lets a deployment go on where the certificate has been issued', async () => {
    adapt = (everleaf) => everleaf.ready('shop');
    await expect(deployment.deploy(MANIFEST)).resolves.toBeUndefined();
    const { current } = await deployment.record('shop');
    const logged = deployment.twin.logs.map(({ line }) => line).filter((line) => line.includes('has been issued'));
    expect(logged.join('\n')).toContain(current?.version);
  });

  it('holds a deployment up that brings a certificate, until that is issued for the first time', async () => {
    adapt = (everleaf) => {
      everleaf.ready('shop');
      everleaf.ready('late');
    };
    const more = [MANIFEST, certificateYaml('late')].join('---\n');
    await expect(whileTicking(deployment, deployment.deploy(more))).resolves.toBeUndefined();
    const { current } = await deployment.record('late');
    const waited = deployment.twin.logs.find(
      ({ line }) => line.includes(String(current?.version)) && line.includes('has been issued'),
    );
    expect(waited?.function).toMatch(/Ready/);
    adapt = (everleaf) => everleaf.ready('shop');
    await deployment.deploy(MANIFEST);
    // Another manifest has what was blocked looked at again.
    await deployment.tick();
  });

  it('fails a deployment at once, with the reason, where the certificate is blocked, and is rolled back', async () => {
    adapt = (everleaf) => {
      everleaf.ready('shop');
      everleaf.ready('impossible');
    };
    await expect(deployment.deploy(MANIFEST)).rejects.toThrow(
      /IssuanceBlocked: default\/impossible cannot be issued; /,
    );
    adapt = (everleaf) => everleaf.ready('shop');
    await expect(deployment.deploy(MANIFEST)).resolves.toBeUndefined();
  });

  it('uses every grant of its role, and no other', () => {
    const unused = deployment.twin.unusedGrants().filter(({ source }) => source.includes('Ready'));
    expect(unused).toEqual([]);
    expect(deployment.twin.problems).toEqual([]);
  });
});

describe('grantRead, on the twin', () => {
  it('lets a function read that certificate, decryption included, and no other', async () => {
    adapt = (everleaf, stack) => everleaf.grantRead('shop', bundled(stack, 'Reader', READER));
    await deployment.deploy(MANIFEST);
    const read = (secret: string): Promise<unknown> => deployment.twin.invoke('Reader', { secret });
    expect(await read('Everleaf/shop-tls')).toEqual(['ca.crt', 'everleaf', 'tls.crt', 'tls.key']);
    expect(await read('Everleaf/other-tls')).toBe('AccessDeniedException');
  });
});

import assert from 'node:assert/strict';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { attemptId } from '../../functions/core/certificate.ts';
import { accountStore } from '../../functions/stores/accounts.ts';
import { readContent } from '../../functions/stores/bundle.ts';
import { secretsManagerStore } from '../../functions/stores/secrets-manager.ts';
import { CERTIFICATE_TAG, DEPLOYMENT_TAG } from '../../functions/stores/tags.ts';
import { id } from '../support/builders.ts';
import { jsonInputs } from './json-inputs.ts';
import { assertNoKey, withKeys } from './planted-keys.ts';
import { assertPrototypesPristine, assertRefused, outcomeOf } from './promises.ts';
import type { Target } from './target.ts';

const DEPLOYMENT = 'fuzz';
const SLOT = { certificate: id('payments/orders'), secretName: 'orders-tls' };
const ACCOUNT = { name: 'account', key: 'tls.key' };
const DIRECTORY = 'https://ca.example/directory';
const VERSION = 'version-in-use';
const ATTEMPT = attemptId.parse('0b1f6a3e-5c7d-4e2f-9a8b-1c2d3e4f5a6b');

/** Secrets Manager with one secret, whose value somebody has edited by hand. */
class OneSecret extends SecretsManagerClient {
  value: string;

  constructor(value: string) {
    super({ region: 'eu-central-1' });
    this.value = value;
  }

  override async send(command: unknown): Promise<never> {
    return this.#answer(command) as never;
  }

  #answer(command: unknown): object {
    if (command instanceof DescribeSecretCommand) {
      const tags = { [DEPLOYMENT_TAG]: DEPLOYMENT, [CERTIFICATE_TAG]: SLOT.certificate };
      const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
      return { Tags, VersionIdsToStages: { [VERSION]: ['AWSCURRENT'], [ATTEMPT]: ['AWSPENDING'] } };
    }
    if (command instanceof GetSecretValueCommand) return { SecretString: this.value, VersionId: VERSION };
    if (!(command instanceof PutSecretValueCommand)) throw new Error('nothing else is asked for');
    this.value = command.input.SecretString ?? '';
    return {};
  }
}

/** Secrets that people edit: bundles, staged keys, keys of accounts. */
export const secrets: Target = {
  name: 'secrets',
  extension: '.json',
  quickRuns: 800,
  inputs: jsonInputs,
  examine: async (input) => {
    const text = withKeys(input.toString());
    const content = readContent(text);
    if (content.is !== 'bundle') assertNoKey(JSON.stringify(content));
    await examineBundle(text);
    await examineAccount(text);
    assertPrototypesPristine();
  },
};

async function examineBundle(text: string): Promise<void> {
  const store = secretsManagerStore({ deployment: DEPLOYMENT, kmsKeyArn: undefined }, new OneSecret(text));
  const current = await outcomeOf(() => store.current(SLOT));
  // Whatever stands there: it is ours, or it is not.
  assert.ok(current.ok);
  if (current.value !== undefined) assert.equal(current.value.provenance.certificate, SLOT.certificate);
  const staged = await outcomeOf(() => store.stageKey(SLOT, ATTEMPT, () => assert.fail('it is staged already')));
  if (staged.ok) assert.equal(staged.value.publicKey.type, 'public');
  else assertRefused(staged, 'StagedKeyLost');
}

async function examineAccount(text: string): Promise<void> {
  const secret = new OneSecret(text);
  const accounts = accountStore({ deployment: DEPLOYMENT, kmsKeyArn: undefined }, secret);
  const read = await outcomeOf(() => accounts.read(ACCOUNT));
  const words = await outcomeOf(() => accounts.readText(ACCOUNT));
  if (!words.ok) assertRefused(words, 'SecretFieldMissing');
  if (!read.ok) return assertRefused(read, 'SecretFieldMissing', 'AccountKeyUnreadable');
  assert.ok(read.value?.key.type === 'private', 'no key of an account');
  await accounts.noteUrl(ACCOUNT, DIRECTORY, 'https://ca.example/account/1');
  const noted = await accounts.read(ACCOUNT);
  assert.ok(noted !== undefined && noted.key.equals(read.value.key), 'the key is another one');
  assert.equal(noted.urls[DIRECTORY], 'https://ca.example/account/1');
  await accounts.noteUrl(ACCOUNT, DIRECTORY, undefined);
  // What else a person keeps there stays, as far as JSON.stringify can say it.
  assert.deepEqual(othersIn(secret.value), JSON.parse(JSON.stringify(othersIn(text))));
}

/** But for `__proto__`, which no schema lets through. */
function othersIn(text: string): object {
  const {
    'everleaf.accounts': _noted,
    ['__proto__']: _prototype,
    ...others
  } = JSON.parse(text) as Record<string, unknown>;
  return others;
}

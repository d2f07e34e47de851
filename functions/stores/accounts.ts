import { createPrivateKey, type KeyObject } from 'node:crypto';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import * as z from 'zod/mini';
import { CLIENT_SETTINGS } from '../aws/client.ts';
import { awsFailure, failureName } from '../aws/failures.ts';
import { PermanentError } from '../core/errors.ts';
import type { AccountStore, CaAccount, SecretRef } from '../core/ports.ts';
import { isNotFound } from './once-visible.ts';
import { secretName } from './secret-name.ts';
import type { SecretsManagerSettings } from './owned-secrets.ts';
import { ACCOUNT_TAG, DEPLOYMENT_TAG, tagList } from './tags.ts';

/** Beside the key: which accounts are registered with it. Losing it costs a request, losing the key an account. */
const ACCOUNTS = 'everleaf.accounts';

const fields = z.record(z.string(), z.unknown());
const urls = z.catch(z.record(z.string(), z.string()), {});

/**
 * Account keys in Secrets Manager, one secret each, as JSON: the key in PEM under the name that the manifest gives it
 * (`tls.key`), and the accounts registered with it by directory URL. A person may put a key there beforehand.
 */
export function accountStore(
  { deployment, kmsKeyArn, tags }: SecretsManagerSettings,
  client = new SecretsManagerClient({ ...CLIENT_SETTINGS }),
): AccountStore {
  const nameOf = ({ namespace, name }: SecretRef): string => secretName(deployment, namespace, name);

  /**
   * Undefined where there is no such secret. Described first: roles are granted values by tag, and what is not there has none.
   * Whoever made a secret by hand may have forgotten it.
   */
  async function readValue(ref: SecretRef): Promise<string | undefined> {
    const name = nameOf(ref);
    try {
      const { Tags = [] } = await client.send(new DescribeSecretCommand({ SecretId: name }));
      if (!Tags.some(({ Key, Value }) => Key === DEPLOYMENT_TAG && Value === deployment)) throw notTagged(name);
      const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: name }));
      return SecretString ?? '';
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw awsFailure(error, `reading secret ${name}`);
    }
  }

  const notTagged = (name: string): PermanentError =>
    new PermanentError(
      'SecretNotTagged',
      `secret ${name} lacks the tag ${DEPLOYMENT_TAG}=${deployment}, without which it is not read; give it that tag`,
    );

  async function read(
    ref: SecretRef,
  ): Promise<(CaAccount & { fields: Readonly<Record<string, unknown>> }) | undefined> {
    const text = await readValue(ref);
    if (text === undefined) return undefined;
    const content = parseFields(text);
    const pem = content?.[ref.key];
    if (content === undefined || typeof pem !== 'string') throw noField(nameOf(ref), ref.key);
    return { key: readKey(pem, nameOf(ref), ref.key), urls: urls.parse(content[ACCOUNTS]), fields: content };
  }

  return {
    read,
    create: async (ref, make) => {
      const name = nameOf(ref);
      const key = await make();
      try {
        await client.send(
          new CreateSecretCommand({
            Name: name,
            Description: 'ACME account key, kept by Everleaf',
            SecretString: JSON.stringify({ [ref.key]: exportKey(key) }),
            ...(kmsKeyArn === undefined ? {} : { KmsKeyId: kmsKeyArn }),
            Tags: tagList({ ...tags, [DEPLOYMENT_TAG]: deployment, [ACCOUNT_TAG]: ref.name }),
          }),
        );
        return { key, urls: {} };
      } catch (error) {
        if (failureName(error) !== 'ResourceExistsException') throw awsFailure(error, `creating secret ${name}`);
        // Another worker was faster: its key is the account's.
        const stored = await read(ref);
        if (stored !== undefined) return stored;
        throw noField(name, ref.key);
      }
    },
    noteUrl: async (ref, directory, url) => {
      const name = nameOf(ref);
      const stored = await read(ref);
      if (stored === undefined || stored.urls[directory] === url) return;
      const { [directory]: _forgotten, ...others } = stored.urls;
      const accounts = url === undefined ? others : { ...others, [directory]: url };
      const value = JSON.stringify({ ...stored.fields, [ACCOUNTS]: accounts });
      try {
        // Without a token made of the value: a put of what was there once before would change nothing.
        await client.send(
          new PutSecretValueCommand({ SecretId: name, SecretString: value, VersionStages: ['AWSCURRENT'] }),
        );
      } catch (error) {
        throw awsFailure(error, `writing secret ${name}`);
      }
    },
    readText: async (ref) => {
      const text = await readValue(ref);
      if (text === undefined) {
        throw new PermanentError(
          'SecretMissing',
          `there is no secret ${nameOf(ref)}; create it, tagged ${DEPLOYMENT_TAG}=${deployment}`,
        );
      }
      const content = parseFields(text);
      if (content === undefined) return text;
      const value = content[ref.key];
      if (typeof value === 'string') return value;
      throw noField(nameOf(ref), ref.key);
    },
  };
}

const noField = (secret: string, field: string): PermanentError =>
  new PermanentError(
    'SecretFieldMissing',
    `secret ${secret} has no text ${JSON.stringify(field)}; put it there, as JSON`,
  );

const exportKey = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

function readKey(pem: string, secret: string, field: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // OpenSSL's reason would quote nothing, and the key is not to be quoted.
    throw new PermanentError(
      'AccountKeyUnreadable',
      `${JSON.stringify(field)} of secret ${secret} is no private key in PEM`,
    );
  }
}

/** Undefined for text that is no JSON object: a person may have stored the value alone. */
function parseFields(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed = z.safeParse(fields, JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

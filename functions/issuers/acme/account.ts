import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { PermanentError, sparingCa, TransientError } from '../../core/errors.ts';
import type { AccountStore, CaAccount, IssuerContext } from '../../core/ports.ts';
import { AcmeClient } from './client.ts';
import { allowedUrls } from './hosts.ts';
import type { AcmeOptions } from './options.ts';
import { problemType } from './problems.ts';
import type { Transport } from './transport.ts';

const generate = promisify(generateKeyPair);

/** An account key only signs requests; every CA takes this kind (RFC 8555 §6.2). */
async function makeAccountKey(): Promise<KeyObject> {
  const { privateKey } = await generate('ec', { namedCurve: 'P-256' });
  return privateKey;
}

/** A client that the CA knows: the key from the store, or a new one, and the account that belongs to it. */
export async function connectAccount(
  options: AcmeOptions,
  context: IssuerContext,
  transport: Transport,
): Promise<AcmeClient> {
  const { clock } = context;
  const accounts = sparing(context.accounts);
  const account = await accountKey(options, accounts);
  const known = account.urls[options.server];
  const client = new AcmeClient({
    directoryUrl: options.server,
    key: account.key,
    // For registering alone: a person may take it away afterwards.
    externalAccountBinding: known === undefined ? await externalAccountBinding(options, accounts) : undefined,
    allow: allowedUrls(options),
    transport,
    clock,
  });
  client.accountUrl = known ?? (await register(client, options));
  if (known === undefined) await accounts.noteUrl(options.accountKey, options.server, client.accountUrl);
  return client;
}

/** The CA does not know the account any more. It is registered again, with the same key, at the next connection. */
export async function forgetAccount(options: AcmeOptions, { accounts }: IssuerContext): Promise<void> {
  await accounts.noteUrl(options.accountKey, options.server, undefined);
}

async function accountKey(
  { accountKey: ref, makesAccountKey }: AcmeOptions,
  accounts: IssuerContext['accounts'],
): Promise<CaAccount> {
  const stored = await accounts.read(ref);
  if (stored !== undefined && !signsRequests(stored.key)) {
    throw new PermanentError(
      'AccountKeyUnfit',
      `ACME requests are not signed with a key like the one in secret ${ref.name}; put one of RSA with 2048 bits or more there, or of P-256, P-384 or P-521`,
    );
  }
  if (stored !== undefined) return stored;
  if (makesAccountKey) return accounts.create(ref, makeAccountKey);
  throw new PermanentError(
    'AccountKeyMissing',
    `there is no account key in secret ${ref.name}, and disableAccountKeyGeneration keeps one from being made; put one there`,
  );
}

/** JWS has algorithms for more (RFC 7518 §3.1); these are what acme-client signs with, and CAs take. */
function signsRequests({ asymmetricKeyType, asymmetricKeyDetails = {} }: KeyObject): boolean {
  const { namedCurve = '', modulusLength = 0 } = asymmetricKeyDetails;
  if (asymmetricKeyType === 'ec') return ['prime256v1', 'secp384r1', 'secp521r1'].includes(namedCurve);
  return asymmetricKeyType === 'rsa' && modulusLength >= 2048;
}

async function externalAccountBinding(
  { externalAccountBinding: binding }: AcmeOptions,
  accounts: IssuerContext['accounts'],
): Promise<{ keyId: string; hmacKey: string } | undefined> {
  if (binding === undefined) return undefined;
  return { keyId: binding.keyId, hmacKey: (await accounts.readText(binding.secret)).trim() };
}

/** RFC 8555 §7.3. A key that the CA knows gets the account that it has: repeating this is harmless. */
async function register(client: AcmeClient, options: AcmeOptions): Promise<string> {
  const { newAccount, meta } = await client.directory();
  if (meta?.externalAccountRequired === true && options.externalAccountBinding === undefined) {
    throw new PermanentError(
      'AcmeExternalAccountRequired',
      `${options.server} registers accounts with an external account binding only; give the issuer an externalAccountBinding`,
    );
  }
  const contact = options.email === undefined ? {} : { contact: [`mailto:${options.email}`] };
  const { location } = await client.postByKey(
    newAccount,
    { termsOfServiceAgreed: true, ...contact },
    `registering an account at ${options.server}`,
  );
  if (location === undefined) {
    throw new TransientError(
      'CaAnswerUnreadable',
      `${options.server} registered an account and did not say where it is`,
    );
  }
  return location;
}

/** Whether a failure says that the account is gone. */
export const isAccountLost = (error: unknown): boolean => problemType(error) === 'accountDoesNotExist';

const sparing = (accounts: AccountStore): AccountStore => ({
  read: (ref) => sparingCa(() => accounts.read(ref)),
  create: (ref, make) => sparingCa(() => accounts.create(ref, make)),
  noteUrl: (ref, directory, url) => sparingCa(() => accounts.noteUrl(ref, directory, url)),
  readText: (ref) => sparingCa(() => accounts.readText(ref)),
});

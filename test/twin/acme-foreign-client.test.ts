import { X509Certificate } from 'node:crypto';
import { Agent } from 'node:https';
import * as acme from 'acme-client';
import { beforeEach, describe, expect, test } from 'vitest';
import { type AcmeStage, acmeStage } from './acme-stage.ts';

const HMAC_KEY = Buffer.alloc(32, 7).toString('base64url');

let stage: AcmeStage;

beforeEach(async () => {
  await use();
});

async function use(options: Parameters<typeof acmeStage>[0] = {}): Promise<void> {
  stage = await acmeStage(options);
  acme.axios.defaults.httpsAgent = new Agent({ ca: stage.server.tlsRoot });
}

async function newClient(options: Partial<acme.ClientOptions> = {}): Promise<acme.Client> {
  const accountKey = await acme.crypto.createPrivateEcdsaKey();
  return new acme.Client({ directoryUrl: stage.server.directoryUrl, accountKey, ...options });
}

interface Wish {
  readonly altNames?: string[];
  readonly preferredChain?: string;
  readonly challenge?: string;
}

async function obtain(client: acme.Client, { altNames = ['shop.example'], ...wish }: Wish = {}): Promise<string[]> {
  const [, csr] = await acme.crypto.createCsr({ altNames });
  const pem = await client.auto({
    csr,
    email: 'ops@example.org',
    termsOfServiceAgreed: true,
    skipChallengeVerification: true,
    challengePriority: [wish.challenge ?? 'dns-01'],
    challengeCreateFn: async ({ identifier }, _challenge, value) => {
      stage.dns.put(`_acme-challenge.${identifier.value}`, value);
    },
    challengeRemoveFn: async () => {},
    ...(wish.preferredChain === undefined ? {} : { preferredChain: wish.preferredChain }),
  });
  return acme.crypto.splitPemChain(pem);
}

const read = (pem: string | undefined): X509Certificate => new X509Certificate(pem ?? '');

describe('acme-client, which others wrote,', () => {
  test('obtains a certificate for a name and its wildcard', async () => {
    const altNames = ['shop.example', '*.shop.example'];
    const [leaf, intermediate, ...others] = await obtain(await newClient(), { altNames });
    expect(read(leaf).subjectAltName).toBe('DNS:*.shop.example, DNS:shop.example');
    expect(read(leaf).verify(read(intermediate).publicKey)).toBe(true);
    expect(read(intermediate).verify(read(stage.server.roots[0]).publicKey)).toBe(true);
    expect(others).toEqual([]);
    expect(stage.server.issued).toMatchObject([{ dnsNames: ['*.shop.example', 'shop.example'] }]);
  });

  test('registers an account with its address, and finds it again', async () => {
    const client = await newClient();
    await obtain(client);
    const account = await client.createAccount({ onlyReturnExisting: true });
    expect(account).toMatchObject({ status: 'valid', contact: ['mailto:ops@example.org'] });
    expect(stage.server.issued[0]?.account).toBe(client.getAccountUrl().split('/').at(-1));
  });

  test.each([0, 1])('is given the chain up to root %d when it prefers that', async (index) => {
    const root = read(stage.server.roots[index]);
    const preferredChain = root.subject.replace('CN=', '');
    const [leaf, intermediate] = await obtain(await newClient(), { preferredChain });
    expect(read(leaf).verify(read(intermediate).publicKey)).toBe(true);
    expect(read(intermediate).issuer).toBe(root.subject);
    expect(read(intermediate).verify(root.publicKey)).toBe(true);
  });

  test('revokes, and is told when there is nothing left to revoke', async () => {
    const client = await newClient();
    const [leaf = ''] = await obtain(client);
    await client.revokeCertificate(leaf, { reason: 4 });
    expect(stage.server.issued[0]?.revoked).toEqual({ reason: 4, by: 'account' });
    await expect(client.revokeCertificate(leaf)).rejects.toThrow('revoked already');
  });

  test('gives its account another key', async () => {
    const client = await newClient();
    await obtain(client);
    const url = client.getAccountUrl();
    const newKey = await acme.crypto.createPrivateRsaKey();
    await client.updateAccountKey(newKey);
    await obtain(client, { altNames: ['more.example'] });
    const again = await newClient({ accountKey: newKey });
    await again.createAccount({ onlyReturnExisting: true });
    expect(again.getAccountUrl()).toBe(url);
  });

  test('deactivates its account, and has none then', async () => {
    const client = await newClient();
    await obtain(client);
    await client.updateAccount({ status: 'deactivated' });
    await expect(client.createOrder({ identifiers: [{ type: 'dns', value: 'shop.example' }] })).rejects.toThrow(
      'deactivated',
    );
  });

  test('binds its account to an external one', async () => {
    await use({ externalAccounts: { 'kid-1': HMAC_KEY } });
    await obtain(await newClient({ externalAccountBinding: { kid: 'kid-1', hmacKey: HMAC_KEY } }));
    expect(stage.server.issued).toHaveLength(1);
    await expect(obtain(await newClient())).rejects.toThrow('externalAccountBinding');
    const other = Buffer.alloc(32, 8).toString('base64url');
    await expect(obtain(await newClient({ externalAccountBinding: { kid: 'kid-1', hmacKey: other } }))).rejects.toThrow(
      'not made with the key',
    );
  });

  test('is told why a challenge failed', async () => {
    const client = await newClient({ backoffAttempts: 1 });
    await expect(obtain(client, { altNames: ['nowhere.example'], challenge: 'http-01' })).rejects.toThrow(
      'ENOTFOUND looking up nowhere.example',
    );
  });
});

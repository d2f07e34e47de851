import { describe, expect, it } from 'vitest';
import { SECOND_MS } from '../../../functions/core/time.ts';
import { accountStore } from '../../../functions/stores/accounts.ts';
import { ACCOUNT_TAG, DEPLOYMENT_TAG } from '../../../functions/stores/tags.ts';
import { SHORT_LIVED_SECONDS } from '../support/public-ca.ts';
import { STACK, type World } from '../support/world.ts';

/** What issuance from an ACME CA has left behind, and what not. */
export function publicCa(world: () => World): void {
  describe('issuance from an ACME CA', () => {
    it('keeps to the profile that the issuer names', async () => {
      const { notBefore = 0, notAfter = Infinity } = (await world().record('api')).current?.leaf ?? {};
      expect(notAfter - notBefore).toBeLessThanOrEqual(SHORT_LIVED_SECONDS * SECOND_MS);
    });

    it('has taken every response to a challenge out of Route 53 again', async () => {
      expect(await world().txtRecords()).toEqual([]);
    });

    it('has one account for all issuers that name its secret, which is tagged with the deployment', async () => {
      const name = 'letsencrypt-account';
      const accounts = accountStore({ deployment: STACK, kmsKeyArn: undefined }, world().account.secrets);
      const account = await accounts.read({ name, key: 'tls.key' });
      expect(Object.keys(account?.urls ?? {})).toEqual([world().publicCa.directoryUrl]);
      expect((await world().account.describeSecret(`${STACK}/${name}`)).Tags).toEqual([
        { Key: DEPLOYMENT_TAG, Value: STACK },
        { Key: ACCOUNT_TAG, Value: name },
      ]);
    });

    it('knows when the CA would like each certificate to be renewed', async () => {
      for (const name of ['site', 'api', 'docs']) {
        const { current } = await world().record(name);
        expect(current?.renewalInfo?.renewAt).toBeGreaterThan(Date.now());
      }
    });
  });
}

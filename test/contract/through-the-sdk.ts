import {
  ChangeResourceRecordSetsCommand,
  ListResourceRecordSetsCommand,
  type Route53Client,
} from '@aws-sdk/client-route-53';
import { CreateSecretCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { route53Writer } from '../../functions/dns/route53/writer.ts';
import { accountStore } from '../../functions/stores/accounts.ts';
import { secretName } from '../../functions/stores/secret-name.ts';
import { DEPLOYMENT_TAG } from '../../functions/stores/tags.ts';
import type { AccountsUnderTest } from './account-store.contract.ts';
import type { WriterUnderTest } from './dns-writer.contract.ts';

const DEPLOYMENT = 'contract';

/** What both stand-ins for AWS are asked in the same words: the real SDK's. */
export const accountsUnderTest = (client: SecretsManagerClient): AccountsUnderTest => ({
  accounts: accountStore({ deployment: DEPLOYMENT, kmsKeyArn: undefined }, client),
  put: async ({ namespace, name }, value) => {
    const SecretString = typeof value === 'string' ? value : JSON.stringify(value);
    await client.send(
      new CreateSecretCommand({
        Name: secretName(DEPLOYMENT, namespace, name),
        SecretString,
        Tags: [{ Key: DEPLOYMENT_TAG, Value: DEPLOYMENT }],
      }),
    );
  },
});

/** Two zones that are there, `inner` inside of `apex`. */
export async function writerUnderTest(client: Route53Client, apex: string, inner: string): Promise<WriterUnderTest> {
  const writer = route53Writer({}, undefined, client);
  const [outerZone, innerZone] = [await writer.zoneOf(apex), await writer.zoneOf(inner)];
  const zoneOf = (name: string): string => (name.endsWith(inner) ? innerZone : outerZone);
  return {
    writer,
    apex,
    inner,
    values: async (name) => {
      const { ResourceRecordSets = [] } = await client.send(
        new ListResourceRecordSetsCommand({
          HostedZoneId: zoneOf(name),
          StartRecordName: name,
          StartRecordType: 'TXT',
        }),
      );
      const here = ResourceRecordSets.filter(({ Name, Type }) => Name === `${name}.` && Type === 'TXT');
      return here.flatMap(({ ResourceRecords = [] }) => ResourceRecords.map(({ Value = '' }) => JSON.parse(Value)));
    },
    putByPerson: async (name, value) => {
      const ResourceRecordSet = {
        Name: name,
        Type: 'TXT' as const,
        TTL: 300,
        ResourceRecords: [{ Value: `"${value}"` }],
      };
      await client.send(
        new ChangeResourceRecordSetsCommand({
          HostedZoneId: zoneOf(name),
          ChangeBatch: { Changes: [{ Action: 'CREATE', ResourceRecordSet }] },
        }),
      );
    },
  };
}

import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { expect, test } from 'vitest';
import { bundled, startTwin } from './stage.ts';

const SOURCE = `
  import { ChangeResourceRecordSetsCommand, GetChangeCommand, GetHostedZoneCommand, ListHostedZonesCommand,
    Route53Client } from '@aws-sdk/client-route-53';
  const COMMANDS = { ChangeResourceRecordSetsCommand, GetChangeCommand, GetHostedZoneCommand, ListHostedZonesCommand };
  const client = new Route53Client({ maxAttempts: 1 });
  export const handler = async ({ operation, input }) => {
    try {
      await client.send(new COMMANDS[operation + 'Command'](input));
      return 'done';
    } catch (error) {
      return error.name + ' ' + error.$metadata.httpStatusCode;
    }
  };`;

/** How a solver of dns-01 is narrowed to its challenges. */
const CHALLENGES = {
  'ForAllValues:StringEquals': {
    'route53:ChangeResourceRecordSetsNormalizedRecordNames': ['_acme-challenge.example.com'],
    'route53:ChangeResourceRecordSetsRecordTypes': ['TXT'],
    'route53:ChangeResourceRecordSetsActions': ['CREATE', 'UPSERT'],
  },
};

test('a role reaches the zones, changes and records that it names', async () => {
  const twin = await startTwin((stack) => {
    const solver = bundled(stack, 'Solver', SOURCE);
    const grant = (actions: string[], resource: string, conditions = {}): void =>
      solver.addToRolePolicy(new PolicyStatement({ actions, resources: [resource], conditions }));
    grant(['route53:ChangeResourceRecordSets'], 'arn:aws:route53:::hostedzone/ZMINE', CHALLENGES);
    grant(['route53:GetHostedZone'], 'arn:aws:route53:::hostedzone/ZMINE');
    grant(['route53:GetChange'], 'arn:aws:route53:::change/*');
  });
  twin.route53.addZone('example.com', { id: 'ZMINE' });
  twin.route53.addZone('example.net', { id: 'ZOTHER' });
  const call = (operation: string, input: unknown): Promise<unknown> => twin.invoke('Solver', { operation, input });
  const change = (more: object, HostedZoneId = 'ZMINE', Action = 'UPSERT'): Promise<unknown> => {
    const set = { Name: '_ACME-challenge.example.com', Type: 'TXT', TTL: 1, ResourceRecords: [{ Value: '"x"' }] };
    const Changes = [{ Action, ResourceRecordSet: { ...set, ...more } }];
    return call('ChangeResourceRecordSets', { HostedZoneId, ChangeBatch: { Changes } });
  };

  const DENIED = 'AccessDenied 403';
  await expect(change({})).resolves.toBe('done');
  await expect(change({ Name: 'www.example.com' })).resolves.toBe(DENIED);
  await expect(change({ Type: 'CNAME', ResourceRecords: [{ Value: 'example.net' }] })).resolves.toBe(DENIED);
  await expect(change({}, 'ZMINE', 'DELETE')).resolves.toBe(DENIED);
  await expect(change({}, 'ZOTHER')).resolves.toBe(DENIED);
  await expect(call('GetHostedZone', { Id: 'ZMINE' })).resolves.toBe('done');
  await expect(call('GetHostedZone', { Id: 'ZOTHER' })).resolves.toBe(DENIED);
  await expect(call('ListHostedZones', {})).resolves.toBe(DENIED);
  await expect(call('GetChange', { Id: '/change/CNONE' })).resolves.toBe('NoSuchChange 404');
  expect(twin.route53.records('ZMINE')).toHaveLength(3);
  expect(twin.unusedGrants()).toEqual([]);
});

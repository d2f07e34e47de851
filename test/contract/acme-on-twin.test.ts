import { Route53Client } from '@aws-sdk/client-route-53';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { route53Writer } from '../../functions/dns/route53/writer.ts';
import { type Deployment, deployOnTwin, manifestOf } from '../support/deployment.ts';
import { accountStoreContract } from './account-store.contract.ts';
import { dnsWriterContract, settled, type WriterUnderTest } from './dns-writer.contract.ts';
import { accountsUnderTest, writerUnderTest } from './through-the-sdk.ts';

const APEX = 'contract.example';
const INNER = 'inner.contract.example';

let deployment: Deployment;
let client: Route53Client;
beforeAll(async () => {
  deployment = await deployOnTwin({ manifest: manifestOf() });
  const { endpoint, account, operatorCredentials: credentials, route53 } = deployment.twin;
  client = new Route53Client({ endpoint, region: account.region, credentials });
  for (const zone of [APEX, INNER]) route53.addZone(zone);
});
afterAll(async () => {
  client.destroy();
  await deployment.close();
});

accountStoreContract('Secrets Manager, on the twin', async () => accountsUnderTest(deployment.secrets));

const under = (): Promise<WriterUnderTest> => writerUnderTest(client, APEX, INNER);

dnsWriterContract('Route 53, on the twin', under);

describe('DNS writer: what Route 53 makes of it', () => {
  const name = `_acme-challenge.limits.${APEX}`;
  const callsFor = async (work: () => Promise<unknown>): Promise<readonly string[]> => {
    const before = deployment.twin.calls.length;
    await work();
    return deployment.twin.calls.slice(before).map(({ operation }) => operation);
  };

  it('gets the changes of certificates that are worked on side by side in few batches', async () => {
    const { writer } = await under();
    const zone = await writer.zoneOf(name);
    const records = Array.from({ length: 50 }, (_, index) => ({ zone, name: `h${index}.${name}`, value: `v${index}` }));
    const calls = await callsFor(async () => {
      const steps = await Promise.all(records.map((record) => writer.add([record])));
      await Promise.all(steps.map((step) => settled(writer, step)));
      await Promise.all(records.map((record) => writer.remove([record])));
    });
    expect(calls.filter((call) => call === 'ChangeResourceRecordSets').length).toBeLessThanOrEqual(4);
    expect(calls.filter((call) => call === 'GetChange').length).toBeLessThanOrEqual(4);
  });

  it('answers with a record only when all of its servers have it, and then the world sees it', async () => {
    const { writer } = await under();
    const record = { zone: await writer.zoneOf(name), name, value: 'seen' };
    const step = await writer.add([record]);
    const seen = (): unknown => deployment.twin.route53.answers(name, 'TXT')?.records ?? [];
    expect(seen()).toEqual([]);
    await settled(writer, step);
    expect(seen()).toHaveLength(1);
    await writer.remove([record]);
  });

  it('is left alone for a while when it throttles, or is still at an earlier change', async () => {
    const { writer } = await under();
    const { route53 } = deployment.twin;
    const record = { zone: await writer.zoneOf(name), name, value: 'later' };
    route53.throttle = (operation) => operation === 'ChangeResourceRecordSets';
    await expect(writer.add([record])).rejects.toMatchObject({ class: 'transient', code: 'Throttled' });
    route53.throttle = undefined;
    route53.priorRequests = () => true;
    await expect(writer.add([record])).rejects.toMatchObject({ class: 'transient', code: 'Throttled' });
    route53.priorRequests = undefined;
  });

  it('may have two zones of one name: which one is meant is for a person to say', async () => {
    const { route53 } = deployment.twin;
    const [first, second] = [route53.addZone('twice.example'), route53.addZone('twice.example')];
    const { writer } = await under();
    await expect(writer.zoneOf('_acme-challenge.twice.example')).rejects.toMatchObject({
      code: 'AmbiguousZone',
      message: expect.stringContaining(second) as unknown,
    });
    const given = route53Writer({ hostedZoneId: first }, undefined, client);
    expect(await given.zoneOf('_acme-challenge.twice.example')).toBe(first);
  });

  it('may have a zone that only a VPC sees: no CA would', async () => {
    deployment.twin.route53.addZone('private.contract.example', { isPrivate: true });
    const { writer } = await under();
    expect(await writer.zoneOf('_acme-challenge.a.private.contract.example')).toBe(await writer.zoneOf(APEX));
  });

  it('finds a zone that was made after the last look', async () => {
    const { writer } = await under();
    await expect(writer.zoneOf('_acme-challenge.new.example')).rejects.toMatchObject({ code: 'NoZone' });
    const id = deployment.twin.route53.addZone('new.example');
    expect(await writer.zoneOf('_acme-challenge.new.example')).toBe(id);
  });
});

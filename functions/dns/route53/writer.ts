import { type Change, Route53Client } from '@aws-sdk/client-route-53';
import type { Credentials } from '../../aws/assumed-role.ts';
import { CLIENT_SETTINGS } from '../../aws/client.ts';
import { PermanentError } from '../../core/errors.ts';
import type { DnsWriter, Step, Ticket, TxtRecord } from '../../core/ports.ts';
import { ChangeBatches } from './change-batches.ts';
import type { Route53Options } from './options.ts';
import { Propagation } from './propagation.ts';
import { PublicZones } from './public-zones.ts';

/** For as long as a challenge lasts. */
const TTL_SECONDS = 10;

/** Until a change is on all of Route 53's servers: some seconds as a rule, up to a minute (AWS). By the number of looks. */
const LOOK_AGAIN_SECONDS = [3, 5, 5, 8, 10, 15, 20, 30] as const;

/**
 * TXT records in Route 53. Each value is a record set of its own (multivalue answer, with the value as its identifier): apex and
 * wildcard, and certificates that never heard of each other, share one name without reading what is there.
 */
export function route53Writer(
  { hostedZoneId }: Route53Options,
  credentials: Credentials | undefined,
  client = new Route53Client({ ...CLIENT_SETTINGS, ...(credentials === undefined ? {} : { credentials }) }),
): DnsWriter {
  const zones = new PublicZones(client);
  const batches = new ChangeBatches(client);
  const propagation = new Propagation(client);

  return {
    zoneOf: async (name) => {
      const zone = hostedZoneId ?? (await zones.find(name));
      if (zone !== undefined) return zone;
      throw new PermanentError(
        'NoZone',
        `Route 53 has no public hosted zone for ${name}; create it, give the solver its hostedZoneID, or correct the name`,
      );
    },
    add: async (records) => {
      const changes = await Promise.all(
        [...byZone(records)].map(([zone, group]) => batches.upsert(zone, group.map(recordSet))),
      );
      return stepOf(
        changes.filter(({ Status }) => Status !== 'INSYNC').map(({ Id = '' }) => Id),
        0,
      );
    },
    check: async ({ changes = '', looks = '0' }: Ticket): Promise<Step<void>> => {
      const ids = changes.split(' ').filter((id) => id !== '');
      const insync = await Promise.all(ids.map((id) => propagation.isComplete(id)));
      return stepOf(
        ids.filter((_, index) => insync[index] !== true),
        Number(looks) + 1,
      );
    },
    remove: async (records) => {
      await Promise.all([...byZone(records)].map(([zone, group]) => batches.remove(zone, group.map(recordSet))));
    },
  };
}

/** Done, unless `changes` are still on their way. */
function stepOf(changes: readonly string[], looks: number): Step<void> {
  if (changes.length === 0) return { status: 'done', value: undefined };
  const seconds = LOOK_AGAIN_SECONDS[Math.min(looks, LOOK_AGAIN_SECONDS.length - 1)] ?? 0;
  return {
    status: 'waiting',
    ticket: { changes: changes.join(' '), looks: String(looks) },
    checkAfterSeconds: seconds,
  };
}

const byZone = (records: readonly TxtRecord[]): Map<string, TxtRecord[]> => Map.groupBy(records, ({ zone }) => zone);

const recordSet = ({ name, value }: TxtRecord): NonNullable<Change['ResourceRecordSet']> => ({
  Name: name,
  Type: 'TXT',
  SetIdentifier: value,
  MultiValueAnswer: true,
  TTL: TTL_SECONDS,
  ResourceRecords: [{ Value: JSON.stringify(value) }],
});

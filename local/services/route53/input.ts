import * as z from 'zod/mini';
import { AwsError, type ServiceCall } from '../../wire/service.ts';
import { readInput } from '../input.ts';
import { normalize } from './names.ts';
import type { Edit } from './rules.ts';

const Id = z.string().check(z.minLength(1), z.maxLength(32));
const Name = z.string().check(z.minLength(1), z.maxLength(1_024));
const Comment = z.optional(z.string().check(z.maxLength(256)));
const number = z.pipe(z.string().check(z.regex(/^\d{1,10}$/)), z.transform(Number));
const boolean = z.pipe(
  z.enum(['true', 'false']),
  z.transform((text) => text === 'true'),
);
/** In XML a list is an element that holds nothing but its members. */
const list = <Member extends z.ZodMiniType>(name: string, member: Member) =>
  z.pipe(
    z.strictObject({ [name]: z.array(member).check(z.minLength(1)) }),
    z.transform((parent) => Object.values(parent).flat()),
  );

export const OfZone = z.strictObject({ Id });
export const OfChange = z.strictObject({ Id });
export const CreateHostedZone = z.strictObject({
  Name,
  CallerReference: z.string().check(z.minLength(1), z.maxLength(128)),
  HostedZoneConfig: z.optional(z.strictObject({ Comment, PrivateZone: z.optional(boolean) })),
  VPC: z.optional(z.strictObject({ VPCRegion: z.string(), VPCId: z.string() })),
});
export const ListHostedZones = z.strictObject({ Marker: z.optional(Id), MaxItems: z.optional(number) });
export const ListHostedZonesByName = z.strictObject({
  DNSName: z.optional(Name),
  HostedZoneId: z.optional(Id),
  MaxItems: z.optional(number),
});
export const ListResourceRecordSets = z.strictObject({
  HostedZoneId: Id,
  StartRecordName: z.optional(Name),
  StartRecordType: z.optional(z.string()),
  StartRecordIdentifier: z.optional(z.string()),
  MaxItems: z.optional(number),
});
const Change = z.strictObject({
  Action: z.enum(['CREATE', 'UPSERT', 'DELETE']),
  ResourceRecordSet: z.strictObject({
    Name,
    Type: z.enum(['A', 'AAAA', 'CAA', 'CNAME', 'NS', 'SOA', 'TXT']),
    SetIdentifier: z.optional(z.string().check(z.minLength(1), z.maxLength(128))),
    MultiValueAnswer: z.optional(boolean),
    TTL: z.optional(number),
    ResourceRecords: z.optional(
      list('ResourceRecord', z.strictObject({ Value: z.string().check(z.maxLength(4_000)) })),
    ),
  }),
});
const ChangeResourceRecordSets = z.strictObject({
  HostedZoneId: Id,
  ChangeBatch: z.strictObject({ Comment, Changes: list('Change', Change) }),
});

export interface Batch {
  readonly zoneId: string;
  readonly edits: readonly Edit[];
}

/** What is wrong with one change in itself is InvalidInput; what is wrong with it in its zone is InvalidChangeBatch. */
export function readBatch(call: ServiceCall): Batch {
  const { HostedZoneId, ChangeBatch } = readInput(ChangeResourceRecordSets, call);
  return { zoneId: HostedZoneId, edits: ChangeBatch.Changes.map(toEdit) };
}

function toEdit({ Action, ResourceRecordSet }: z.output<typeof Change>): Edit {
  const { Name, Type, SetIdentifier, MultiValueAnswer = false, TTL, ResourceRecords } = ResourceRecordSet;
  const fault = (text: string): AwsError => {
    const where = `[Action=${Action}, Name=${Name}, Type=${Type}, SetIdentifier=${SetIdentifier ?? null}]`;
    return new AwsError('InvalidInput', `Invalid request: ${text} in Change with ${where}`);
  };
  if (MultiValueAnswer && SetIdentifier === undefined) throw fault(`Missing field 'SetIdentifier'`);
  if (!MultiValueAnswer && SetIdentifier !== undefined) {
    throw fault('Expected exactly one of [Weight, Region, Failover, GeoLocation, or MultiValueAnswer], but found none');
  }
  if (TTL === undefined || ResourceRecords === undefined) {
    throw fault('Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords]], but found none');
  }
  const values = ResourceRecords.map(({ Value }) => Value);
  return {
    action: Action,
    set: { name: normalize(Name), type: Type, ttl: TTL, values, setIdentifier: SetIdentifier },
  };
}

import { z } from 'zod';
import { arnOf } from '../../account.ts';
import type { Account } from '../../account.ts';
import { AwsError, type JsonService, type ServiceCall, unknownOperation } from '../../wire/service.ts';
import type { EventBuses } from './bus.ts';

/** EventBridge's quota for all entries of one request together. */
const LARGEST_REQUEST = 256 * 1024;

const Entry = z.strictObject({
  Source: z.string().optional(),
  DetailType: z.string().optional(),
  Detail: z.string().optional(),
  EventBusName: z.string().default('default'),
  Resources: z.array(z.string()).default([]),
  Time: z.number().optional(),
  TraceHeader: z.string().optional(),
});
const PutEvents = z.strictObject({ Entries: z.array(Entry).min(1).max(10) });
const DescribeRule = z.strictObject({ Name: z.string(), EventBusName: z.string().default('default') });

type Entry = z.infer<typeof Entry>;

/** EventBridge on the wire. */
export class Events implements JsonService {
  readonly signingName = 'events';
  readonly #account: Account;
  readonly #buses: EventBuses;

  constructor(account: Account, buses: EventBuses) {
    this.#account = account;
    this.#buses = buses;
  }

  handle(call: ServiceCall): unknown {
    if (call.operation === 'DescribeRule') return this.#describeRule(call);
    if (call.operation !== 'PutEvents') throw unknownOperation('EventBridge', call.operation);
    const { Entries } = PutEvents.parse(call.input);
    for (const { EventBusName, Source = '', DetailType = '' } of Entries) {
      call.authorize('events:PutEvents', arnOf(this.#account, 'events', `event-bus/${nameOf(EventBusName)}`), {
        'events:source': Source,
        'events:detail-type': DetailType,
      });
    }
    const size = Entries.reduce((sum, entry) => sum + sizeOf(entry), 0);
    if (size > LARGEST_REQUEST) {
      throw new AwsError('ValidationException', 'Total size of the entries in the request is over the limit.');
    }
    const results = Entries.map((entry) => this.#put(entry));
    return { FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length, Entries: results };
  }

  #describeRule(call: ServiceCall): Record<string, string> {
    const { Name, EventBusName } = DescribeRule.parse(call.input);
    const bus = nameOf(EventBusName);
    const arn = arnOf(this.#account, 'events', `rule/${bus === 'default' ? Name : `${bus}/${Name}`}`);
    call.authorize('events:DescribeRule', arn);
    const enabled = this.#buses.isEnabled(arn);
    if (enabled === undefined)
      throw new AwsError('ResourceNotFoundException', `Rule ${Name} does not exist on ${bus}.`);
    return { Name, Arn: arn, EventBusName: bus, State: enabled ? 'ENABLED' : 'DISABLED' };
  }

  /** An entry that is wrong fails by itself; the others are published. */
  #put({ Source, DetailType, Detail, EventBusName, Resources, Time }: Entry): Record<string, string> {
    const bus = nameOf(EventBusName);
    for (const [name, value] of Object.entries({ Source, DetailType, Detail })) {
      if (value === undefined || value === '') {
        const reason = `Parameter ${name} is not valid. Reason: ${name} is a required argument.`;
        return { ErrorCode: 'InvalidArgument', ErrorMessage: reason };
      }
    }
    if (Source?.startsWith('aws.') === true) {
      return { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: `Not authorized for the source ${Source}.` };
    }
    const detail = parseDetail(Detail ?? '');
    if (detail === undefined) return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
    if (!this.#buses.has(bus)) {
      return { ErrorCode: 'ResourceNotFoundException', ErrorMessage: `Event bus ${bus} does not exist.` };
    }
    return {
      EventId: this.#buses.publish(bus, {
        source: Source ?? '',
        detailType: DetailType ?? '',
        detail,
        resources: Resources,
        time: Time === undefined ? undefined : Time * 1_000,
      }),
    };
  }
}

function nameOf(bus: string): string {
  return bus.slice(bus.lastIndexOf('/') + 1);
}

/** As EventBridge counts: 14 bytes for a time, the rest in UTF-8. */
function sizeOf({ Source = '', DetailType = '', Detail = '', Resources, Time }: Entry): number {
  const texts = [Source, DetailType, Detail, ...Resources];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), Time === undefined ? 0 : 14);
}

function parseDetail(detail: string): object | undefined {
  try {
    const parsed: unknown = JSON.parse(detail);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

import { EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { CLIENT_SETTINGS } from '../aws/client.ts';
import { awsFailure } from '../aws/failures.ts';
import { TransientError } from '../core/errors.ts';
import { type Announcement, encodeDetail, EVENT_SOURCE } from '../core/events.ts';
import type { EventBus } from '../core/ports.ts';

/** Entries that one PutEvents call takes. */
const BATCH_SIZE = 10;

/** PutEvents accepts a batch in part: the entries it refused are sent again, so often. */
const ROUNDS = 3;

export function eventBridgeBus(busName: string, client = new EventBridgeClient({ ...CLIENT_SETTINGS })): EventBus {
  /** Answers the entries that were refused, each with the reason. */
  async function send(
    entries: readonly PutEventsRequestEntry[],
  ): Promise<{ entry: PutEventsRequestEntry; why: string }[]> {
    try {
      const answer = await client.send(new PutEventsCommand({ Entries: [...entries] }));
      if ((answer.FailedEntryCount ?? 0) === 0) return [];
      return entries.flatMap((entry, index) => {
        const { ErrorCode, ErrorMessage } = answer.Entries?.[index] ?? {};
        return ErrorCode === undefined ? [] : [{ entry, why: `${ErrorCode}: ${ErrorMessage ?? 'no message'}` }];
      });
    } catch (error) {
      throw awsFailure(error, `publishing to bus ${busName}`);
    }
  }

  async function sendBatch(batch: readonly PutEventsRequestEntry[]): Promise<void> {
    let entries = batch;
    for (let round = 1; ; round++) {
      const refused = await send(entries);
      if (refused.length === 0) return;
      if (round === ROUNDS) {
        const [first] = refused;
        throw new TransientError(
          'EventsRefused',
          `bus ${busName} refused ${refused.length} events: ${first?.why ?? ''}`,
        );
      }
      entries = refused.map(({ entry }) => entry);
    }
  }

  return {
    publish: async (announcements) => {
      const entries = announcements.map((event) => toEntry(event, busName));
      for (let start = 0; start < entries.length; start += BATCH_SIZE) {
        await sendBatch(entries.slice(start, start + BATCH_SIZE));
      }
    },
  };
}

function toEntry(event: Announcement, busName: string): PutEventsRequestEntry {
  return { EventBusName: busName, Source: EVENT_SOURCE, DetailType: event.type, Detail: encodeDetail(event) };
}

import type { Duration } from 'aws-cdk-lib';
import { Archive, type EventBus, Match } from 'aws-cdk-lib/aws-events';
import { EVENT_SOURCE } from '../functions/core/events.ts';

/** Keeps what happened for a replay to new or mended subscribers. Hints are left out: the schedule repeats them anyway. */
export function archiveOf(bus: EventBus, retention: Duration | undefined): void {
  if (retention === undefined) return;
  new Archive(bus, 'Archive', {
    sourceEventBus: bus,
    description: 'Everleaf: what happened to certificates, for a replay',
    eventPattern: { source: [EVENT_SOURCE], detailType: Match.anythingBut('Certificate Renewal Due') },
    retention,
  });
}

import type { Announcement } from '../core/events.ts';
import type { EventBus, Inventory } from '../core/ports.ts';
import type { Instant } from '../core/time.ts';

/** Events gathered before they are sent: some calls' worth, so that a long list needs no memory. */
const BATCH_SIZE = 100;

/** Tells of every certificate that wants a look now, up to `limit`. Answers how many there were. */
export async function detect(inventory: Inventory, bus: EventBus, now: Instant, limit: number): Promise<number> {
  let found = 0;
  let batch: Announcement[] = [];
  for await (const certificate of inventory.due(now, limit)) {
    found += 1;
    batch.push({ type: 'Certificate Renewal Due', detail: { schemaVersion: '1', certificate } });
    if (batch.length === BATCH_SIZE) {
      await bus.publish(batch);
      batch = [];
    }
  }
  if (batch.length > 0) await bus.publish(batch);
  return found;
}

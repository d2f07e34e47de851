import type { Announcement } from './events.ts';
import type { EventBus, HintQueue } from './ports.ts';

/** By what work is noticed elsewhere. */
interface Traceable {
  readonly bus: EventBus;
  readonly hints: HintQueue;
  readonly log: (message: string, facts: Readonly<Record<string, unknown>>) => void;
}

/** The same parts, for work that one hint has led to: what they log, publish and send on names where it began. */
export function correlated<Parts extends Traceable>(parts: Parts, correlationId: string | undefined): Parts {
  if (correlationId === undefined) return parts;
  return {
    ...parts,
    log: (message, facts) => parts.log(message, { correlation_id: correlationId, ...facts }),
    bus: { publish: (announcements) => parts.bus.publish(announcements.map((each) => stamped(each, correlationId))) },
    hints: { later: (hint, delaySeconds) => parts.hints.later({ ...hint, correlationId }, delaySeconds) },
  };
}

const stamped = (announcement: Announcement, correlationId: string): Announcement =>
  ({ ...announcement, detail: { ...announcement.detail, correlationId } }) as Announcement;

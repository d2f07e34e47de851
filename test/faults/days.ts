import { dueAt } from '../../functions/core/decide.ts';
import { type Instant, MINUTE_MS } from '../../functions/core/time.ts';
import type { Deployment } from '../support/deployment.ts';

/** From one tick, a minute each, to the first at which something is due: those between read an empty index, and are passed over. */
export const toNextTickMs = (due: Instant, now: Instant): number =>
  Math.max(1, Math.ceil((due - now) / MINUTE_MS)) * MINUTE_MS;

/** Lets time pass as the schedule sees it. */
export async function letPass({ operator, advance, now }: Deployment, ms: number): Promise<void> {
  const end: Instant = now() + ms;
  while (now() < end) {
    const due = (await operator.records()).flatMap((record) => dueAt(record) ?? []);
    await advance(Math.min(toNextTickMs(Math.min(...due, end), now()), end - now()));
  }
}

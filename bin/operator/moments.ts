import { formatSeconds, type Instant, SECOND_MS, toTimestamp } from '../../functions/core/time.ts';

/** In UTC, to the minute: `2026-11-27 04:24`. */
export const inUtc = (instant: Instant): string => toTimestamp(instant).slice(0, 16).replace('T', ' ');

/** `in 3d 2h`, `5m ago`. */
export function fromNow(instant: Instant, now: Instant): string {
  const seconds = Math.round((instant - now) / SECOND_MS);
  return seconds >= 0 ? `in ${formatSeconds(seconds)}` : `${formatSeconds(-seconds)} ago`;
}

export const moment = (instant: Instant, now: Instant): string => `${inUtc(instant)} (${fromNow(instant, now)})`;

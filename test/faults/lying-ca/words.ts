import { formatSeconds, type Instant, MINUTE_MS, SECOND_MS } from '../../../functions/core/time.ts';

/** `1h 52m`; what is less than a second is nothing. */
export const inWords = (seconds: number): string => formatSeconds(Math.floor(seconds));

const MOST_SHOWN = 5;

/** When somebody was there, counted from the first time: `0s, 1m, 11m, 1h 51m`. What lies within half a minute is one visit. */
export function visitsOf(instants: readonly Instant[]): string {
  const [first = 0] = instants;
  const visits: Instant[] = [];
  let last = -Infinity;
  for (const instant of instants) {
    if (instant - last >= MINUTE_MS / 2) visits.push(instant);
    last = instant;
  }
  const shown = visits.slice(0, MOST_SHOWN).map((instant) => inWords((instant - first) / SECOND_MS));
  const more = visits.length - shown.length;
  return more === 0 ? shown.join(', ') : `${shown.join(', ')} and ${more} more`;
}

import * as z from 'zod/mini';

/** A point in time, in milliseconds since the Unix epoch. The core is handed "now"; it never asks a clock. */
export type Instant = number;

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** RFC 3339 in UTC with milliseconds: sorts as text, reads as a date. */
export const toTimestamp = (instant: Instant): string => new Date(instant).toISOString();

/** Instants travel and rest as RFC 3339 text. */
export const instant = z.codec(z.iso.datetime(), z.number(), {
  decode: (timestamp) => Date.parse(timestamp),
  encode: (value) => toTimestamp(value),
});

/** Whole seconds as people read them: `90d`, `6d 12h`, `45m`, `12s`; the two largest units. */
export function formatSeconds(seconds: number): string {
  const units: [string, number][] = [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
    ['s', 1],
  ];
  const parts: string[] = [];
  let rest = Math.max(0, Math.round(seconds));
  for (const [unit, size] of units) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return parts.slice(0, 2).join(' ') || '0s';
}

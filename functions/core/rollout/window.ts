import { Cron } from 'croner';
import { type Instant, SECOND_MS } from '../time.ts';
import type { MaintenanceWindow } from './hook-spec.ts';

const parse = ({ cron, timeZone }: Pick<MaintenanceWindow, 'cron' | 'timeZone'>): Cron =>
  new Cron(cron, { mode: '5-part', timezone: timeZone, paused: true });

/**
 * When the window is open next: `now` while it is. Undefined where it never opens again.
 *
 * A time that a change of clocks skips is the first one after it; one that comes twice counts once. From its beginning on the
 * window is as long as it says, by the clock that nobody changes.
 */
export function nextOpening(window: MaintenanceWindow, now: Instant): Instant | undefined {
  // Of those that began less than a length ago the last one is open the longest.
  const next = parse(window)
    .nextRun(new Date(now - window.durationSeconds * SECOND_MS))
    ?.getTime();
  return next === undefined ? undefined : Math.max(next, now);
}

/** Why a window cannot be: which field, and what is wrong with it. Undefined: it can. `at`: some instant to look on from. */
export function windowFault(
  window: Pick<MaintenanceWindow, 'cron' | 'timeZone'>,
  at: Instant,
): { readonly field: 'cron' | 'timeZone'; readonly why: string } | undefined {
  try {
    new Intl.DateTimeFormat('en', { timeZone: window.timeZone });
  } catch {
    return { field: 'timeZone', why: 'is no time zone' };
  }
  try {
    return parse(window).nextRun(new Date(at)) === null ? { field: 'cron', why: 'never comes' } : undefined;
  } catch {
    return { field: 'cron', why: 'is no cron expression' };
  }
}

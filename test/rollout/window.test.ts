import { describe, expect, it } from 'vitest';
import { nextOpening, windowFault } from '../../functions/core/rollout/window.ts';
import { HOUR_MS } from '../../functions/core/time.ts';

const at = (text: string): number => Date.parse(text);
const shown = (instant: number | undefined): string | undefined =>
  instant === undefined ? undefined : new Date(instant).toISOString();

const BERLIN = { cron: '30 2 * * *', durationSeconds: 3_600, timeZone: 'Europe/Berlin' };

describe('a maintenance window', () => {
  it.each([
    ['before it', '2026-06-01T00:29:59.000Z', '2026-06-01T00:30:00.000Z'],
    ['at its first instant', '2026-06-01T00:30:00.000Z', '2026-06-01T00:30:00.000Z'],
    ['in it', '2026-06-01T01:29:59.000Z', '2026-06-01T01:29:59.000Z'],
    ['at its end', '2026-06-01T01:30:00.000Z', '2026-06-02T00:30:00.000Z'],
  ])('is open next, seen from %s, at the right instant', (_, now, opening) => {
    expect(shown(nextOpening(BERLIN, at(now)))).toBe(opening);
  });

  it('that begins at a time which the clocks skip begins with the first one after it', () => {
    expect(shown(nextOpening(BERLIN, at('2026-03-29T00:00:00.000Z')))).toBe('2026-03-29T01:00:00.000Z');
    expect(shown(nextOpening(BERLIN, at('2026-03-29T02:00:00.000Z')))).toBe('2026-03-30T00:30:00.000Z');
  });

  it('that begins at a time which comes twice begins once', () => {
    expect(shown(nextOpening(BERLIN, at('2026-10-25T00:00:00.000Z')))).toBe('2026-10-25T00:30:00.000Z');
    expect(shown(nextOpening(BERLIN, at('2026-10-25T01:30:00.000Z')))).toBe('2026-10-26T01:30:00.000Z');
  });

  it('is as long as it says on a night with an hour more', () => {
    const long = { ...BERLIN, cron: '0 2 * * *', durationSeconds: 3 * 3_600 };
    const begins = at('2026-10-25T00:00:00.000Z');
    expect(nextOpening(long, begins + 3 * HOUR_MS - 1)).toBe(begins + 3 * HOUR_MS - 1);
    expect(nextOpening(long, begins + 3 * HOUR_MS)).toBeGreaterThan(begins + 20 * HOUR_MS);
  });

  it('that overlaps with the next one is open through both', () => {
    const hourly = { cron: '0 * * * *', durationSeconds: 2 * 3_600, timeZone: 'UTC' };
    const now = at('2026-06-01T10:59:00.000Z');
    expect(nextOpening(hourly, now)).toBe(now);
  });

  it.each([
    ['61 * * * *', 'UTC', { field: 'cron', why: 'is no cron expression' }],
    ['0 0 2 * * *', 'UTC', { field: 'cron', why: 'is no cron expression' }],
    ['0 2 30 2 *', 'UTC', { field: 'cron', why: 'never comes' }],
    ['0 2 * * *', 'Europe/Berlim', { field: 'timeZone', why: 'is no time zone' }],
    ['0 2 * * 1-5', 'America/New_York', undefined],
  ])('%s in %s: %j', (cron, timeZone, fault) => {
    expect(windowFault({ cron, timeZone }, at('2026-01-01T00:00:00.000Z'))).toEqual(fault);
  });

  it('that never comes is never open', () => {
    expect(nextOpening({ ...BERLIN, cron: '0 2 30 2 *' }, at('2026-01-01T00:00:00.000Z'))).toBeUndefined();
  });
});

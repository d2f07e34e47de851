import { DAY_MS, type Instant } from '../../../../functions/core/time.ts';
import type { RenewalInfoOverride } from '../../../../local/acme/settings.ts';
import { type AcmeCell, HEALED, waits } from '../cell.ts';
import { cell, GOOD_DAY_REQUESTS, RENEWAL } from './cell.ts';
import { type Lie, setting } from './meddle.ts';

/** A window by how often it was asked for. */
const suggesting =
  (window: (look: number, now: Instant) => RenewalInfoOverride): Lie =>
  (ca, scene) => {
    let looks = 0;
    return setting('renewalInfo', () => window(looks++, scene.now()))(ca, scene);
  };

const inDays = (from: number, to: number, now: Instant): RenewalInfoOverride => ({
  start: now + from * DAY_MS,
  end: now + to * DAY_MS,
});

const GOOD_DAY = { requests: GOOD_DAY_REQUESTS, begins: RENEWAL } as const;
const patient = (requests: number) => ({ requests, issuances: 0, begins: RENEWAL }) as const;

export const acmeWindowCells: readonly AcmeCell[] = [
  cell(
    'renewalInfo',
    'an empty window',
    HEALED,
    GOOD_DAY,
    suggesting((_look, now) => inDays(0, 0, now)),
  ),
  cell(
    'renewalInfo',
    'an inverted window',
    HEALED,
    GOOD_DAY,
    suggesting((_look, now) => inDays(2, 1, now)),
  ),
  // The CA wishes it later, and there is time: nothing has failed.
  cell(
    'renewalInfo',
    'a window that moves on at each look',
    waits(),
    patient(5),
    suggesting((look, now) => inDays(1 + look, 2 + look, now)),
  ),
  cell(
    'renewalInfo',
    'a window that moves on at each look, to the last',
    HEALED,
    { requests: GOOD_DAY_REQUESTS, begins: 'half a day before the last tenth' },
    suggesting((look, now) => ({ ...inDays(1 + look, 2 + look, now), retryAfterSeconds: 86_400 })),
  ),
  // Each certificate stays in use for an hour at least, and the daily cap counts.
  cell(
    'renewalInfo',
    'a window in the past, ever earlier',
    HEALED,
    { requests: 60, issuances: 5, begins: RENEWAL },
    suggesting((look, now) => inDays(-2 - look, -1 - look, now)),
  ),
  // RFC 9773 §4.3.2: a minute is the least.
  cell(
    'renewalInfo',
    'a window far off, and "Retry-After: 1"',
    waits(),
    patient(1_441),
    suggesting((_look, now) => ({ ...inDays(10, 20, now), retryAfterSeconds: 1 })),
  ),
];

import { renewAt } from '../../../functions/core/record.ts';
import { HOUR_MS, type Instant } from '../../../functions/core/time.ts';
import type { Beginning } from './cell.ts';
import { type CellClock, nextTick } from './clock.ts';
import type { Pipeline } from './pipeline.ts';

const HALF_A_DAY_MS = 12 * HOUR_MS;

interface Begun {
  readonly behave: () => void;
  /** Of the bad day. */
  readonly began: Instant;
  /** When a new certificate is wanted, were all well. */
  readonly wantedAt: Instant;
}

/** Brings the certificate to where the bad day begins, and makes the CA lie. */
export async function begin(
  pipeline: Pipeline,
  clock: CellClock,
  beginning: Beginning,
  lie: () => () => void,
): Promise<Begun> {
  if (beginning === 'first issuance') {
    return { behave: lie(), began: clock.now(), wantedAt: nextTick(clock.now() + 1) };
  }
  await pipeline.live(clock.now() + HOUR_MS, 'schedule', ({ generation }) => generation === 1);
  await pipeline.live(clock.now() + HOUR_MS, 'schedule');
  const record = await pipeline.record();
  const { current } = record;
  if (current === undefined) throw new Error('the honest CA did not issue');
  if (beginning === 'half a day before renewal') {
    const began = nextTick(renewAt(record, current) - HALF_A_DAY_MS);
    // Two months of an honest CA are of no interest.
    clock.to(began);
    return { behave: lie(), began, wantedAt: began + HALF_A_DAY_MS };
  }
  const behave = lie();
  const { notBefore, notAfter } = current.leaf;
  const lifetimeMs = notAfter - Math.max(notBefore, current.issuedAt);
  const began = nextTick(notAfter - lifetimeMs / 10 - HALF_A_DAY_MS);
  await pipeline.live(began, 'schedule');
  return { behave, began, wantedAt: began + HALF_A_DAY_MS };
}

import type { OrderLimit } from '../order-limit.ts';
import { parseDuration } from './duration.ts';
import { error } from './finding.ts';
import { ORDER_LIMIT } from './our-annotations.ts';
import { reading, type Reading } from './reading.ts';
import { showValue } from './show-value.ts';

/** Faster than any CA takes orders, and slower than any person wants them. */
const MOST_ORDERS = 1_000_000;
const LONGEST_SECONDS = 30 * 86_400;

/** How many orders the issuer takes, as its annotation says it: `300/3h`, or `none`. */
export function readOrderLimit(
  annotations: Readonly<Record<string, string>>,
  byDefault: OrderLimit | undefined,
): Reading<OrderLimit | undefined> {
  const written = annotations[ORDER_LIMIT]?.trim();
  if (written === undefined) return reading(byDefault, []);
  if (written === 'none') return reading(undefined, []);
  const [, count = '', duration = ''] = /^(\d{1,7})\/(.+)$/.exec(written) ?? [];
  const [orders, perSeconds] = [Number(count), parseDuration(duration) ?? 0];
  if (orders >= 1 && orders <= MOST_ORDERS && perSeconds > 0 && perSeconds <= LONGEST_SECONDS) {
    return reading({ orders, perSeconds }, []);
  }
  const path = ['metadata', 'annotations', ORDER_LIMIT];
  const remedy = 'Write a number of orders and a duration, as in `300/3h` or `25/1s`, or `none`.';
  return reading(undefined, [error('InvalidAnnotation', path, `${showValue(written)} is no limit of orders.`, remedy)]);
}

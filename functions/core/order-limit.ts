import * as z from 'zod/mini';
import { type Instant, SECOND_MS } from './time.ts';

/**
 * So many orders to one issuer at once, and from then on as many over so many seconds, evenly: the token bucket by which CAs
 * count, and refuse.
 */
export const orderLimit = z.object({
  orders: z.int().check(z.positive()),
  perSeconds: z.number().check(z.positive()),
});
export type OrderLimit = z.infer<typeof orderLimit>;

/**
 * The bucket, kept as one instant, the one at which it will be full again (the generic cell rate algorithm,
 * ITU-T I.371). An order moves it on by its share of the window, and may be placed while it is no more than a window ahead.
 */
export type FullAgainAt = Instant;

/** What one order takes, in milliseconds. */
export const shareMs = ({ orders, perSeconds }: OrderLimit): number =>
  Math.max(1, Math.ceil((perSeconds * SECOND_MS) / orders));

/** When an order may be placed that finds the bucket so. */
export function placeableAt(fullAgainAt: FullAgainAt, limit: OrderLimit): Instant {
  return fullAgainAt + shareMs(limit) - limit.perSeconds * SECOND_MS;
}

/** The share of all orders that could be placed at `now`, per cent. */
export function budgetLeft(fullAgainAt: FullAgainAt, limit: OrderLimit, now: Instant): number {
  return (100 * ordersUntil(fullAgainAt, limit, now, now)) / limit.orders;
}

/** How many orders may be placed up to `until`. */
export function ordersUntil(fullAgainAt: FullAgainAt, limit: OrderLimit, now: Instant, until: Instant): number {
  const aheadMs = Math.max(fullAgainAt, now) - until;
  return Math.max(0, Math.floor((limit.perSeconds * SECOND_MS - aheadMs) / shareMs(limit)));
}

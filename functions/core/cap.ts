import { DAY_MS, type Instant } from './time.ts';

/** Orders a certificate may place beside those its lifetime needs: room for a crash, a change and a person's request. */
const SPARE_ORDERS = 4;

/** The most orders one certificate may place in 24 hours; twice what renewing at half of the lifetime takes, and some. */
export function dailyOrderCap(durationSeconds: number): number {
  return SPARE_ORDERS + Math.ceil((4 * DAY_MS) / (durationSeconds * 1_000));
}

/** The orders of the last 24 hours, oldest first. */
export function recentOrders(orders: readonly Instant[], now: Instant): readonly Instant[] {
  return orders.filter((placedAt) => placedAt > now - DAY_MS).sort((a, b) => a - b);
}

/** When the next order may be placed: `now`, or when enough of the last day's orders are a day old. */
export function nextOrderAt(orders: readonly Instant[], durationSeconds: number, now: Instant): Instant {
  const recent = recentOrders(orders, now);
  const blocking = recent[recent.length - dailyOrderCap(durationSeconds)];
  return blocking === undefined ? now : blocking + DAY_MS;
}

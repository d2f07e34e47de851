import type { IssuerId } from './certificate.ts';
import type { DueCertificate } from './ports.ts';
import { DAY_MS, type Instant } from './time.ts';

/**
 * Who goes now: everybody who orders nothing, and of those who want to order, what expires first, as many as their issuer's
 * budget has room for (`allowance`; issuers that are not in it have no limit). The rest stay due, and are asked again.
 */
export function inTurn(
  due: readonly DueCertificate[],
  allowance: ReadonlyMap<IssuerId, number>,
  limit: number,
  now: Instant,
): readonly DueCertificate[] {
  const left = new Map(allowance);
  const chosen: DueCertificate[] = [];
  for (const each of [...due].sort((a, b) => urgency(a, now) - urgency(b, now))) {
    if (chosen.length === limit) break;
    if (each.order !== undefined) {
      const room = left.get(each.order.issuer) ?? Infinity;
      if (room === 0) continue;
      left.set(each.order.issuer, room - 1);
    }
    chosen.push(each);
  }
  return chosen;
}

/** Nobody is served yet what was never issued: it lets pass what would be an outage within a day, and nothing else. */
function urgency({ order }: DueCertificate, now: Instant): number {
  return order === undefined ? -Infinity : (order.expiresAt ?? now + DAY_MS);
}

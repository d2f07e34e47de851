import type { IssuerId } from '../core/certificate.ts';
import type { Announcement } from '../core/events.ts';
import { inParallel } from '../core/in-parallel.ts';
import { budgetLeft, type FullAgainAt, type OrderLimit, ordersUntil } from '../core/order-limit.ts';
import type { DueCertificate, EventBus, Inventory } from '../core/ports.ts';
import { type Instant, SECOND_MS } from '../core/time.ts';
import { inTurn } from '../core/turns.ts';

/** Events that are sent together: some calls' worth. */
const BATCH_SIZE = 100;

/** Namespaced issuers may be as many as services: one after the other, a tick would not get through. */
const READS_AT_ONCE = 16;

export interface Tick {
  readonly now: Instant;
  /** When the schedule looks again. */
  readonly next: Instant;
  /** Certificates looked at, by their keys alone. */
  readonly mostRead: number;
  readonly mostHints: number;
  /** Names this look in what follows from it. */
  readonly correlationId: string;
}

/** What a look found. */
export interface Found {
  readonly due: number;
  /** Of those, whose turn it was. */
  readonly told: number;
  /** How long the one that waits longest has been due. */
  readonly oldestDueSeconds: number;
  /** Of the issuers that are waited for, what the one with the least has left of its orders, per cent. */
  readonly budgetLeft?: number;
}

/** Tells of the certificates that want a look, those whose turn it is. */
export async function detect(
  inventory: Inventory,
  bus: EventBus,
  { now, next, mostRead, mostHints, correlationId }: Tick,
): Promise<Found> {
  const due: DueCertificate[] = [];
  for await (const each of inventory.due(now, mostRead)) due.push(each);
  const budgets = await budgetsOf(inventory, due, now);
  const chosen = inTurn(due, allowances(budgets, now, next), mostHints, now);
  for (let start = 0; start < chosen.length; start += BATCH_SIZE) {
    const batch = chosen.slice(start, start + BATCH_SIZE);
    await bus.publish(
      batch.map(({ certificate, rollout }): Announcement => ({
        type: rollout === true ? 'Certificate Deployment Due' : 'Certificate Renewal Due',
        detail: { schemaVersion: '1', certificate, correlationId },
      })),
    );
  }
  const oldest = due.reduce((earliest, { dueAt }) => Math.min(earliest, dueAt), now);
  const left = [...budgets.values()].map(({ fullAgainAt, limit }) => budgetLeft(fullAgainAt, limit, now));
  return {
    due: due.length,
    told: chosen.length,
    oldestDueSeconds: Math.round((now - oldest) / SECOND_MS),
    ...(left.length === 0 ? {} : { budgetLeft: Math.min(...left) }),
  };
}

interface Budget {
  readonly limit: OrderLimit;
  readonly fullAgainAt: FullAgainAt;
}

/** What issuers that are waited for have left; those that have no limit are left out. */
async function budgetsOf(
  inventory: Inventory,
  due: readonly DueCertificate[],
  now: Instant,
): Promise<ReadonlyMap<IssuerId, Budget>> {
  const issuers = new Set(due.flatMap(({ order }) => order?.issuer ?? []));
  const budgets = new Map<IssuerId, Budget>();
  await inParallel([...issuers], READS_AT_ONCE, async (id) => {
    const limit = (await inventory.readIssuer(id))?.value.spec.orderLimit;
    if (limit !== undefined) budgets.set(id, { limit, fullAgainAt: (await inventory.readBudget(id)) ?? now });
  });
  return budgets;
}

/** How many orders each issuer takes until the next look. */
const allowances = (
  budgets: ReadonlyMap<IssuerId, Budget>,
  now: Instant,
  next: Instant,
): ReadonlyMap<IssuerId, number> =>
  new Map([...budgets].map(([id, { limit, fullAgainAt }]) => [id, ordersUntil(fullAgainAt, limit, now, next)]));

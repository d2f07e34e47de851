import type { Instant } from './time.ts';

/** One worker's time on one record. */
export interface Shift {
  /** Who works: the invocation's id. */
  readonly owner: string;
  /** When the lease runs out: after the function itself would be stopped. */
  readonly leaseMs: number;
  /** No new step is begun after this instant. */
  readonly deadline: Instant;
}

/** Longest delay a queue message can carry (SQS: 15 minutes). Longer waits are left to the schedule. */
export const LONGEST_HINT_SECONDS = 900;

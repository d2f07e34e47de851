import { setTimeout as pause } from 'node:timers/promises';
import { failureName } from '../aws/failures.ts';

const NOT_FOUND = 'ResourceNotFoundException';

/** Longer than a write takes to be seen, by far; short beside a function's time. */
const PAUSES_MS = [100, 400, 1_500] as const;

/**
 * Repeats a call for what should be there: Secrets Manager may not find for a moment what it has just stored. Its last word is
 * passed on.
 */
export async function onceVisible<T>(call: () => Promise<T>): Promise<T> {
  for (const pauseMs of PAUSES_MS) {
    try {
      return await call();
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    await pause(pauseMs);
  }
  return call();
}

export const isNotFound = (error: unknown): boolean => failureName(error) === NOT_FOUND;

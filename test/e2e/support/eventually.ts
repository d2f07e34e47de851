import { setTimeout as wait } from 'node:timers/promises';

const PAUSE_MS = 250;
const PATIENCE_MS = 150_000;

/**
 * Looks until there is something to see: the emulator tells nobody when a queue is empty or a function is done. The bound
 * only ends a test that would never pass; nothing is concluded from how long it took.
 */
export async function eventually<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (Date.now() > deadline) throw new Error(`waited ${PATIENCE_MS / 1_000} s in vain until ${what}`);
    await wait(PAUSE_MS);
  }
}

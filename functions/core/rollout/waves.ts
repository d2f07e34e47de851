import type { Policy, Portion } from './hook-spec.ts';

/** How many targets each wave has: the canaries first, then waves of one size until none is left. */
export function planWaves({ canary, size }: Policy['waves'], targets: number): number[] {
  const waves: number[] = [];
  let left = targets;
  for (let next = sizeOf(canary, targets); left > 0; next = size === undefined ? left : sizeOf(size, targets)) {
    waves.push(Math.min(next, left));
    left -= next;
  }
  return waves;
}

/** At least one, or no wave would ever end it. */
const sizeOf = (portion: Portion, of: number): number =>
  Math.max(1, 'count' in portion ? portion.count : Math.ceil((of * portion.share) / 100));

/** The targets of one wave, as the range of their places. */
export function waveRange(waves: readonly number[], wave: number): { readonly from: number; readonly to: number } {
  const from = waves.slice(0, wave).reduce((sum, size) => sum + size, 0);
  return { from, to: from + (waves[wave] ?? 0) };
}

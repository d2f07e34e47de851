import type { RenewalWindow } from './ports.ts';
import type { CurrentVersion } from './record.ts';
import type { Instant } from './time.ts';

/**
 * What is remembered of a CA's wish (RFC 9773 §4.2). One instant is drawn, evenly, when a window is first seen, and stays until
 * the window changes: another draw at each look would crowd renewals into its beginning. A window that ends before it begins is
 * no wish. Without an answer the last one stands.
 */
export function drawRenewalInfo(
  { renewalInfo: known }: CurrentVersion,
  learned: { readonly window?: RenewalWindow | undefined; readonly random: number; readonly checkAt: Instant },
): NonNullable<CurrentVersion['renewalInfo']> {
  const { window, random, checkAt } = learned;
  if (window === undefined || window.end <= window.start) return { ...known, checkAt };
  const { start, end } = window;
  if (known?.window?.start === start && known.window.end === end) return { ...known, checkAt };
  return { checkAt, window: { start, end }, renewAt: Math.floor(start + random * (end - start)) };
}

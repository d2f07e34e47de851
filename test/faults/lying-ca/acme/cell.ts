import type { AcmeCell, Outcome } from '../cell.ts';
import type { Lie } from './meddle.ts';

/** A day that ends with a certificate: ten requests for it, those again where something failed once, and four for its ARI. */
export const GOOD_DAY_REQUESTS = 24;

export const RENEWAL = 'half a day before renewal';

/** What is to be said of a cell beside its outcome. `issuances`: one, if absent. */
interface Bounds {
  readonly requests: number;
  readonly issuances?: number;
  /** A first issuance, if absent. */
  readonly begins?: AcmeCell['begins'];
}

/** One of the lies that only one step can tell. */
export const cell = (
  step: string,
  fault: string,
  expected: Outcome,
  { requests, issuances = 1, begins = 'first issuance' }: Bounds,
  lie: Lie,
): AcmeCell => ({ protocol: 'ACME', step, fault, lasts: 'always', begins, expected, requests, issuances, lie });

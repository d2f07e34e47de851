import { type Instant, MINUTE_MS } from '../../../functions/core/time.ts';
import { NOON } from '../../support/builders.ts';

/** A clock that a cell moves, shared with its CA. */
export class CellClock {
  #now: Instant = NOON;
  /** Told whenever it has moved. */
  follow: (now: Instant) => void = () => {};
  readonly now = (): Instant => this.#now;
  readonly to = (instant: Instant): void => {
    this.#now = Math.max(this.#now, instant);
    this.follow(this.#now);
  };
}

/** The schedule's next minute. */
export const nextTick = (instant: Instant): Instant => Math.ceil(instant / MINUTE_MS) * MINUTE_MS;

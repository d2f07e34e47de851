import type { VirtualClock } from './clock.ts';

/** Something AWS would have put on a dashboard: a delivery that a policy refused, an event that found no way. */
export interface Problem {
  readonly at: number;
  readonly source: string;
  readonly message: string;
}

/** What every part of the twin knows about where it runs. */
export interface Account {
  readonly accountId: string;
  readonly region: string;
  readonly stackName: string;
  /** The one address that all AWS calls go to. */
  readonly endpoint: string;
  readonly clock: VirtualClock;
  readonly activity: Activity;
  report(source: string, message: string): void;
}

export function arnOf(account: Account, service: string, resource: string): string {
  return `arn:aws:${service}:${account.region}:${account.accountId}:${resource}`;
}

/** Counts what is under way, so that "nothing more will happen by itself" is a fact and not a guess about time. */
export class Activity {
  readonly #failures: unknown[] = [];
  #running = 0;
  #waiters: (() => void)[] = [];

  async track<T>(work: () => Promise<T>): Promise<T> {
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
      if (this.#running === 0) for (const wake of this.#waiters.splice(0)) wake();
    }
  }

  /** Work that nobody awaits. It is not expected to fail; if it does, `settled` rejects. */
  background(work: () => Promise<void>): void {
    this.track(work).catch((error: unknown) => this.#failures.push(error));
  }

  async settled(): Promise<void> {
    while (this.#running > 0) await new Promise<void>((resolve) => this.#waiters.push(resolve));
    if (this.#failures.length > 0) throw new AggregateError(this.#failures.splice(0), 'the twin failed in background');
  }
}

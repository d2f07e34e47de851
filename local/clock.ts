/** setTimeout's own limit: a longer delay would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

interface Alarm {
  readonly instant: number;
  readonly ring: () => void;
}

/**
 * Time in the twin: it runs at wall speed, jumps ahead when told, and never passes wall time, because OpenSSL judges every
 * certificate by the wall clock and what is handshaken must be valid by both.
 */
export class VirtualClock {
  /** Milliseconds behind the wall, in memory shared with every worker, so that a jump is seen at once. */
  readonly lag = new BigInt64Array(new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT));
  readonly #alarms = new Set<Alarm>();
  #timer: NodeJS.Timeout | undefined;
  #armedFor = Infinity;

  constructor(startAt = Date.now()) {
    const lag = Date.now() - startAt;
    if (lag < 0) throw new RangeError(`the twin's clock cannot start ${-lag} ms after wall time`);
    Atomics.store(this.lag, 0, BigInt(Math.floor(lag)));
  }

  now(): number {
    return Date.now() - Number(Atomics.load(this.lag, 0));
  }

  /** Moves time ahead and rings what became due, the earliest first. */
  advance(ms: number): void {
    const lag = Number(Atomics.load(this.lag, 0));
    if (!Number.isInteger(ms) || ms < 0) throw new RangeError(`the clock advances by whole milliseconds, not by ${ms}`);
    if (ms > lag) {
      throw new RangeError(
        `advancing ${ms} ms would pass wall time, which is ${lag} ms ahead: start the twin earlier (startAt)`,
      );
    }
    Atomics.store(this.lag, 0, BigInt(lag - ms));
    this.#ringDue();
  }

  /** Lets time pass: at once, as far as wall time allows, and for the rest as everybody else does. */
  async pass(ms: number): Promise<void> {
    const end = this.now() + ms;
    this.advance(Math.min(ms, Number(Atomics.load(this.lag, 0))));
    if (this.now() < end) await new Promise<void>((resolve) => this.at(end, resolve));
  }

  /** Calls `ring` once, when this clock reaches `instant`; the answer cancels it. Never keeps the process alive. */
  at(instant: number, ring: () => void): () => void {
    const alarm: Alarm = { instant, ring };
    this.#alarms.add(alarm);
    if (instant < this.#armedFor) this.#arm(instant);
    return () => {
      this.#alarms.delete(alarm);
    };
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#alarms.clear();
  }

  #arm(instant: number): void {
    clearTimeout(this.#timer);
    this.#armedFor = instant;
    if (instant === Infinity) return;
    const delay = Math.min(Math.max(instant - this.now(), 0), LONGEST_TIMER_MS);
    this.#timer = setTimeout(() => this.#ringDue(), delay).unref();
  }

  #ringDue(): void {
    const now = this.now();
    const due = [...this.#alarms].filter((alarm) => alarm.instant <= now).sort((a, b) => a.instant - b.instant);
    for (const alarm of due) {
      // One that rang earlier in this loop may have cancelled it.
      if (this.#alarms.delete(alarm)) alarm.ring();
    }
    let next = Infinity;
    for (const alarm of this.#alarms) next = Math.min(next, alarm.instant);
    this.#arm(next);
  }
}

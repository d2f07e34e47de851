/** The limit that the adapter sets on a call, run out when the CA says so: a CA that hangs costs no time. */
export class TimeLimit {
  readonly #running = new Set<AbortController>();

  readonly start = (): AbortSignal => {
    const controller = new AbortController();
    this.#running.add(controller);
    return controller.signal;
  };

  readonly runOut = (): void => {
    const reason = new DOMException('The operation was aborted due to timeout', 'TimeoutError');
    for (const controller of this.#running) controller.abort(reason);
    this.#running.clear();
  };
}

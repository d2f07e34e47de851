import { Worker } from 'node:worker_threads';
import type { LoadTarget, Tally } from './handshakes.ts';

/** Clients of each target that connect side by side. */
const AT_A_TIME = 2;

export interface LoadSettings {
  readonly targets: readonly LoadTarget[];
  readonly atATime: number;
}

/** What the clients are told. */
export interface Order {
  readonly id: number;
  readonly what: 'lap' | 'stop';
}

/** And what they answer. */
export interface Report {
  readonly id: number;
  readonly tally: Tally;
}

/** Handshakes as fast as the machine allows, from its construction on. Close it. */
export class Load {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve: (tally: Tally) => void; reject: (error: unknown) => void }>();
  #orders = 0;
  #broken: unknown;

  constructor(targets: readonly LoadTarget[]) {
    const workerData: LoadSettings = { targets, atATime: AT_A_TIME };
    this.#worker = new Worker(new URL('worker.ts', import.meta.url), { workerData });
    this.#worker.on('message', ({ id, tally }: Report) => {
      this.#waiting.get(id)?.resolve(tally);
      this.#waiting.delete(id);
    });
    this.#worker.on('error', (error) => this.#end(error));
    this.#worker.on('exit', () => this.#end(new Error('the clients have ended')));
  }

  /** Resolves once every target has answered a client that came after this was called. */
  lap(): Promise<Tally> {
    return this.#tell('lap');
  }

  /** What is under way is finished. */
  stop(): Promise<Tally> {
    return this.#tell('stop');
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #end(why: unknown): void {
    this.#broken ??= why;
    for (const { reject } of this.#waiting.values()) reject(this.#broken);
    this.#waiting.clear();
  }

  #tell(what: Order['what']): Promise<Tally> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    const id = ++this.#orders;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, what } satisfies Order, []);
    });
  }
}

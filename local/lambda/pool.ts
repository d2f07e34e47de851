import { randomUUID } from 'node:crypto';
import { type FunctionSettings, type Outcome, Sandbox, type SandboxHost } from './sandbox.ts';

/** The workers of one version of one function: warm ones are used again, further ones wait when all are busy. */
export class SandboxPool {
  readonly settings: FunctionSettings;
  readonly #host: SandboxHost;
  readonly #idle: Sandbox[] = [];
  readonly #busy = new Set<Sandbox>();
  readonly #waiting: (() => void)[] = [];
  #retired = false;
  #closed = false;

  constructor(settings: FunctionSettings, host: SandboxHost) {
    this.settings = settings;
    this.#host = host;
  }

  async invoke(event: unknown): Promise<Outcome & { readonly requestId: string }> {
    while (this.#busy.size >= this.settings.concurrency) await new Promise<void>((free) => this.#waiting.push(free));
    const requestId = randomUUID();
    if (this.#closed) {
      return { ok: false, failure: { errorType: 'Twin.Closed', errorMessage: 'the twin was closed' }, requestId };
    }
    const sandbox = this.#idle.findLast(({ alive }) => alive) ?? new Sandbox(this.settings, this.#host);
    this.#idle.splice(0, this.#idle.length, ...this.#idle.filter((idle) => idle.alive && idle !== sandbox));
    this.#busy.add(sandbox);
    try {
      const outcome = await sandbox.run(requestId, JSON.stringify(event));
      this.#host.ended(this.settings, outcome);
      return { ...outcome, requestId };
    } finally {
      this.#busy.delete(sandbox);
      if (sandbox.alive && !this.#retired) this.#idle.push(sandbox);
      else await sandbox.close('retired');
      this.#waiting.shift()?.();
    }
  }

  /** Ends the idle workers: the next invocation is a cold one. */
  async cool(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map((sandbox) => sandbox.close('retired')));
  }

  /** No new work: idle workers end now, busy ones after their invocation. */
  async retire(): Promise<void> {
    this.#retired = true;
    await this.cool();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.retire();
    await Promise.all([...this.#busy].map((sandbox) => sandbox.close('the twin was closed')));
  }
}

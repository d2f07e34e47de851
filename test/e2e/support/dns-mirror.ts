import { setTimeout as wait } from 'node:timers/promises';
import type { ChallengeDns } from '../../peers/servers/challenge-dns.ts';
import type { TxtRecord } from './account.ts';

/** Less than whoever writes a record waits between two looks at its change, the first of which says PENDING. */
const PAUSE_MS = 250;

/** Shows the CA what zones hold: the emulator's Route 53 has no name servers. Whoever starts it stops it. */
export class DnsMirror {
  readonly #records: () => Promise<readonly TxtRecord[]>;
  readonly #dns: ChallengeDns;
  readonly #shown = new Map<string, Set<string>>();
  readonly #stopping = new AbortController();
  readonly #failure: Promise<unknown>;

  constructor(records: () => Promise<readonly TxtRecord[]>, dns: ChallengeDns) {
    this.#records = records;
    this.#dns = dns;
    this.#failure = this.#follow().then(
      () => undefined,
      (error: unknown) => error,
    );
  }

  /** Throws what has ended it before. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const failure = await this.#failure;
    if (failure !== undefined) throw failure;
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#show(await this.#records());
      // Aborted is awake.
      await wait(PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #show(records: readonly TxtRecord[]): Promise<void> {
    for (const { name, value } of records) {
      const values = this.#shown.get(name) ?? new Set();
      this.#shown.set(name, values);
      if (values.has(value)) continue;
      await this.#dns.setTxt(name, value);
      values.add(value);
    }
    // One value of several stays for as long as the others: the server takes all of a name away, or none.
    const names = new Set(records.map(({ name }) => name));
    for (const name of [...this.#shown.keys()].filter((shown) => !names.has(shown))) {
      await this.#dns.clearTxt(name);
      this.#shown.delete(name);
    }
  }
}

import { randomBytes } from 'node:crypto';
import type { AcmeSettings } from './settings.ts';

/** More than any client keeps; the oldest go first. */
const MOST_NONCES = 65_536;

/** RFC 8555, section 6.5: each is good for one request. */
export class Nonces {
  readonly #unused = new Set<string>();
  readonly #settings: AcmeSettings;

  constructor(settings: AcmeSettings) {
    this.#settings = settings;
  }

  issue(): string {
    const nonce = randomBytes(16).toString('base64url');
    this.#unused.add(nonce);
    for (const oldest of this.#unused) {
      if (this.#unused.size <= MOST_NONCES) break;
      this.#unused.delete(oldest);
    }
    return nonce;
  }

  /** Whether it was good; it is not any more. */
  use(nonce: string): boolean {
    const isGood = this.#unused.delete(nonce);
    return isGood && this.#settings.random() >= this.#settings.rejectsNonces;
  }
}

import { randomBytes } from 'node:crypto';
import type { Caller } from '../iam/roles.ts';

/** Whoever holds a pair of keys that the twin gave out. */
export interface Principal {
  /** A function's logical id, or `operator`. */
  readonly name: string;
  /** Absent for the operator, who may do everything. */
  readonly caller?: Caller;
  /** The invocation that is running under these keys now. */
  readonly invocationId?: () => string | undefined;
  readonly kill?: () => Promise<void>;
  /** Absent for keys that last as long as the twin, or the worker. */
  readonly expiresAt?: number;
}

export interface KeyPair {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Every key is of the twin's own making; each worker has its own, so a call is known down to its invocation. */
export class Credentials {
  readonly #principals = new Map<string, Principal>();

  issue(principal: Principal): KeyPair {
    const accessKeyId = `ASIA${randomBytes(8).toString('hex').toUpperCase()}`;
    this.#principals.set(accessKeyId, principal);
    return { accessKeyId, secretAccessKey: randomBytes(30).toString('base64') };
  }

  revoke(accessKeyId: string): void {
    this.#principals.delete(accessKeyId);
  }

  find(accessKeyId: string): Principal | undefined {
    return this.#principals.get(accessKeyId);
  }
}

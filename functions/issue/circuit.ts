import { admission, afterFailure, afterSuccess, type CircuitBreaker } from '../core/breaker.ts';
import type { IssuerId } from '../core/certificate.ts';
import { ConflictError, PermanentError } from '../core/errors.ts';
import type { Inventory, IssuerRecord, Versioned } from '../core/ports.ts';
import type { Instant } from '../core/time.ts';

/** Calls one issuer's CA, unless its circuit is open, and remembers how it went. */
export class Circuit {
  readonly #inventory: Inventory;
  readonly #clock: () => Instant;
  readonly issuer: Versioned<IssuerRecord>;

  private constructor(inventory: Inventory, clock: () => Instant, issuer: Versioned<IssuerRecord>) {
    this.#inventory = inventory;
    this.#clock = clock;
    this.issuer = issuer;
  }

  static async open(inventory: Inventory, clock: () => Instant, id: IssuerId): Promise<Circuit> {
    const issuer = await inventory.readIssuer(id);
    if (issuer !== undefined) return new Circuit(inventory, clock, issuer);
    throw new PermanentError(
      'UnknownIssuer',
      `issuer ${id} is not in the inventory; deploy the manifest that declares it`,
    );
  }

  /** Undefined: go ahead. Otherwise the instant before which the CA is left alone. */
  async closedUntil(): Promise<Instant | undefined> {
    const { value, revision } = this.issuer;
    const answer = admission(value.breaker, this.#clock());
    if (answer.admit === 'yes') return undefined;
    if (answer.admit === 'no') return answer.until;
    const won = await this.#store({ ...value, breaker: answer.breaker }, revision);
    return won ? undefined : answer.breaker.openUntil;
  }

  /** Costs nothing while all is well. */
  async succeeded(): Promise<void> {
    const { breaker } = this.issuer.value;
    if (afterSuccess(breaker) !== breaker) await this.#report(afterSuccess);
  }

  failed(): Promise<void> {
    return this.#report((breaker) => afterFailure(breaker, this.#clock()));
  }

  /** One try: when another worker reports at the same time, its word is as good as ours. */
  async #report(change: (breaker: CircuitBreaker) => CircuitBreaker): Promise<void> {
    const latest = await this.#inventory.readIssuer(this.issuer.value.id);
    if (latest === undefined) return;
    const breaker = change(latest.value.breaker);
    if (breaker !== latest.value.breaker) await this.#store({ ...latest.value, breaker }, latest.revision);
  }

  async #store(record: IssuerRecord, revision: number): Promise<boolean> {
    try {
      await this.#inventory.writeIssuer(record, revision);
      return true;
    } catch (error) {
      if (error instanceof ConflictError) return false;
      throw error;
    }
  }
}

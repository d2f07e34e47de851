import { admission, afterFailure, afterSuccess, type CircuitBreaker } from '../core/breaker.ts';
import type { IssuerId } from '../core/certificate.ts';
import { ConflictError, describeFailure, EverleafError, PermanentError, TransientError } from '../core/errors.ts';
import type { IssuerRecord, Versioned } from '../core/ports.ts';
import type { Instant } from '../core/time.ts';
import type { RenewalParts } from './parts.ts';

type Parts = Pick<RenewalParts, 'inventory' | 'clock' | 'log' | 'meter'>;

/** The way to one issuer's CA: closed while the circuit is open. Remembers how calls went. */
export class Circuit {
  readonly #parts: Parts;
  readonly #stored: Versioned<IssuerRecord>;

  private constructor(parts: Parts, stored: Versioned<IssuerRecord>) {
    this.#parts = parts;
    this.#stored = stored;
  }

  static async open(parts: Parts, id: IssuerId): Promise<Circuit> {
    const stored = await parts.inventory.readIssuer(id);
    if (stored !== undefined) return new Circuit(parts, stored);
    throw new PermanentError(
      'UnknownIssuer',
      `issuer ${id} is not in the inventory; deploy the manifest that declares it`,
    );
  }

  get issuer(): IssuerRecord {
    return this.#stored.value;
  }

  /** Undefined: go ahead. Otherwise the instant before which the CA is left alone. */
  async openUntil(): Promise<Instant | undefined> {
    const { value, revision } = this.#stored;
    const answer = admission(value.breaker, this.#parts.clock());
    if (answer.admit === 'yes') return undefined;
    if (answer.admit === 'no') return answer.until;
    const won = await this.#store({ ...value, breaker: answer.breaker }, revision);
    return won ? undefined : answer.breaker.openUntil;
  }

  /**
   * Makes one call and reports how it went, after `receipt` was taken. A refusal is an answer: the CA works. Only what the CA
   * itself failed at counts against it. Costs nothing while all is well.
   */
  async watch<T>(call: () => Promise<T>, receipt: (answer: T) => Promise<void>): Promise<T> {
    const { clock, meter } = this.#parts;
    const askedAt = clock();
    let answer: T;
    try {
      answer = await call().finally(() => meter.record('CaResponseTime', Math.max(0, clock() - askedAt)));
    } catch (error) {
      if (error instanceof TransientError && !error.blamesCa) throw error;
      const answered = error instanceof EverleafError && !(error instanceof TransientError && !error.endsAttempt);
      await this.#report(answered ? afterSuccess : (breaker) => afterFailure(breaker, this.#parts.clock()));
      throw error;
    }
    await receipt(answer);
    if (afterSuccess(this.issuer.breaker) !== this.issuer.breaker) await this.#report(afterSuccess);
    return answer;
  }

  /** One try, and never in the way of the renewal: when another worker reports at the same time, its word is as good. */
  async #report(change: (breaker: CircuitBreaker) => CircuitBreaker): Promise<void> {
    const { inventory, log } = this.#parts;
    try {
      const latest = await inventory.readIssuer(this.issuer.id);
      if (latest === undefined) return;
      const breaker = change(latest.value.breaker);
      if (breaker !== latest.value.breaker) await this.#store({ ...latest.value, breaker }, latest.revision);
    } catch (error) {
      log('the circuit breaker could not be told', { issuer: this.issuer.id, failure: describeFailure(error) });
    }
  }

  async #store(record: IssuerRecord, revision: number): Promise<boolean> {
    try {
      await this.#parts.inventory.writeIssuer(record, revision);
      return true;
    } catch (error) {
      if (error instanceof ConflictError) return false;
      throw error;
    }
  }
}

import assert from 'node:assert/strict';
import { describeFailure, EverleafError, type FailureFacts } from '../../functions/core/errors.ts';
import { assertNoKey } from './planted-keys.ts';

/** What `describeFailure` keeps, and the ellipsis. */
const LONGEST_MESSAGE_CHARACTERS = 1_001;

export type Outcome<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: EverleafError };

/** What came of `work`: its answer, or an error of ours that may be stored, logged and announced. */
export async function outcomeOf<T>(work: () => T | Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    assertOurs(error);
    return { ok: false, error };
  }
}

function assertOurs(error: unknown): asserts error is EverleafError {
  if (!(error instanceof EverleafError)) throw new Error('no error of ours', { cause: error });
  const { message } = assertFit(describeFailure(error));
  assertNoKey(message);
  // Loggers print an error's own message, too.
  assertNoKey(error.message);
}

/** A failure that the ledger and the bus take. */
export function assertFit(facts: FailureFacts): FailureFacts {
  const { message, code } = facts;
  assert.ok(message.length <= LONGEST_MESSAGE_CHARACTERS, `a message of ${message.length} characters`);
  assert.ok(message.isWellFormed(), `half a character in ${JSON.stringify(message)}`);
  assert.match(code, /^[A-Z][A-Za-z0-9]{2,50}$/);
  return facts;
}

/** A refusal by one of `codes`; anything else is broken. */
export function assertRefused({ error }: { readonly error: EverleafError }, ...codes: readonly string[]): void {
  assert.equal(error.class, 'permanent');
  assert.ok(codes.includes(error.code), `refused with ${error.code}: ${error.message}`);
}

const PROTOTYPES = [Object.prototype, Array.prototype, Function.prototype, String.prototype, Promise.prototype];
const membersOf = (): string => PROTOTYPES.map((each) => Reflect.ownKeys(each).map(String).join()).join('\n');
const PRISTINE = membersOf();

/** No input writes onto what all objects share. */
export function assertPrototypesPristine(): void {
  assert.equal(membersOf(), PRISTINE);
}

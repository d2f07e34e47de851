import { inspect } from 'node:util';

/**
 * What can go wrong, in three kinds. The kind decides what happens next; the code says which fault it is and is stable:
 * alarms, runbook and tests refer to it.
 */
export abstract class EverleafError extends Error {
  abstract readonly class: FailureClass;
  readonly code: string;

  constructor(code: string, message: string, options?: { readonly cause?: unknown }) {
    super(redactPrivateKeys(message), options);
    this.code = code;
    this.name = new.target.name;
  }
}

export type FailureClass = 'transient' | 'permanent' | 'conflict' | 'unknown';

/** Repeating may succeed: network, 5xx, throttling. Retried with backoff. */
export class TransientError extends EverleafError {
  readonly class = 'transient';
  /** The earliest second at which the other side wants to be asked again (Retry-After). */
  readonly retryAfterSeconds: number | undefined;
  /** True when the order itself is dead: the next try must place a new one. */
  readonly endsAttempt: boolean;
  /** True when no answer came: the other side may have done what was asked all the same. */
  readonly mayHaveActed: boolean;
  /** False when something beside the CA failed in a call to it: DNS, a secret. No reason to leave the CA alone. */
  readonly blamesCa: boolean;

  constructor(
    code: string,
    message: string,
    options?: {
      readonly cause?: unknown;
      readonly retryAfterSeconds?: number | undefined;
      readonly endsAttempt?: boolean;
      readonly mayHaveActed?: boolean;
      readonly blamesCa?: boolean;
    },
  ) {
    super(code, message, options);
    this.retryAfterSeconds = options?.retryAfterSeconds;
    this.endsAttempt = options?.endsAttempt ?? false;
    this.mayHaveActed = options?.mayHaveActed ?? false;
    this.blamesCa = options?.blamesCa ?? true;
  }
}

/** Work beside the CA, in a call to it: what fails there is not the CA's fault. */
export async function sparingCa<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof TransientError)) throw error;
    const { code, message, cause, retryAfterSeconds, endsAttempt, mayHaveActed } = error;
    throw new TransientError(code, message, { cause, retryAfterSeconds, endsAttempt, mayHaveActed, blamesCa: false });
  }
}

/** A person or a manifest must change. Parked as blocked; looked at again daily, at deploys of the manifest, and on request. */
export class PermanentError extends EverleafError {
  readonly class = 'permanent';
}

/** Code of what the other side does not permit. IAM takes a while to believe a changed policy: not final at first sight. */
export const ACCESS_DENIED = 'AccessDenied';

/** Another writer won. Look again; nobody needs to know. */
export class ConflictError extends EverleafError {
  readonly class = 'conflict';
}

/** A failure as it may be stored, logged and announced: no stack, no payload, no key material. */
export interface FailureFacts {
  readonly class: FailureClass;
  readonly code: string;
  readonly message: string;
  readonly retryAfterSeconds?: number;
  readonly endsAttempt?: boolean;
  readonly mayHaveActed?: boolean;
}

/** What the gate says no with. Then, and only then, a permanent failure comes with a certificate that was issued. */
export const GATE_REFUSED = 'GateRefused';

/** Longest message kept: enough for a CA's explanation, too short for a page of HTML. */
const MESSAGE_LIMIT_CHARACTERS = 1_000;

export function describeFailure(error: unknown): FailureFacts {
  if (error instanceof EverleafError) {
    return {
      class: error.class,
      code: error.code,
      message: clip(error.message),
      ...(error instanceof TransientError ? transientFacts(error) : {}),
    };
  }
  const thrown = typeof error === 'string' ? error : inspect(error, { depth: 0 });
  const message = error instanceof Error ? `${error.name}: ${error.message}` : thrown;
  return { class: 'unknown', code: 'Unexpected', mayHaveActed: true, message: clip(redactPrivateKeys(message)) };
}

function transientFacts(error: TransientError): Partial<FailureFacts> {
  return {
    ...(error.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: error.retryAfterSeconds }),
    ...(error.endsAttempt ? { endsAttempt: true } : {}),
    ...(error.mayHaveActed ? { mayHaveActed: true } : {}),
  };
}

/** On one line and without control characters, which a terminal would obey. Well-formed: half of a surrogate pair, cut off here or sent by somebody, is no text for DynamoDB, and the failure stays untold. */
function clip(message: string): string {
  const clean = message.replaceAll(/\p{Cc}+/gu, ' ');
  const kept = clean.length <= MESSAGE_LIMIT_CHARACTERS ? clean : `${clean.slice(0, MESSAGE_LIMIT_CHARACTERS - 1)}…`;
  return kept.toWellFormed();
}

const PRIVATE_KEY_PEM =
  /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----[\s\S]*?(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY-----|$)/g;

/**
 * PKCS#8 in base64 without PEM's lines around it, as `key.der` of a bundle has it: a sequence, with its length in one, two or
 * three bytes, of the version and an algorithm (RFC 5958 §2).
 */
const PRIVATE_KEY_BASE64 =
  /(?:M[A-H].CAQ[AE]w|MI[GH].AgE[AB]M|MII..[AQgw]IBA[DT])(?:[\w+/-]|(?:\\[nr]|[\n\r])+(?=[\w+/-]))*={0,2}/g;

/**
 * PEM in base64, as a Kubernetes Secret has it: "PRIVATE KEY" at each of the three places that it may have in a group of three
 * bytes, and all that follows.
 */
const PRIVATE_KEY_ENCODED_PEM = /(?:UFJJVkFURSBLRV|BSSVZBVEUgS0VZ|QUklWQVRFIEtFW)[\w+/-]*={0,2}/g;

const REMOVED = '[private key removed]';

/** What is left of a key whose beginning was cut off. */
const PRIVATE_KEY_TAIL = /^[A-Za-z0-9+/=\s\\]*-----END (?:[A-Z0-9]+ )*PRIVATE KEY-----/;

/** The last line of defence: a message that quotes somebody's payload must not carry a private key along. */
export function redactPrivateKeys(text: string): string {
  return text
    .replace(PRIVATE_KEY_PEM, REMOVED)
    .replace(PRIVATE_KEY_TAIL, REMOVED)
    .replace(PRIVATE_KEY_BASE64, REMOVED)
    .replace(PRIVATE_KEY_ENCODED_PEM, REMOVED);
}

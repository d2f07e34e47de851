import * as z from 'zod/mini';
import { PermanentError, TransientError } from '../../core/errors.ts';
import type { Ticket } from '../../core/ports.ts';

const strings = z.record(z.string(), z.string());

/** Control over one name, as it is being proved. */
const challenge = z.object({
  authorization: z.string(),
  url: z.string(),
  identifier: z.string(),
  /** Index of the solver among the issuer's. */
  solver: z.int(),
  placement: strings,
});
export type Challenge = z.infer<typeof challenge>;

/**
 *   authorizing ──▶ presenting ──▶ propagating ──▶ accepting ──▶ validating ──▶ finalizing ──▶ processing
 *    which names     responses      the CA could    the CA is     it looks       the CSR is     the CA
 *    want proof      are made       see them soon   to be told                   to be sent     signs
 *
 * With every authorization valid, or none wanted, it begins at `finalizing`. Each state says what is to be done next.
 */
const PHASES = [
  'authorizing',
  'presenting',
  'propagating',
  'accepting',
  'validating',
  'finalizing',
  'processing',
] as const;

const state = z.object({
  order: z.string(),
  /** The account's URL: nobody else may ask for the order. */
  account: z.string(),
  finalize: z.string(),
  phase: z.enum(PHASES),
  authorizations: z.array(z.string()),
  challenges: z.array(challenge),
  /** How many of these (authorizations while authorizing, challenges while accepting) this phase is through with. */
  through: z.int(),
  /** Responses on their way, by the solver's index. */
  waits: z.array(z.object({ solver: z.int(), ticket: strings })),
  /** Looks so far that found nothing new. */
  looks: z.int(),
  /** The CA has taken a request of ours for this order, and not somebody else's. */
  finalized: z.boolean(),
});

/** What is known of an order at the CA. URLs and digests; nothing secret. */
export type OrderState = z.infer<typeof state>;

/** Longest note of an order: a hundred names have some 60,000, and a record of the ledger no more than 400 KB. */
const MOST_CHARACTERS = 100_000;

/** Throws TransientError `CaAnswerUnreadable` for an order that no note can hold. */
export function encodeTicket({ order, phase, ...rest }: OrderState): Ticket {
  const text = JSON.stringify(rest);
  if (text.length + order.length <= MOST_CHARACTERS) return { order, phase, state: text };
  throw new TransientError(
    'CaAnswerUnreadable',
    `the CA's order takes ${text.length + order.length} characters to note, and ${MOST_CHARACTERS} are kept`,
    { endsAttempt: true },
  );
}

/** Throws PermanentError `UnreadableTicket` on one that another version wrote. */
export function decodeTicket({ order, phase, state: rest }: Ticket): OrderState {
  const parsed = z.safeParse(state, { ...parseObject(rest), order, phase });
  if (parsed.success) return parsed.data;
  throw new PermanentError('UnreadableTicket', `the ledger's note on order ${order} is not one of this version`);
}

function parseObject(text: string | undefined): object {
  try {
    return JSON.parse(text ?? '') as object;
  } catch {
    // The schema says what is missing.
    return {};
  }
}

import * as z from 'zod/mini';
import { PermanentError } from '../../core/errors.ts';
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
 *   authorizing ──▶ presenting ──▶ propagating ──▶ validating ──▶ finalizing ──▶ processing
 *    which names     responses      the CA could    the CA has     the CSR is     the CA
 *    want proof      are made       see them soon   been told      to be sent     signs
 *
 * With every authorization valid, or none wanted, it begins at `finalizing`. Each state says what is to be done next.
 */
const PHASES = ['authorizing', 'presenting', 'propagating', 'validating', 'finalizing', 'processing'] as const;

const state = z.object({
  order: z.string(),
  finalize: z.string(),
  phase: z.enum(PHASES),
  authorizations: z.array(z.string()),
  challenges: z.array(challenge),
  /** Responses on their way, by the solver's index. */
  waits: z.array(z.object({ solver: z.int(), ticket: strings })),
  /** Looks so far that found nothing new. */
  looks: z.int(),
  /** The CA has taken a request of ours for this order, and not somebody else's. */
  finalized: z.boolean(),
});

/** What is known of an order at the CA. URLs and digests; nothing secret. */
export type OrderState = z.infer<typeof state>;

export function encodeTicket({ order, phase, ...rest }: OrderState): Ticket {
  return { order, phase, state: JSON.stringify(rest) };
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

import * as z from 'zod/mini';

/** Longest list in any object: names of an order, challenges of an authorization. */
const MOST_ITEMS = 200;

/** RFC 3986 has no control characters, and URLs end up in logs and on terminals. */
export const url = z.string().check(z.minLength(1), z.maxLength(2_000), z.regex(/^\P{Cc}*$/u));
const urls = z.array(url).check(z.maxLength(MOST_ITEMS));

/** RFC 8555 §7.1.1; `renewalInfo`: RFC 9773; `profiles`: draft-ietf-acme-profiles. */
export const directory = z.object({
  newNonce: url,
  newAccount: url,
  newOrder: url,
  revokeCert: z.optional(url),
  renewalInfo: z.optional(url),
  meta: z.optional(
    z.object({
      externalAccountRequired: z.optional(z.boolean()),
      profiles: z.optional(z.record(z.string(), z.unknown())),
    }),
  ),
});
export type Directory = z.infer<typeof directory>;

/** RFC 8555 §7.1.3. */
export const order = z.object({
  status: z.enum(['pending', 'ready', 'processing', 'valid', 'invalid']),
  authorizations: urls,
  finalize: url,
  certificate: z.optional(url),
  error: z.optional(z.unknown()),
});
export type Order = z.infer<typeof order>;

/** RFC 8555 §7.1.4. */
export const authorization = z.object({
  status: z.enum(['pending', 'valid', 'invalid', 'deactivated', 'expired', 'revoked']),
  identifier: z.object({ type: z.string(), value: z.string() }),
  wildcard: z.optional(z.boolean()),
  challenges: z
    .array(
      z.object({
        type: z.string(),
        url: z.optional(url),
        token: z.optional(z.string().check(z.maxLength(200))),
        error: z.optional(z.unknown()),
      }),
    )
    .check(z.maxLength(MOST_ITEMS)),
});
export type Authorization = z.infer<typeof authorization>;

/** RFC 9773 §4.2. */
export const renewalInfo = z.object({
  suggestedWindow: z.object({ start: z.string(), end: z.string() }),
  explanationURL: z.optional(z.string().check(z.maxLength(500))),
});

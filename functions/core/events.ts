import * as z from 'zod/mini';
import { attemptId, certificateId, issuerRef, versionId } from './certificate.ts';
import { PermanentError } from './errors.ts';
import { instant } from './time.ts';

/** `source` of everything Everleaf publishes. */
export const EVENT_SOURCE = 'everleaf';

const common = { schemaVersion: z.literal('1'), certificate: certificateId };

/** Why an attempt was started. */
export const RENEWAL_REASONS = ['NotIssued', 'SpecChanged', 'RenewalWindowReached', 'Requested'] as const;
export const renewalReason = z.enum(RENEWAL_REASONS);
export type RenewalReason = z.infer<typeof renewalReason>;

/** A hint that a certificate wants a look. The inventory decides whether it really does. */
export const renewalHint = z.object({ ...common });
export type RenewalHint = z.infer<typeof renewalHint>;

/** A new version is current in the store. Consumers key on `certificate` + `generation`: delivery is at least once, unordered. */
export const rotated = z.object({
  ...common,
  generation: z.int().check(z.positive()),
  issuerRef,
  labels: z.record(z.string(), z.string()),
  dnsNames: z.array(z.string()),
  serialNumber: z.string(),
  sha256Fingerprint: z.string(),
  notBefore: instant,
  notAfter: instant,
  store: z.object({
    kind: z.string(),
    ref: z.string(),
    version: versionId,
    previousVersion: z.optional(versionId),
  }),
  attempt: z.optional(attemptId),
  reason: renewalReason,
});
export type Rotated = z.infer<typeof rotated>;

/** A renewal did not come about this time. The certificate in use is untouched. */
export const renewalFailed = z.object({
  ...common,
  generation: z.int().check(z.nonnegative()),
  issuerRef,
  attempt: z.optional(attemptId),
  reason: z.optional(renewalReason),
  failure: z.object({
    class: z.enum(['transient', 'permanent', 'conflict', 'unknown']),
    code: z.string(),
    message: z.string(),
  }),
  /** Failures in a row, this one included. */
  failures: z.int().check(z.positive()),
  /** True when nothing will succeed until a person or a manifest changes something. */
  blocked: z.boolean(),
  nextAttemptAt: instant,
  /** Expiry of the certificate in use, where there is one. */
  notAfter: z.optional(instant),
});
export type RenewalFailed = z.infer<typeof renewalFailed>;

/** Everything on the bus, by EventBridge `detail-type`. */
export const EVENT_DETAILS = {
  'Certificate Renewal Due': renewalHint,
  'Certificate Rotated': rotated,
  'Certificate Renewal Failed': renewalFailed,
} as const;

export const announcement = z.discriminatedUnion('type', [
  z.object({ type: z.literal('Certificate Renewal Due'), detail: renewalHint }),
  z.object({ type: z.literal('Certificate Rotated'), detail: rotated }),
  z.object({ type: z.literal('Certificate Renewal Failed'), detail: renewalFailed }),
]);
export type Announcement = z.infer<typeof announcement>;

/** The parts of an EventBridge event that a subscriber needs. */
const envelope = z.object({ source: z.literal(EVENT_SOURCE), 'detail-type': z.string(), detail: z.unknown() });

/**
 * What a subscriber calls on an EventBridge event. Throws PermanentError `NotAnEverleafEvent` or `UnknownEvent` for
 * anything that does not fit the published schema.
 */
export function parseEvent(event: unknown): Announcement {
  const parsed = z.safeParse(envelope, event);
  if (!parsed.success) {
    throw new PermanentError(
      'NotAnEverleafEvent',
      `not an event of source "${EVENT_SOURCE}": ${z.prettifyError(parsed.error)}`,
    );
  }
  const decoded = z.safeDecode(announcement, {
    type: parsed.data['detail-type'],
    detail: parsed.data.detail,
  } as z.input<typeof announcement>);
  if (!decoded.success) {
    throw new PermanentError(
      'UnknownEvent',
      `"${parsed.data['detail-type']}" does not fit schema version 1: ${z.prettifyError(decoded.error)}`,
    );
  }
  return decoded.data;
}

/** An announcement's detail as it travels. */
export function encodeDetail(event: Announcement): string {
  return JSON.stringify(z.encode(announcement, event).detail);
}

/** Reads a queue message's body. Throws PermanentError `UnreadableHint`: such a message belongs in the dead-letter queue. */
export function parseHint(body: string): RenewalHint {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch (cause) {
    throw new PermanentError('UnreadableHint', 'the message is not JSON', { cause });
  }
  const parsed = z.safeParse(renewalHint, json);
  if (parsed.success) return parsed.data;
  throw new PermanentError('UnreadableHint', `not a renewal hint: ${z.prettifyError(parsed.error)}`);
}

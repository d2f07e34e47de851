import * as z from 'zod/mini';
import { attemptId, certificateId, issuerRef, revocationReason, versionId } from './certificate.ts';
import { PermanentError } from './errors.ts';
import { evidence } from './rollout/evidence.ts';
import { instant } from './time.ts';

/** `source` of everything Everleaf publishes. */
export const EVENT_SOURCE = 'everleaf';

const common = {
  schemaVersion: z.literal('1'),
  certificate: certificateId,
  /** Of the look at what is due that led to this: every hop's logs have it as `correlation_id`. */
  correlationId: z.optional(z.string().check(z.regex(/^[\w-]{1,64}$/))),
};

/** Why an attempt was started. */
export const RENEWAL_REASONS = [
  'NotIssued',
  'SpecChanged',
  'RenewalWindowReached',
  'Requested',
  /** Whoever serves the version in use should be quick: it is revoked once the new one is current. */
  'RevocationRequested',
] as const;
export const renewalReason = z.enum(RENEWAL_REASONS);
export type RenewalReason = z.infer<typeof renewalReason>;

/** Why a version became current: an attempt's reason, or one that was taken back and is tried again. */
export const rotationReason = z.enum([...RENEWAL_REASONS, 'DeploymentRetried']);

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
  reason: rotationReason,
});
export type Rotated = z.infer<typeof rotated>;

const failureFacts = z.object({
  class: z.enum(['transient', 'permanent', 'conflict', 'unknown']),
  code: z.string(),
  message: z.string(),
});

/** A renewal did not come about this time. The certificate in use is untouched. */
export const renewalFailed = z.object({
  ...common,
  generation: z.int().check(z.nonnegative()),
  issuerRef,
  attempt: z.optional(attemptId),
  reason: z.optional(renewalReason),
  failure: failureFacts,
  /** Failures in a row, this one included. */
  failures: z.int().check(z.positive()),
  /** True when nothing will succeed until a person or a manifest changes something. */
  blocked: z.boolean(),
  nextAttemptAt: instant,
  /** Expiry of the certificate in use, where there is one. */
  notAfter: z.optional(instant),
});
export type RenewalFailed = z.infer<typeof renewalFailed>;

const deployment = {
  ...common,
  generation: z.int().check(z.positive()),
  /** What is current in the store, and wanted to be served. */
  store: z.object({ kind: z.string(), ref: z.string(), version: versionId }),
  sha256Fingerprint: z.string(),
  notAfter: instant,
  /** What was seen last at the endpoints, by address. */
  evidence: z.array(evidence),
};

const deploymentFailure = z.object({
  /** The document, and of its targets the one that failed. */
  hook: z.optional(z.string()),
  target: z.optional(z.string()),
  code: z.string(),
  message: z.string(),
});

/** A version has reached every target, and every endpoint that the hooks name serves it. */
export const deployed = z.object({
  ...deployment,
  targets: z.int(),
  /** `served`: seen at the endpoints. `reported`: the targets say so, and the hooks name no endpoint. */
  proof: z.enum(['served', 'reported']),
});
export type DeployedEvent = z.infer<typeof deployed>;

/** A version did not reach every target, and stays current in the store. */
export const deploymentFailed = z.object({
  ...deployment,
  /** `halted`: it went no further. `incomplete`: the other targets have it. */
  outcome: z.enum(['halted', 'incomplete']),
  failure: deploymentFailure,
  /** Failures altogether. */
  failures: z.int(),
  /** Of `targets` so many have it. */
  targetsDone: z.int(),
  targets: z.int(),
  nextTryAt: z.optional(instant),
});
export type DeploymentFailed = z.infer<typeof deploymentFailed>;

/** A version could not be served, and the one before it is current again, in the store and at every target. */
export const rolledBack = z.object({
  ...deployment,
  undone: z.object({ generation: z.int(), version: versionId, sha256Fingerprint: z.string() }),
  failure: deploymentFailure,
  targets: z.int(),
  /** When the version that was undone is tried again. */
  nextTryAt: z.optional(instant),
});
export type RolledBack = z.infer<typeof rolledBack>;
/** Its CA has ended a leaf's validity before its time. */
export const revoked = z.object({
  ...common,
  issuerRef,
  serialNumber: z.string(),
  sha256Fingerprint: z.string(),
  /** In the store, where it stays. */
  version: versionId,
  reason: revocationReason,
  requestedBy: z.string(),
});
export type Revoked = z.infer<typeof revoked>;

/** A leaf that was to be revoked is still good to whoever asks its CA. Told at the first try, and at the last. */
export const revocationFailed = z.object({
  ...revoked.shape,
  failure: failureFacts,
  tries: z.int().check(z.positive()),
  /** Absent: it is given up. */
  nextAttemptAt: z.optional(instant),
});
export type RevocationFailed = z.infer<typeof revocationFailed>;

/** Everything on the bus, by EventBridge `detail-type`. */
export const EVENT_DETAILS = {
  'Certificate Renewal Due': renewalHint,
  'Certificate Rotated': rotated,
  'Certificate Renewal Failed': renewalFailed,
  'Certificate Deployment Due': renewalHint,
  'Certificate Deployed': deployed,
  'Certificate Deployment Failed': deploymentFailed,
  'Certificate Rolled Back': rolledBack,
  'Certificate Revoked': revoked,
  'Certificate Revocation Failed': revocationFailed,
} as const;

export const announcement = z.discriminatedUnion('type', [
  z.object({ type: z.literal('Certificate Renewal Due'), detail: renewalHint }),
  z.object({ type: z.literal('Certificate Rotated'), detail: rotated }),
  z.object({ type: z.literal('Certificate Renewal Failed'), detail: renewalFailed }),
  z.object({ type: z.literal('Certificate Deployment Due'), detail: renewalHint }),
  z.object({ type: z.literal('Certificate Deployed'), detail: deployed }),
  z.object({ type: z.literal('Certificate Deployment Failed'), detail: deploymentFailed }),
  z.object({ type: z.literal('Certificate Rolled Back'), detail: rolledBack }),
  z.object({ type: z.literal('Certificate Revoked'), detail: revoked }),
  z.object({ type: z.literal('Certificate Revocation Failed'), detail: revocationFailed }),
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

import * as z from 'zod/mini';
import { certificateId, versionId } from '../certificate.ts';
import { announcement } from '../events.ts';
import { lease } from '../record.ts';
import { instant } from '../time.ts';
import { evidence } from './evidence.ts';
import { hookId, hookRef, policy } from './hook-spec.ts';

/** One version as it is to be served, with what its proof takes. Nothing secret. */
export const release = z.object({
  version: versionId,
  generation: z.int(),
  secretName: z.string(),
  /** The secret's full ARN. */
  ref: z.string(),
  sha256Fingerprint: z.string(),
  notAfter: instant,
  /** SHA-256 of the public key (SubjectPublicKeyInfo): tells whether two versions share one. */
  publicKeySha256: z.string(),
  dnsNames: z.array(z.string()),
  ipAddresses: z.array(z.string()),
  /** PEM; empty where none is known. */
  trustAnchors: z.array(z.string()),
  /** PEM: the last link that is known, where no anchor is. */
  topOfChain: z.optional(z.string()),
});
export type ReleaseFacts = z.infer<typeof release>;

/**
 *   waiting ──▶ intended ──▶ running ──▶ done
 *               about to     ticket  ╰──▶ failed        left: not touched by what is rolled back
 *               call         held
 */
export const target = z.object({
  state: z.enum(['waiting', 'intended', 'running', 'done', 'failed', 'left']),
  ticket: z.optional(z.record(z.string(), z.string())),
  startedAt: z.optional(instant),
  /** When to look again; in `intended`, not before this. */
  checkAt: z.optional(instant),
  /** Looks in a row that failed for a reason that may pass. */
  stumbles: z.optional(z.int()),
});
export type Target = z.infer<typeof target>;

/** One hook document's part of a roll-out. Targets stand in the document's own order. */
export const stage = z.object({
  hook: hookRef,
  policy,
  /** Endpoints of this certificate that are to be proved. */
  endpoints: z.int(),
  /** How many targets each wave has; together as many as there are. */
  waves: z.array(z.int()),
  targets: z.array(target),
});
export type Stage = z.infer<typeof stage>;

export const rolloutFailure = z.object({
  hook: z.optional(hookId),
  target: z.optional(z.string()),
  code: z.string(),
  message: z.string(),
});
export type RolloutFailure = z.infer<typeof rolloutFailure>;

/** How a roll-out ends. All but `deployed` hold the certificate. */
export const OUTCOMES = ['deployed', 'rolledBack', 'halted', 'incomplete'] as const;
export const outcome = z.enum(OUTCOMES);
export type Outcome = z.infer<typeof outcome>;

/**
 *   opened ──▶ rolling ──▶ settling ──▶ deployed
 *     ▲           │            ╰──────▶ held ──(retry)──▶ opened
 *     │           ▼                       ▲
 *     │       restoring ──▶ rolling ──▶ settling         withdrawn: no hook is left
 *     │                     (back)
 *     ╰── a newer rotation, or another text of a hook
 */
const PHASES = ['opened', 'rolling', 'restoring', 'settling', 'deployed', 'held', 'withdrawn'] as const;

/** One line of the trail. */
export const rolloutTransition = z.object({
  at: instant,
  actor: z.string(),
  event: z.string(),
  cause: z.string(),
  rollout: z.string(),
});
export type RolloutTransition = z.infer<typeof rolloutTransition>;

/** One certificate's way from a version in the store to being served: the latest roll-out, and how far it has come. */
export const rolloutRecord = z.looseObject({
  id: certificateId,
  /** Grows with everything that hooks have to do anew; never goes back. */
  run: z.int(),
  intent: z.enum(['deploy', 'rollback']),
  phase: z.enum(PHASES),
  /** What is wanted to be served. */
  release,
  /** What was current before it, as of its rotation. */
  fallback: z.optional(release),
  /** Which of the two is AWSCURRENT. */
  current: z.enum(['release', 'fallback']),
  hooks: z.array(hookRef),
  stages: z.array(stage),
  stage: z.int(),
  wave: z.int(),
  /** No deployment begins before: a window, a pause after a wave. */
  waitUntil: z.optional(instant),
  /** The proof after a wave; `next`: how many endpoints are proved. */
  proof: z.optional(z.object({ startedAt: instant, tryAt: instant, next: z.int() })),
  /** Latest results of the proof. */
  evidence: z.array(evidence),
  /** Why it did not go on as planned; the first is the reason of what followed. */
  failures: z.array(rolloutFailure),
  failureCount: z.int(),
  /** Of those, how many came before the version before was brought back. */
  failuresBefore: z.optional(z.int()),
  outcome: z.optional(outcome),
  /** Holds in a row, and when the next try is. */
  hold: z.optional(z.object({ count: z.int(), retryAt: z.optional(instant) })),
  /** Another text of the hooks came while the earlier version was being brought back. */
  hasNewHooks: z.optional(z.boolean()),
  /** A step of our own that failed: how often in a row, and when it is tried again. */
  stumble: z.optional(z.object({ count: z.int(), tryAt: instant })),
  lease: z.optional(lease),
  outbox: z.array(announcement),
  history: z.array(rolloutTransition),
});
export type RolloutRecord = z.infer<typeof rolloutRecord>;

/** Failures that are kept word for word; the others are counted. */
export const FAILURES_KEPT = 20;
export const EVIDENCE_KEPT = 100;
export const ROLLOUT_HISTORY_LIMIT = 50;

/** What hooks are told: the same for every repeat of one deployment, another one for everything else. */
export const rolloutIdOf = ({ id, run }: Pick<RolloutRecord, 'id' | 'run'>): string => `${id}#${run}`;

/** What is being brought to the targets. */
export const wantedRelease = (rollout: RolloutRecord): ReleaseFacts =>
  rollout.intent === 'rollback' && rollout.fallback !== undefined ? rollout.fallback : rollout.release;

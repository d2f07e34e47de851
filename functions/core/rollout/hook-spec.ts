import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import { canonicalJson } from '../spec-change.ts';
import { START_TLS } from './ports.ts';

/** `namespace/name` of a DeployHook document. */
export type HookId = z.infer<typeof hookId>;
export const hookId = z
  .string()
  .check(z.regex(/^[a-z0-9][a-z0-9.-]*\/[a-z0-9][a-z0-9.-]*$/))
  .brand<'HookId'>();

/** So many targets, or so many of a hundred. */
export type Portion = z.infer<typeof portion>;
const portion = z.union([z.object({ count: z.int() }), z.object({ share: z.number() })]);

const endpoint = z.object({
  host: z.string(),
  port: z.int(),
  serverName: z.optional(z.string()),
  alpn: z.optional(z.array(z.string())),
  startTls: z.optional(z.enum(START_TLS)),
  allowLoopback: z.optional(z.boolean()),
});

/** When deployments may begin: from each time that the cron expression names, for so long. */
export type MaintenanceWindow = z.infer<typeof maintenanceWindow>;
export const maintenanceWindow = z.object({ cron: z.string(), durationSeconds: z.number(), timeZone: z.string() });

export const ON_FAILURE = ['rollback', 'halt', 'continue'] as const;

/** How one document wants its targets to be taken from one version to the next. Durations in seconds. */
export const policy = z.object({
  order: z.int(),
  waves: z.object({ canary: portion, size: z.optional(portion), pauseSeconds: z.number() }),
  concurrency: z.int(),
  window: z.optional(maintenanceWindow),
  onFailure: z.enum(ON_FAILURE),
  progressDeadlineSeconds: z.number(),
});
export type Policy = z.infer<typeof policy>;

/** A DeployHook document with its defaults filled in. Which certificates it is for, is said by their own specifications. */
export const deployHookSpec = z.object({
  ...policy.shape,
  id: hookId,
  /** The kind of its targets, by the plug-in's name. */
  plugin: z.string(),
  targets: z.array(z.object({ name: z.string(), options: z.unknown() })),
  endpoints: z.array(endpoint),
});
export type DeployHookSpec = z.infer<typeof deployHookSpec>;

/** Names a document and what it says at once: `payments/orders@1f2e3d4c5b6a`. Another text means another roll-out. */
export type HookRef = z.infer<typeof hookRef>;
export const hookRef = z
  .string()
  .check(z.regex(/^[a-z0-9][a-z0-9.-]*\/[a-z0-9][a-z0-9.-]*@[0-9a-f]{12}$/))
  .brand<'HookRef'>();

export const hookRefOf = (spec: DeployHookSpec): HookRef =>
  hookRef.parse(`${spec.id}@${createHash('sha256').update(canonicalJson(spec)).digest('hex').slice(0, 12)}`);

export const hookIdIn = (ref: HookRef): HookId => hookId.parse(ref.slice(0, ref.indexOf('@')));

import * as z from 'zod/mini';
import { ON_FAILURE } from '../rollout/hook-spec.ts';
import { START_TLS } from '../rollout/ports.ts';
import { metadataShape } from './metadata.ts';

const text = z.optional(z.string());
const portionShape = z.strictObject({ count: z.optional(z.int()), share: z.optional(z.number()) });

const endpointShape = z.strictObject({
  host: z.string(),
  port: z.optional(z.int()),
  serverName: text,
  alpn: z.optional(z.array(z.string())),
  startTls: z.optional(z.enum(START_TLS)),
  allowLoopback: z.optional(z.boolean()),
});
export type EndpointFields = z.infer<typeof endpointShape>;

const windowShape = z.strictObject({ cron: z.string(), duration: z.string(), timeZone: text });
export type WindowFields = z.infer<typeof windowShape>;

const hookFields = z.strictObject({
  certificateNames: z.optional(z.array(z.string())),
  selector: z.optional(z.strictObject({ matchLabels: z.record(z.string(), z.string()) })),
  order: z.optional(z.int()),
  endpoints: z.optional(z.array(endpointShape)),
  waves: z.optional(z.strictObject({ canary: z.optional(portionShape), size: z.optional(portionShape), pause: text })),
  concurrency: z.optional(z.int()),
  window: z.optional(windowShape),
  onFailure: z.optional(z.enum(ON_FAILURE)),
  progressDeadline: text,
});
export type HookFields = z.infer<typeof hookFields>;

/** A DeployHook; `targetFields`: those of which one says where it deploys, each for its plug-in to read. */
export const hookDocument = (targetFields: readonly string[]) =>
  z.strictObject({
    apiVersion: z.string(),
    kind: z.string(),
    metadata: metadataShape,
    spec: z.extend(hookFields, Object.fromEntries(targetFields.map((field) => [field, z.optional(z.unknown())]))),
    status: z.optional(z.unknown()),
  });

/** How a missing field could look. */
export const HOOK_EXAMPLES: Readonly<Record<string, string>> = {
  metadata: 'metadata: { name: orders }',
  spec: 'spec: { certificateNames: [orders], … }',
  'spec.selector.matchLabels': 'matchLabels: { team: shop }',
  'spec.window.cron': 'cron: "0 2 * * 1-5"',
  'spec.window.duration': 'duration: 3h',
};

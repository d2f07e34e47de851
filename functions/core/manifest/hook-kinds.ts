import type { HookPlugin } from '../rollout/ports.ts';

/** The documents of ours. */
export const EVERLEAF_GROUP = 'everleaf.dev';
export const HOOK_VERSION = 'v1';

/** What the manifest needs to know of a hook plug-in. */
export type HookKind = Pick<HookPlugin<unknown>, 'kind' | 'parse'>;

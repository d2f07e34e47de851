import type { EventBus, HintQueue, Inventory, VersionSwitch } from '../core/ports.ts';
import type { DeployHook, Prober } from '../core/rollout/ports.ts';
import type { Instant } from '../core/time.ts';

/** Everything a roll-out touches. The handler joins the real ones; nothing in this folder knows which they are. */
export interface DeployParts {
  readonly inventory: Inventory;
  readonly versions: VersionSwitch;
  readonly bus: EventBus;
  readonly hints: HintQueue;
  /** The hook for a target, by the plug-in's name and the options that it parsed. */
  readonly connect: (plugin: string, options: unknown) => Promise<DeployHook>;
  readonly prober: Prober;
  readonly clock: () => Instant;
  /** Structured facts for the log; never an error object, a request or an answer. */
  readonly log: (message: string, facts: Readonly<Record<string, unknown>>) => void;
}

import type { FailureFacts } from '../errors.ts';
import type { Ticket } from '../ports.ts';
import type { Instant } from '../time.ts';
import type { Evidence } from './evidence.ts';
import type { Stage } from './record.ts';

/** Everything that can happen to a roll-out while it is worked on. Targets by their place in the present stage. */
export type RolloutHappening =
  | { readonly event: 'Planned'; readonly stages: readonly Stage[] }
  | { readonly event: 'Waiting'; readonly until: Instant }
  /** The version that was taken back is current again. */
  | { readonly event: 'Advanced'; readonly generation: number }
  /** It stays away, and is not tried again unless somebody asks for it. */
  | { readonly event: 'NotAdvanced'; readonly why: string }
  | { readonly event: 'TargetsIntended'; readonly targets: readonly number[] }
  | {
      readonly event: 'TargetWaiting';
      readonly target: number;
      readonly name: string;
      readonly ticket: Ticket;
      readonly checkAt: Instant;
    }
  | { readonly event: 'TargetDone'; readonly target: number; readonly name: string }
  | { readonly event: 'TargetStumbled'; readonly target: number; readonly name: string; readonly failure: FailureFacts }
  | { readonly event: 'TargetFailed'; readonly target: number; readonly name: string; readonly failure: FailureFacts }
  /** The first `next` endpoints are proved. `served` false: the one after them is not, yet. */
  | {
      readonly event: 'Probed';
      readonly next: number;
      readonly served: boolean;
      readonly evidence: readonly Evidence[];
    }
  | { readonly event: 'ProofFailed'; readonly failure: FailureFacts; readonly evidence: readonly Evidence[] }
  | { readonly event: 'Restored'; readonly generation: number }
  | { readonly event: 'NotRestored'; readonly why: string }
  | { readonly event: 'Settled' }
  | { readonly event: 'RetryRequested'; readonly by: string }
  | { readonly event: 'Retried' }
  | { readonly event: 'StepFailed'; readonly failure: FailureFacts }
  | { readonly event: 'Announced' };

export interface RolloutAuthorship {
  readonly actor: string;
  readonly at: Instant;
  /** Which roll-out it happened to: what comes too late, after another one took its place, is not about that one. */
  readonly of: string;
}

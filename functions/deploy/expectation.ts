import type { Expectation } from '../core/rollout/ports.ts';
import type { ReleaseFacts } from '../core/rollout/record.ts';
import type { DeployParts } from './parts.ts';

/** What endpoints are to serve. */
export const expectationOf = (
  { sha256Fingerprint, trustAnchors, topOfChain }: ReleaseFacts,
  { clock }: Pick<DeployParts, 'clock'>,
): Expectation => ({ sha256Fingerprint, trustAnchors, topOfChain, now: clock() });

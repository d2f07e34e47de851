import type { AttemptId, IssuerSpec, Usage } from '../core/certificate.ts';
import type { Meter } from '../core/metrics.ts';
import type { EventBus, HintQueue, Inventory, Issuer, SecretStore } from '../core/ports.ts';
import type { Instant } from '../core/time.ts';

/** An issuer, connected, with what its kind says about itself. */
export interface ConnectedIssuer {
  readonly issuer: Issuer;
  readonly uninvitedUsages: readonly Usage[];
  readonly withheldUsages: readonly Usage[];
  readonly honoursNotAfter: boolean;
}

/** Everything a renewal touches. The handler joins the real ones; nothing in this folder knows which they are. */
export interface RenewalParts {
  readonly inventory: Inventory;
  readonly store: SecretStore;
  readonly bus: EventBus;
  readonly hints: HintQueue;
  readonly meter: Meter;
  readonly connect: (spec: IssuerSpec) => Promise<ConnectedIssuer>;
  readonly clock: () => Instant;
  /** Spends a short wait in place. */
  readonly pause: (seconds: number) => Promise<void>;
  readonly newAttemptId: () => AttemptId;
  /** From 0 up to 1. */
  readonly random: () => number;
  /** Structured facts for the log; never an error object, a request or an answer. */
  readonly log: (message: string, facts: Readonly<Record<string, unknown>>) => void;
}

import type { Misissue } from '../pca/wrong-leaves.ts';
import type { Resource } from './exchange.ts';

const HOUR = 3_600;
const DAY = 24 * HOUR;

/** What a certificate of that profile is, and how long its authorizations live (draft-ietf-acme-profiles). */
export interface AcmeProfile {
  readonly lifetimeSeconds: number;
  /** What the directory says of it. */
  readonly description?: string;
  readonly pendingAuthorizationSeconds?: number;
  readonly validAuthorizationSeconds?: number;
  readonly mostNames?: number;
}

const short = { pendingAuthorizationSeconds: HOUR, validAuthorizationSeconds: 7 * HOUR, mostNames: 25 };

/** Those of Let's Encrypt. */
export const PROFILES: Readonly<Record<string, AcmeProfile>> = {
  classic: { lifetimeSeconds: 90 * DAY, description: '90 days' },
  tlsserver: { lifetimeSeconds: 45 * DAY, description: '45 days', ...short },
  shortlived: { lifetimeSeconds: 160 * HOUR, description: '160 hours', ...short },
};

/** A profile with nothing left open. */
export const completed = (profile: AcmeProfile): Required<AcmeProfile> => ({
  description: '',
  pendingAuthorizationSeconds: 7 * DAY,
  validAuthorizationSeconds: 30 * DAY,
  mostNames: 100,
  ...profile,
});

export interface RateLimit {
  readonly detail: string;
  readonly retryAfterSeconds?: number;
  /** Retry-After has two forms (RFC 9110, section 10.2.3); seconds when absent. */
  readonly form?: 'seconds' | 'http-date';
}

/** Instants in milliseconds since the epoch; what is absent is as it would be. */
export interface RenewalInfoOverride {
  readonly start?: number;
  readonly end?: number;
  readonly explanationURL?: string;
  readonly retryAfterSeconds?: number;
  /** Answers an error of this status instead. */
  readonly errorStatus?: number;
}

/** How the CA behaves: each may be changed at any time, and goes for what comes after. */
export class AcmeSettings {
  /** As Boulder: the same account, names and profile get the same pending or ready order again. */
  reusesOrders = false;
  /** A valid authorization of the same account and identifier serves the next order. */
  reusesAuthorizations = false;
  /** Orders are `ready` at once, without a challenge, as at the ACME endpoint of AWS Certificate Manager. */
  preApproved = false;
  /** The share of good nonces that are refused. */
  rejectsNonces = 0;
  random: () => number = Math.random;
  /**
   * Wall time between the acceptance of a challenge and its validation. At 0 a look at the challenge, its authorization or
   * its order waits for the outcome, so that one look is enough.
   */
  validationDelayMs = 0;
  /** How many looks at the order after finalize still say `processing`; at -1 finalize itself says `valid`. */
  finalizeLooks = 0;
  /** Of pending authorizations, and of orders that are pending or processing. */
  retryAfterSeconds: number | undefined;
  /** Where http-01 is validated, on 127.0.0.1. */
  httpPort = 80;
  /** Whether newOrder may choose notBefore and notAfter, within the lifetime of the profile. */
  allowsDates = false;
  /** Puts the purpose clientAuth beside serverAuth. */
  clientAuth = false;
  rateLimit:
    | ((resource: Resource, account: string | undefined, identifiers: readonly string[]) => RateLimit | undefined)
    | undefined;
  renewalInfo: ((certId: string) => RenewalInfoOverride | undefined) | undefined;
  misissue: Misissue | undefined;
}

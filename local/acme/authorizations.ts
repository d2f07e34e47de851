import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod/mini';
import type { Account } from './accounts.ts';
import { type AcmeAnswer, json, link } from './exchange.ts';
import { AcmeProblem, malformed } from './problems.ts';
import type { AcmeProfile, AcmeSettings } from './settings.ts';
import { type AccountRequest, owned, read, requireRead, urlOf, type Visit } from './signed-request.ts';
import { type ChallengeType, VALIDATIONS } from './validation.ts';

const SECOND_MS = 1_000;
/** setTimeout's own limit. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

export interface Challenge {
  readonly id: string;
  readonly account: Account;
  readonly authorization: Authorization;
  readonly type: ChallengeType;
  readonly token: string;
  status: 'pending' | 'processing' | 'valid' | 'invalid';
  validated?: number;
  error?: AcmeProblem;
}

export interface Authorization {
  readonly id: string;
  readonly account: Account;
  /** As ordered, with `*.` when it is for a wildcard. */
  readonly name: string;
  readonly challenges: Challenge[];
  readonly validSeconds: number;
  status: 'pending' | 'valid' | 'invalid' | 'deactivated';
  expires: number;
  /** The validation under way, while a look waits for it. */
  outcome?: Promise<void>;
}

const deactivation = z.object({ status: z.literal('deactivated') });

/** RFC 8555, sections 7.5 and 8. */
export class Authorizations {
  readonly #byId = new Map<string, Authorization>();
  readonly #challenges = new Map<string, Challenge>();
  /** The latest that became valid, by account and name. */
  readonly #proven = new Map<string, Authorization>();
  readonly #settings: AcmeSettings;
  readonly #clock: { now(): number };
  readonly #dnsServer: string | undefined;
  readonly #closing = new AbortController();

  constructor(settings: AcmeSettings, clock: { now(): number }, dnsServer: string | undefined) {
    this.#settings = settings;
    this.#clock = clock;
    this.#dnsServer = dnsServer;
  }

  /** A valid one where that may be had, else one to be proven. */
  obtain(account: Account, name: string, profile: Required<AcmeProfile>): Authorization {
    const valid = this.#settings.reusesAuthorizations ? this.#valid(account, name) : undefined;
    if (valid !== undefined) return valid;
    const isApproved = this.#settings.preApproved;
    const { pendingAuthorizationSeconds, validAuthorizationSeconds: validSeconds } = profile;
    const seconds = isApproved ? validSeconds : pendingAuthorizationSeconds;
    const authorization: Authorization = {
      id: randomBytes(9).toString('base64url'),
      account,
      name,
      challenges: [],
      validSeconds,
      status: isApproved ? 'valid' : 'pending',
      expires: this.#clock.now() + seconds * SECOND_MS,
    };
    this.#byId.set(authorization.id, authorization);
    if (isApproved) this.#proven.set(ownership(account, name), authorization);
    else this.#challenge(authorization);
    return authorization;
  }

  statusOf({ status, expires }: Authorization): Authorization['status'] | 'expired' {
    const isLive = status === 'pending' || status === 'valid';
    return isLive && expires <= this.#clock.now() ? 'expired' : status;
  }

  /** Whether the account has shown that it controls the name. */
  valid(account: Account, name: string): boolean {
    return this.#valid(account, name) !== undefined;
  }

  async answer(request: AccountRequest): Promise<AcmeAnswer> {
    const authorization = owned(this.#byId, request);
    if (request.payload === '') {
      await authorization.outcome;
    } else {
      read(request, deactivation);
      const status = this.statusOf(authorization);
      if (status !== 'pending' && status !== 'valid') throw malformed(`the authorization is ${status}`);
      authorization.status = 'deactivated';
    }
    const status = this.statusOf(authorization);
    const { name, expires, challenges } = authorization;
    const { retryAfterSeconds } = this.#settings;
    const isAwaited = status === 'pending' && retryAfterSeconds !== undefined;
    return json(
      200,
      {
        identifier: { type: 'dns', value: bare(name) },
        status,
        expires: new Date(expires).toISOString(),
        challenges: challenges
          // RFC 8555, section 7.5: of a settled one, what settled it.
          .filter((each) => status === 'pending' || each.status !== 'pending')
          .map((each) => shown(request, each)),
        ...(name === bare(name) ? {} : { wildcard: true }),
      },
      isAwaited ? { 'retry-after': String(retryAfterSeconds) } : {},
    );
  }

  /** RFC 8555, section 7.5.1. */
  async answerChallenge(request: AccountRequest): Promise<AcmeAnswer> {
    const challenge = owned(this.#challenges, request);
    const { authorization } = challenge;
    if (request.payload === '') {
      requireRead(request);
      await authorization.outcome;
    } else {
      read(request, z.object({}));
      const status = this.statusOf(authorization);
      if (status !== 'pending') throw malformed(`the authorization is ${status}`);
      if (authorization.challenges.every((each) => each.status === 'pending')) this.#begin(challenge);
    }
    const url = urlOf(request, 'authorization', authorization.id);
    return json(200, shown(request, challenge), { link: [link(url, 'up')] });
  }

  /** Validations that wait are forgotten. */
  close(): void {
    this.#closing.abort();
  }

  #valid(account: Account, name: string): Authorization | undefined {
    const latest = this.#proven.get(ownership(account, name));
    return latest !== undefined && this.statusOf(latest) === 'valid' ? latest : undefined;
  }

  #challenge(authorization: Authorization): void {
    const { account, name } = authorization;
    // RFC 8555, section 8.3: a file on one host proves nothing for all others.
    const types: ChallengeType[] = name === bare(name) ? ['http-01', 'dns-01'] : ['dns-01'];
    for (const type of types) {
      const id = randomBytes(9).toString('base64url');
      const token = randomBytes(32).toString('base64url');
      const challenge: Challenge = { id, account, authorization, type, token, status: 'pending' };
      authorization.challenges.push(challenge);
      this.#challenges.set(id, challenge);
    }
  }

  #begin(challenge: Challenge): void {
    challenge.status = 'processing';
    const delayMs = this.#settings.validationDelayMs;
    const outcome = this.#validate(challenge, Math.min(delayMs, LONGEST_DELAY_MS));
    if (delayMs === 0) challenge.authorization.outcome = outcome;
  }

  async #validate(challenge: Challenge, delayMs: number): Promise<void> {
    const { authorization, account, token } = challenge;
    const keyAuthorization = `${token}.${account.key.thumbprint}`;
    const { httpPort } = this.#settings;
    try {
      if (delayMs > 0) await delay(delayMs, undefined, { ref: false, signal: this.#closing.signal });
      const proof = { name: bare(authorization.name), token, keyAuthorization };
      await VALIDATIONS[challenge.type](proof, { dnsServer: this.#dnsServer, httpPort });
      challenge.status = 'valid';
      challenge.validated = this.#clock.now();
    } catch (error) {
      challenge.status = 'invalid';
      challenge.error = error instanceof AcmeProblem ? error : new AcmeProblem('serverInternal', String(error));
    }
    // It may have been deactivated meanwhile.
    if (authorization.status !== 'pending') return;
    authorization.status = challenge.status;
    if (challenge.status !== 'valid') return;
    authorization.expires = this.#clock.now() + authorization.validSeconds * SECOND_MS;
    this.#proven.set(ownership(account, authorization.name), authorization);
  }
}

const ownership = (account: Account, name: string): string => `${account.id} ${name}`;

const bare = (name: string): string => name.replace(/^\*\./, '');

function shown(visit: Visit, { id, type, token, status, validated, error }: Challenge): Record<string, unknown> {
  const url = urlOf(visit, 'challenge', id);
  const moment = validated === undefined ? {} : { validated: new Date(validated).toISOString() };
  return { type, url, token, status, ...moment, ...(error === undefined ? {} : { error }) };
}

import { X509Certificate } from 'node:crypto';
import { lookAgainSeconds, lookAgainWhenTold } from '../../core/backoff.ts';
import type { IssuedChain } from '../../core/certificate.ts';
import { describeFailure, TransientError } from '../../core/errors.ts';
import type { ChallengeSolver, IssuerContext, Placement, SigningRequest, Step, Ticket } from '../../core/ports.ts';
import { csrPublicKey } from '../../core/x509/csr.ts';
import { acceptChallenges, type ChooseSolver, findFailure, pendingChallenges } from './authorizations.ts';
import { downloadChain } from './chain.ts';
import type { AcmeClient } from './client.ts';
import type { AcmeOptions } from './options.ts';
import { finalizeOrder, lookAtOrder, orderFailed, type SeenOrder } from './order.ts';
import { type Challenge, encodeTicket, type OrderState } from './ticket.ts';

type Answer = Step<IssuedChain>;

/** Throttled in a row, before it counts as a failure; and how long to leave it alone, more each time. */
const MOST_THROTTLED = 10;
const THROTTLED_SECONDS = 2;

/** Authorizations or challenges asked about in one step: so many answers of a slow CA still come within one function's time. */
const AT_A_TIME = 16;

/** How far one solver is. */
interface Shown {
  readonly solver: number;
  readonly step: Step<void>;
}

/** The issuer's solvers, by their place in the manifest. */
export interface Solvers {
  readonly choose: ChooseSolver;
  readonly connect: (index: number) => Promise<ChallengeSolver>;
  readonly cleanUp: (challenges: readonly Challenge[]) => Promise<void>;
}

/**
 * Takes an order as far as it goes now. Every state is noted before what it is about to make outside of the CA is made, and
 * repeating any step, whoever died in it, leads to the same end.
 */
export class Progress {
  readonly #client: AcmeClient;
  readonly #options: AcmeOptions;
  readonly #solvers: Solvers;
  readonly #log: IssuerContext['log'];

  constructor(client: AcmeClient, options: AcmeOptions, solvers: Solvers, log: IssuerContext['log']) {
    this.#client = client;
    this.#options = options;
    this.#solvers = solvers;
    this.#log = log;
  }

  advance(request: SigningRequest, state: OrderState): Promise<Answer> {
    switch (state.phase) {
      case 'authorizing':
        return this.#authorize(request, state);
      case 'presenting':
        return this.#present(request, state);
      case 'propagating':
        return this.#awaitPropagation(request, state);
      case 'accepting':
        return this.#accept(request, state);
      case 'validating':
        return this.#look(request, state);
      case 'finalizing':
        return this.#finalize(request, state);
      case 'processing':
        return this.#look(request, state);
    }
  }

  async #authorize(request: SigningRequest, state: OrderState): Promise<Answer> {
    const through = state.through + AT_A_TIME;
    const some = state.authorizations.slice(state.through, through);
    const found = await pendingChallenges(this.#client, some, request.certificate, this.#solvers.choose);
    const challenges = [...state.challenges, ...found];
    if (through < state.authorizations.length) return waiting({ ...state, challenges, through }, 0);
    if (challenges.length === 0) return this.#finalize(request, { ...state, phase: 'finalizing' });
    return waiting({ ...state, phase: 'presenting', challenges, through: 0 }, 0);
  }

  async #present(request: SigningRequest, state: OrderState): Promise<Answer> {
    const steps = [...bySolver(state.challenges)].map(async ([solver, placements]): Promise<Shown> => {
      const step = await (await this.#solvers.connect(solver)).present(placements);
      return { solver, step };
    });
    return this.#unlessThrottled(state, async () => this.#afterWaits(request, state, await Promise.all(steps)));
  }

  async #awaitPropagation(request: SigningRequest, state: OrderState): Promise<Answer> {
    const steps = state.waits.map(async ({ solver, ticket }): Promise<Shown> => {
      const step = await (await this.#solvers.connect(solver)).check(ticket);
      return { solver, step };
    });
    return this.#unlessThrottled(state, async () => this.#afterWaits(request, state, await Promise.all(steps)));
  }

  /** Where responses go has limits of its own, which say nothing about the CA. The same step again, a little later. */
  async #unlessThrottled(state: OrderState, step: () => Promise<Answer>): Promise<Answer> {
    try {
      return await step();
    } catch (error) {
      const isThrottled = error instanceof TransientError && error.code === 'Throttled';
      if (!isThrottled || state.looks >= MOST_THROTTLED) throw error;
      return waiting({ ...state, looks: state.looks + 1 }, THROTTLED_SECONDS * (1 + state.looks + Math.random()));
    }
  }

  async #afterWaits(request: SigningRequest, state: OrderState, steps: readonly Shown[]): Promise<Answer> {
    const waits: { solver: number; ticket: Ticket }[] = [];
    let seconds = 0;
    for (const { solver, step } of steps) {
      if (step.status === 'done') continue;
      waits.push({ solver, ticket: step.ticket });
      seconds = Math.max(seconds, step.checkAfterSeconds);
    }
    if (waits.length > 0) return waiting({ ...state, phase: 'propagating', waits }, seconds);
    return this.#accept(request, { ...state, phase: 'accepting', waits: [], through: 0 });
  }

  async #accept(request: SigningRequest, state: OrderState): Promise<Answer> {
    const through = state.through + AT_A_TIME;
    await acceptChallenges(this.#client, state.challenges.slice(state.through, through));
    if (through < state.challenges.length) return waiting({ ...state, through }, 0);
    return this.#look(request, { ...state, phase: 'validating', looks: 0 });
  }

  async #look(request: SigningRequest, state: OrderState): Promise<Answer> {
    return this.#goOn(request, state, await lookAtOrder(this.#client, state.order));
  }

  async #goOn(request: SigningRequest, state: OrderState, seen: SeenOrder): Promise<Answer> {
    switch (seen.status) {
      case 'pending':
      case 'processing': {
        const { looks } = state;
        return waiting({ ...state, phase: PHASE_OF[seen.status], looks: looks + 1 }, secondsUntilLook(seen, looks));
      }
      case 'ready':
        // Coming from finalizing, it was not: a CA whose parts disagree is asked again in a moment.
        if (state.phase === 'finalizing') {
          return waiting({ ...state, looks: state.looks + 1 }, Math.max(1, secondsUntilLook(seen, state.looks)));
        }
        return this.#finalize(request, { ...state, phase: 'finalizing', looks: 0 });
      case 'valid':
        return this.#download(request, state, seen);
      case 'invalid':
        throw (await findFailure(this.#client, state.authorizations)) ?? orderFailed(seen);
    }
  }

  /** Control is proved: the responses have served, and go while the CA signs. */
  async #finalize(request: SigningRequest, state: OrderState): Promise<Answer> {
    const [seen, isClean] = await Promise.all([
      finalizeOrder(this.#client, state.finalize, request.csr),
      this.#cleanUp(state),
    ]);
    const challenges = isClean ? [] : state.challenges;
    const next = { ...state, challenges, finalized: state.finalized || seen !== undefined };
    if (seen === undefined) return this.#look(request, { ...next, phase: 'finalizing' });
    const { status, retryAfterSeconds } = seen;
    // The first look at once: most CAs are done by the time their answer has arrived.
    if (status === 'processing' && retryAfterSeconds === undefined) {
      return this.#look(request, { ...next, phase: 'processing', looks: 0 });
    }
    return this.#goOn(request, { ...next, phase: 'processing' }, seen);
  }

  async #download(request: SigningRequest, state: OrderState, { certificate }: SeenOrder): Promise<Answer> {
    if (certificate === undefined) {
      throw new TransientError(
        'CaAnswerUnreadable',
        'the CA calls an order valid and does not say where its certificate is',
      );
    }
    const chain = await downloadChain(this.#client, certificate, this.#options, this.#log);
    if (!state.finalized && isForAnotherKey(chain.leaf, request.csr)) throw orderTaken(state.order);
    const isClean = await this.#cleanUp(state);
    const { renewalInfo } = await this.#client.directory();
    return {
      status: 'done',
      value: {
        ...chain,
        ...(this.#client.accountUrl === undefined ? {} : { account: this.#client.accountUrl }),
        offersRenewalInfo: renewalInfo !== undefined,
      },
      ...(isClean ? {} : { leftover: encodeTicket({ ...state, authorizations: [] }) }),
    };
  }

  /** Answers whether nothing is left. What is left is no reason to keep a certificate from anybody. */
  async #cleanUp({ challenges, order }: OrderState): Promise<boolean> {
    if (challenges.length === 0) return true;
    try {
      await this.#solvers.cleanUp(challenges);
      return true;
    } catch (error) {
      this.#log('responses to challenges could not be taken back yet', { order, failure: describeFailure(error) });
      return false;
    }
  }
}

const PHASE_OF = { pending: 'validating', processing: 'processing' } as const;

const secondsUntilLook = ({ retryAfterSeconds }: SeenOrder, looks: number): number =>
  retryAfterSeconds === undefined ? lookAgainSeconds(looks) : lookAgainWhenTold(retryAfterSeconds, looks);

const waiting = (state: OrderState, seconds: number): Answer => ({
  status: 'waiting',
  ticket: encodeTicket(state),
  checkAfterSeconds: seconds,
});

/** What each solver has to place. */
export function bySolver(challenges: readonly Challenge[]): ReadonlyMap<number, readonly Placement[]> {
  const groups = Map.groupBy(challenges, ({ solver }) => solver);
  return new Map([...groups].map(([solver, group]) => [solver, group.map(({ placement }) => placement)]));
}

function isForAnotherKey(leaf: string, csr: string): boolean {
  try {
    return !new X509Certificate(leaf).publicKey.equals(csrPublicKey(csr));
  } catch {
    // No certificate at all: the gate says so.
    return false;
  }
}

/** CAs re-use orders of one account for the same names: another certificate with these names was faster to finalize it. */
const orderTaken = (order: string): TransientError =>
  new TransientError('OrderTaken', `order ${order} was finalized with another key, for another certificate`, {
    endsAttempt: true,
  });

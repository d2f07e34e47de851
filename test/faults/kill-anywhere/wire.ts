import { DROPPED as CUT } from '../../../local/acme/exchange.ts';
import type { AcmeServer } from '../../../local/acme/server.ts';
import type { Twin } from '../../../local/twin.ts';
import { DROPPED } from '../../../local/wire/call.ts';

/** What can happen to one call. */
export const STRIKES = ['killed before', 'killed after', 'answer lost', 'throttled', 'denied'] as const;
export type Strike = (typeof STRIKES)[number];

/** One call that functions make, by its operation and which of its kind it is in a renewal: `PutItem#2`, `acme:finalize#1`. */
export type Boundary = string;

const DENIED_AWS = { code: 'AccessDeniedException', status: 400 };
const THROTTLED_AWS = { code: 'ThrottlingException', status: 400 };
const problem = (status: number, type: string, headers: Readonly<Record<string, string>> = {}) => ({
  status,
  headers: { 'content-type': 'application/problem+json', ...headers },
  body: JSON.stringify({ type: `urn:ietf:params:acme:error:${type}`, detail: 'struck by a test' }),
});

/** Stands on both wires, names every call of a function as it comes by, and strikes one of them when told. */
export class Wire {
  /** Since the last {@link listen}, in their order. */
  readonly trail: Boundary[] = [];
  /** `detail` of every `Certificate Rotated` that the bus has taken. */
  readonly rotations: { readonly certificate: string; readonly generation: number }[] = [];
  readonly #twin: Twin;
  readonly #ca: AcmeServer | undefined;
  readonly #watched: RegExp;
  readonly #seen = new Map<string, number>();
  #target: { readonly boundary: Boundary; readonly strike: Strike } | undefined;
  #started = { aws: 0, acme: 0 };
  /** The worker that was heard last: who asks the CA is not to be seen from there. */
  #killWorker: () => Promise<void> = () => Promise.resolve();

  /** `watched`: whose calls, by the logical ids that its principals are named by. */
  constructor(twin: Twin, ca: AcmeServer | undefined, watched = RENEWING) {
    this.#twin = twin;
    this.#ca = ca;
    this.#watched = watched;
    twin.use(async (call, next) => {
      if (!watched.test(call.principal)) return next();
      this.#killWorker = () => call.killCaller();
      const answer = await this.#pass(call.operation, next, DROPPED, (strike) =>
        aws(strike === 'denied' ? DENIED_AWS : THROTTLED_AWS),
      );
      if (call.operation === 'PutEvents' && answer.status === 200) this.#hear(call.input);
      return answer;
    });
    ca?.use((call, next) =>
      this.#pass(`acme:${call.resource}`, next, CUT, (strike) =>
        strike === 'denied' ? problem(403, 'unauthorized') : problem(429, 'rateLimited', { 'retry-after': '30' }),
      ),
    );
  }

  /** Begins a new count; the first call of that name and number is struck, once. */
  listen(target?: { readonly boundary: Boundary; readonly strike: Strike }): void {
    this.trail.length = 0;
    this.#seen.clear();
    this.#target = target;
    this.#started = this.#served();
  }

  /** Whether the strike has hit. */
  get hasStruck(): boolean {
    return this.#target === undefined;
  }

  /** How many calls the servers themselves have counted since the last {@link listen}. */
  get countedByServers(): number {
    const { aws: awsCalls, acme } = this.#served();
    return awsCalls - this.#started.aws + (acme - this.#started.acme);
  }

  #served(): { aws: number; acme: number } {
    const ofFunctions = this.#twin.calls.filter(({ principal }) => this.#watched.test(principal));
    return { aws: ofFunctions.length, acme: this.#ca?.requests.length ?? 0 };
  }

  async #pass<Answer>(
    operation: string,
    next: () => Promise<Answer>,
    cut: Answer,
    refusal: (strike: Strike) => Answer,
  ): Promise<Answer> {
    const turn = (this.#seen.get(operation) ?? 0) + 1;
    this.#seen.set(operation, turn);
    const boundary = `${operation}#${turn}`;
    this.trail.push(boundary);
    if (this.#target?.boundary !== boundary) return next();
    const { strike } = this.#target;
    this.#target = undefined;
    if (strike === 'throttled' || strike === 'denied') return refusal(strike);
    if (strike === 'killed after' || strike === 'answer lost') await next();
    if (strike !== 'answer lost') await this.#killWorker();
    return cut;
  }

  #hear({ Entries }: Readonly<Record<string, unknown>>): void {
    for (const { DetailType, Detail } of Entries as { DetailType: string; Detail: string }[]) {
      if (DetailType === 'Certificate Rotated') this.rotations.push(JSON.parse(Detail) as Wire['rotations'][number]);
    }
  }
}

/** Functions of the product are named by their logical ids; the provider of the deployment is not at work here. */
const RENEWING = /^Everleaf(?:Detection|Issuance)/;

const aws = ({ code, status }: { code: string; status: number }) => ({
  status,
  headers: { 'content-type': 'application/x-amz-json-1.1' },
  body: JSON.stringify({ __type: code, message: 'struck by a test' }),
  errorCode: code,
});

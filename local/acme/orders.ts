import { randomBytes } from 'node:crypto';
import type { Account } from './accounts.ts';
import type { Authorization, Authorizations } from './authorizations.ts';
import type { Certificate, Certificates } from './certificates.ts';
import { finalization, readCsr } from './csr.ts';
import { type AcmeAnswer, json } from './exchange.ts';
import { type NewOrder, newOrder, profileOf, requireDates, requireNames, validityOf } from './new-order.ts';
import { AcmeProblem, malformed, unauthorized } from './problems.ts';
import { parseCertId } from './renewal-info.ts';
import type { AcmeProfile, AcmeSettings } from './settings.ts';
import { type AccountRequest, owned, read, requireRead, urlOf, type Visit } from './signed-request.ts';

const SECOND_MS = 1_000;

type Status = 'pending' | 'ready' | 'processing' | 'valid' | 'invalid';

interface Order {
  readonly id: string;
  readonly account: Account;
  readonly wish: NewOrder;
  readonly names: readonly string[];
  readonly profile: Required<AcmeProfile>;
  readonly authorizations: readonly Authorization[];
  readonly expires: number;
  /** From finalize on. */
  finalizing: boolean;
  certificate?: Certificate;
  /** So many still say `processing`. */
  looks: number;
}

interface Surroundings {
  readonly settings: AcmeSettings;
  readonly clock: { now(): number };
  readonly profiles: Readonly<Record<string, AcmeProfile>>;
  readonly authorizations: Authorizations;
  readonly certificates: Certificates;
}

/** RFC 8555, section 7.4. */
export class Orders {
  readonly #byId = new Map<string, Order>();
  /** By the certID that they replace. */
  readonly #replacements = new Map<string, Order>();
  /** The latest, by account, names and profile. */
  readonly #latest = new Map<string, Order>();
  readonly #around: Surroundings;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  create(request: AccountRequest): AcmeAnswer {
    const { settings, clock, profiles, authorizations } = this.#around;
    const { account } = request;
    const wish = read(request, newOrder);
    const profile = profileOf(wish, profiles);
    const names = requireNames(wish, profile);
    requireDates(wish, profile, settings, clock.now());
    if (wish.replaces !== undefined) this.#requireReplaceable(wish.replaces, account, names);
    const sameness = JSON.stringify([account.id, names, wish.profile]);
    const earlier = settings.reusesOrders ? this.#latest.get(sameness) : undefined;
    const isOpen = earlier !== undefined && ['pending', 'ready'].includes(this.#statusOf(earlier));
    if (isOpen) return this.#show(request, earlier, 201);
    const obtained = names.map((name) => authorizations.obtain(account, name, profile));
    const order: Order = {
      id: randomBytes(9).toString('base64url'),
      account,
      wish,
      names,
      profile,
      authorizations: obtained,
      expires: Math.min(
        clock.now() + profile.pendingAuthorizationSeconds * SECOND_MS,
        ...obtained.map(({ expires }) => expires),
      ),
      finalizing: false,
      looks: 0,
    };
    this.#byId.set(order.id, order);
    this.#latest.set(sameness, order);
    if (wish.replaces !== undefined) this.#replacements.set(wish.replaces, order);
    return this.#show(request, order, 201);
  }

  async answer(request: AccountRequest): Promise<AcmeAnswer> {
    requireRead(request);
    const order = owned(this.#byId, request);
    for (const { outcome } of order.authorizations) await outcome;
    const answer = this.#show(request, order);
    if (order.certificate !== undefined) order.looks -= 1;
    return answer;
  }

  async finalize(request: AccountRequest): Promise<AcmeAnswer> {
    const { settings, clock, certificates } = this.#around;
    const { account } = request;
    const order = owned(this.#byId, request);
    const status = this.#statusOf(order);
    if (status !== 'ready') throw new AcmeProblem('orderNotReady', `the order is ${status}, not ready`);
    const { csr } = read(request, finalization);
    order.finalizing = true;
    try {
      const leaf = await readCsr(csr, order.names, account.key.key);
      const { wish, names, profile } = order;
      const validity = validityOf(wish, profile, clock.now());
      order.certificate = await certificates.issue({ account, names, ...named(wish), ...validity }, leaf);
      order.looks = settings.finalizeLooks + 1;
    } catch (error) {
      // What was refused may be asked again, as Boulder has it.
      order.finalizing = false;
      throw error;
    }
    const answer = this.#show(request, order);
    order.looks -= 1;
    return answer;
  }

  /** RFC 8555, section 7.1.2.1: those that are under way. */
  list(request: AccountRequest): AcmeAnswer {
    requireRead(request);
    const { account } = request;
    if (request.id !== account.id) throw unauthorized('they are the orders of another account');
    const orders = [...this.#byId.values()].filter(
      (order) => order.account === account && this.#statusOf(order) !== 'invalid',
    );
    return json(200, { orders: orders.map(({ id }) => urlOf(request, 'order', id)) });
  }

  /** Orders that are not over. */
  get open(): number {
    const statuses = [...this.#byId.values()].map((order) => this.#statusOf(order));
    return statuses.filter((status) => status !== 'valid' && status !== 'invalid').length;
  }

  #statusOf(order: Order): Status {
    if (order.certificate !== undefined) return order.looks > 0 ? 'processing' : 'valid';
    if (order.finalizing) return 'processing';
    const states = order.authorizations.map((each) => this.#around.authorizations.statusOf(each));
    const isLost = states.some((state) => state !== 'pending' && state !== 'valid');
    if (isLost || order.expires <= this.#around.clock.now()) return 'invalid';
    return states.includes('pending') ? 'pending' : 'ready';
  }

  /** RFC 9773, section 5. */
  #requireReplaceable(certId: string, account: Account, names: readonly string[]): void {
    const { certificates } = this.#around;
    const { keyIdentifier, serialNumber } = parseCertId(certId);
    const replaced =
      keyIdentifier === certificates.hierarchy.keyIdentifier ? certificates.find(serialNumber) : undefined;
    if (replaced === undefined) throw malformed(`replaces: ${certId} is no certificate of this CA`);
    if (replaced.account !== account) throw unauthorized(`replaces: ${certId} belongs to another account`);
    if (!replaced.issued.dnsNames.some((name) => names.includes(name))) {
      throw malformed(`replaces: ${certId} has none of the names of this order`);
    }
    const replacement = this.#replacements.get(certId);
    if (replacement === undefined || this.#statusOf(replacement) === 'invalid') return;
    throw new AcmeProblem('alreadyReplaced', `an order that replaces ${certId} is ${this.#statusOf(replacement)}`);
  }

  #show(request: Visit, order: Order, code = 200): AcmeAnswer {
    const url = urlOf(request, 'order', order.id);
    const status = this.#statusOf(order);
    const { names, wish, expires, authorizations, certificate } = order;
    const { retryAfterSeconds } = this.#around.settings;
    const isAwaited = (status === 'pending' || status === 'processing') && retryAfterSeconds !== undefined;
    const document = {
      status,
      expires: new Date(expires).toISOString(),
      identifiers: names.map((value) => ({ type: 'dns', value })),
      notBefore: wish.notBefore,
      notAfter: wish.notAfter,
      ...named(wish),
      authorizations: authorizations.map(({ id }) => urlOf(request, 'authorization', id)),
      finalize: `${url}/finalize`,
      ...(status === 'valid' && certificate ? { certificate: urlOf(request, 'certificate', certificate.id) } : {}),
    };
    return json(code, document, { location: url, ...(isAwaited ? { 'retry-after': String(retryAfterSeconds) } : {}) });
  }
}

function named({ profile, replaces }: NewOrder): { readonly profile?: string; readonly replaces?: string } {
  return { ...(profile === undefined ? {} : { profile }), ...(replaces === undefined ? {} : { replaces }) };
}

import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { readBody } from '../wire/http.ts';
import { Accounts } from './accounts.ts';
import { Authorizations } from './authorizations.ts';
import { Certificates, type IssuedLeaf } from './certificates.ts';
import { Dispatcher, refusalOf } from './dispatcher.ts';
import {
  type AcmeAnswer,
  type AcmeCall,
  type AcmeMiddleware,
  type AcmeRequest,
  DROPPED,
  type OpenRequest,
  send,
} from './exchange.ts';
import { Hierarchy, type ServerIdentity, serverIdentity } from './hierarchy.ts';
import { Nonces } from './nonces.ts';
import { Orders } from './orders.ts';
import { routesTo } from './routes.ts';
import { type AcmeProfile, AcmeSettings, PROFILES } from './settings.ts';
import { Gate } from './signed-request.ts';

export interface AcmeServerOptions {
  /** The virtual clock: validity, expiry, rate limits and Retry-After dates go by it. */
  readonly clock: { now(): number };
  /** `127.0.0.1:port` of the DNS server that names are looked up at (UDP). Without one validations fail with a `dns` problem. */
  readonly dnsServer?: string;
  /** Host names that its TLS certificate is for, beside localhost and 127.0.0.1. */
  readonly hosts?: readonly string[];
  /** Offered in the directory, the first for orders that name none. Those of Let's Encrypt when absent. */
  readonly profiles?: Readonly<Record<string, AcmeProfile>>;
  /** kid → HMAC key (base64url). When given, newAccount requires an externalAccountBinding. */
  readonly externalAccounts?: Readonly<Record<string, string>>;
  /** Every request and answer body passes here as text, for the search for private keys. */
  readonly onTraffic?: (where: string, text: string) => void;
  readonly port?: number;
  /** `/directory` when absent. */
  readonly directoryPath?: string;
}

/** An ACME CA (RFC 8555, RFC 9773, profiles) on loopback. A development tool. */
export class AcmeServer {
  readonly settings: AcmeSettings;
  readonly requests: AcmeRequest[] = [];
  /** PEM; what the server's own certificate chains to. */
  readonly tlsRoot: string;
  /** PEM trust anchors of what it issues: that of the default chain, then that of the alternative. */
  readonly roots: readonly string[];
  /** In the order they were signed. */
  readonly issued: readonly IssuedLeaf[];
  readonly #options: AcmeServerOptions;
  readonly #server: Server;
  readonly #middlewares = new Set<AcmeMiddleware>();
  readonly #authorizations: Authorizations;
  readonly #orders: Orders;
  readonly #dispatcher: Dispatcher;

  private constructor(options: AcmeServerOptions, identity: ServerIdentity, hierarchy: Hierarchy) {
    const { clock, profiles = PROFILES, externalAccounts, directoryPath = '/directory' } = options;
    const settings = new AcmeSettings();
    const accounts = new Accounts(externalAccounts);
    const authorizations = new Authorizations(settings, clock, options.dnsServer);
    const certificates = new Certificates(hierarchy, settings, clock);
    const orders = new Orders({ settings, clock, profiles, authorizations, certificates });
    const requiresExternalAccount = externalAccounts !== undefined;
    const around = { settings, clock, profiles, requiresExternalAccount, directoryPath };
    const nonces = new Nonces(settings);
    this.settings = settings;
    this.tlsRoot = identity.root;
    this.roots = [hierarchy.primary, hierarchy.alternate].map(({ root }) => root.toString('pem'));
    this.issued = certificates.issued;
    this.#options = options;
    this.#authorizations = authorizations;
    this.#orders = orders;
    this.#dispatcher = new Dispatcher({
      ...around,
      nonces,
      gate: new Gate(nonces, accounts),
      routes: routesTo({ ...around, accounts, orders, authorizations, certificates }),
      onTraffic: options.onTraffic,
    });
    const credentials = { key: identity.key, cert: identity.certificate };
    // Idle connections stay open: closing one in the moment that a client re-uses it would look like a fault.
    this.#server = createServer({ ...credentials, keepAliveTimeout: 0 }, (request, response) => {
      void this.#receive(request, response);
    });
  }

  static async start(options: AcmeServerOptions): Promise<AcmeServer> {
    const now = options.clock.now();
    const identity = await serverIdentity(options.hosts ?? [], now);
    const server = new AcmeServer(options, identity, await Hierarchy.create(now));
    server.#server.listen(options.port ?? 0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get directoryUrl(): string {
    return `https://127.0.0.1:${this.port}${this.#options.directoryPath ?? '/directory'}`;
  }

  /** Orders that are not over: neither valid, nor invalid, nor expired. */
  get openOrders(): number {
    return this.#orders.open;
  }

  /** Puts itself between every request and its answer, the latest innermost; the answer takes it away again. */
  use(middleware: AcmeMiddleware): () => void {
    this.#middlewares.add(middleware);
    return () => {
      this.#middlewares.delete(middleware);
    };
  }

  async close(): Promise<void> {
    this.#authorizations.close();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    if (body === undefined) return;
    const { clock, onTraffic } = this.#options;
    const { method = '', url: path = '', headers } = request;
    const resource = this.#dispatcher.routeOf(path)?.resource ?? 'unknown';
    const record: OpenRequest = { sequence: this.requests.length, at: clock.now(), method, resource, path };
    this.requests.push(record);
    onTraffic?.(resource, body);
    const act = (): Promise<AcmeAnswer> => this.#dispatcher.answer(record, request, body);
    const call = { ...record, headers, body };
    const answer = await this.#through([...this.#middlewares], call, act).catch(refusalOf);
    if (answer === DROPPED) {
      response.destroy();
      return;
    }
    record.status = answer.status;
    if (answer.problem !== undefined) record.problem = answer.problem;
    onTraffic?.(`answer to ${resource}`, String(answer.body));
    send(response, answer, clock.now());
  }

  #through([first, ...others]: AcmeMiddleware[], call: AcmeCall, act: () => Promise<AcmeAnswer>): Promise<AcmeAnswer> {
    return first === undefined ? act() : first(call, () => this.#through(others, call, act));
  }
}

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import type { Account } from '../account.ts';
import type { Roles } from '../iam/roles.ts';
import { type CallRecord, DROPPED, type Middleware, type WireCall, type WireResponse } from './call.ts';
import type { Credentials, Principal } from './credentials.ts';
import { readBody, send, signedService } from './http.ts';
import type { KeyWatch } from './key-watch.ts';
import { parseObject, type Protocol, protocolOf, type Request } from './protocols.ts';
import { AwsError, type JsonService, type ServiceCall, unknownOperation } from './service.ts';
import { answerSts } from './sessions.ts';

const ANONYMOUS: Principal = { name: 'anonymous' };

export interface Wiring {
  readonly account: Account;
  readonly credentials: Credentials;
  readonly roles: Roles;
  readonly keyWatch: KeyWatch;
  /** By signing name. */
  readonly services: ReadonlyMap<string, JsonService>;
  /** Takes the answer of a custom resource, which comes without a signature to a path that nobody can guess. */
  answerCustomResource(path: string, answer: Record<string, unknown>): void;
}

/** A request whose sender and wish are known. */
interface Received extends Request {
  readonly principal: Principal;
  readonly act: (record: OpenRecord) => Promise<unknown>;
}

type OpenRecord = { -readonly [Field in keyof CallRecord]: CallRecord[Field] } & { resources: string[] };

/** The one endpoint that every AWS call goes to, on loopback only. */
export class WireServer {
  readonly calls: CallRecord[] = [];
  readonly #middlewares = new Set<Middleware>();
  /** Idle connections stay open: closing one in the moment that a client re-uses it would look like a fault. */
  readonly #server = createServer({ keepAliveTimeout: 0 }, (request, response) => this.#receive(request, response));
  #wiring: Wiring | undefined;

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The services need the port before they can be made, so they come after it is known. */
  connect(wiring: Wiring): void {
    this.#wiring = wiring;
  }

  use(middleware: Middleware): () => void {
    this.#middlewares.add(middleware);
    return () => {
      this.#middlewares.delete(middleware);
    };
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    const wiring = this.#wiring;
    if (wiring === undefined) {
      response.destroy();
      return;
    }
    const answer = async (): Promise<void> => {
      const body = await readBody(request);
      if (body === undefined) return;
      const answered = await this.#answer(wiring, request, body);
      if (answered === DROPPED) response.destroy();
      else send(response, answered, wiring.account.clock.now());
    };
    wiring.account.activity.background(answer);
  }

  async #answer(wiring: Wiring, request: IncomingMessage, body: string): Promise<WireResponse> {
    const service = signedService(request);
    const protocol = protocolOf(service ?? '', request);
    const record: OpenRecord = {
      sequence: this.calls.length,
      at: wiring.account.clock.now(),
      principal: ANONYMOUS.name,
      invocationId: undefined,
      service: service ?? 'cloudformation',
      operation: 'unknown',
      resources: [],
    };
    this.calls.push(record);
    const answered = await respond(protocol, wiring, async () => {
      const received = identify(wiring, request, body, protocol);
      const { principal, operation, input } = received;
      const invocationId = principal.invocationId?.();
      Object.assign(record, { principal: principal.name, operation, invocationId });
      wiring.keyWatch.search(record.service, `${principal.name} ${operation}`, body);
      const killCaller = async (): Promise<void> => principal.kill?.();
      const call: WireCall = { ...record, input, killCaller };
      const act = (): Promise<WireResponse> =>
        respond(protocol, wiring, async () => protocol.result(await received.act(record)));
      return await this.#through([...this.#middlewares], call, act);
    });
    wiring.keyWatch.search(record.service, `answer to ${record.principal} ${record.operation}`, String(answered.body));
    if (answered === DROPPED) return answered;
    record.statusCode = answered.status;
    if (answered.errorCode !== undefined) record.errorCode = answered.errorCode;
    return answered;
  }

  #through([first, ...others]: Middleware[], call: WireCall, act: () => Promise<WireResponse>): Promise<WireResponse> {
    return first === undefined ? act() : first(call, () => this.#through(others, call, act));
  }
}

/** Whatever is thrown becomes an answer, as a real server's would; what is no AwsError is the twin's own fault. */
async function respond(
  protocol: Protocol,
  { account }: Wiring,
  work: () => Promise<WireResponse>,
): Promise<WireResponse> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AwsError) return protocol.error(error);
    if (error instanceof z.ZodError) return protocol.error(new AwsError('ValidationException', z.prettifyError(error)));
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    account.report('twin', message);
    return protocol.error(new AwsError('InternalFailure', `the twin failed: ${message}`, 500));
  }
}

function identify(wiring: Wiring, request: IncomingMessage, body: string, protocol: Protocol): Received {
  const service = signedService(request);
  if (service === undefined) {
    const input = parseObject(body);
    const act = async (): Promise<unknown> => wiring.answerCustomResource(request.url ?? '', input);
    return { principal: ANONYMOUS, operation: 'Respond', input, act };
  }
  const accessKeyId = /Credential=([^/,\s]+)\//.exec(request.headers.authorization ?? '')?.[1] ?? '';
  const principal = wiring.credentials.find(accessKeyId);
  if (principal === undefined) {
    throw new AwsError('UnrecognizedClientException', 'the access key is not one that this twin gave out', 403);
  }
  if ((principal.expiresAt ?? Infinity) <= wiring.account.clock.now()) {
    throw new AwsError('ExpiredTokenException', 'The security token included in the request is expired', 403);
  }
  const { operation, input } = protocol.read(request, body);
  const act = async (record: OpenRecord): Promise<unknown> => {
    const { accountId, region, clock } = wiring.account;
    const call: ServiceCall = {
      operation,
      input,
      now: clock.now(),
      accountId,
      region,
      authorize: (action, resource, context) => {
        record.resources.push(resource);
        if (principal.caller !== undefined) wiring.roles.authorize(principal.caller, action, resource, context);
      },
    };
    if (service === 'sts') return answerSts(call, principal, wiring);
    const handler = wiring.services.get(service);
    if (handler === undefined) throw unknownOperation(service, operation);
    return await handler.handle(call);
  };
  return { principal, operation, input, act };
}

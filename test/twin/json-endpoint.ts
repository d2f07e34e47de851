import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AwsError, type JsonService } from '../../local/wire/service.ts';

export const REGION = 'eu-central-1';
export const ACCOUNT_ID = '111122223333';

/** A permission that a service asked for. */
export interface Asked {
  readonly action: string;
  readonly resource: string;
  readonly context: Readonly<Record<string, string | readonly string[]>>;
}

/** How a form of the query protocol is answered, in XML. */
export type FormHandler = (form: URLSearchParams, authorize: (action: string, resource: string) => void) => string;

/** One service behind HTTP as the SDK speaks it: everything is allowed unless `denied` says otherwise. */
export class JsonEndpoint {
  readonly asked: Asked[] = [];
  /** The service's clock. */
  now: number;
  denied: (action: string) => boolean = () => false;
  readonly #service: JsonService;
  readonly #form: FormHandler | undefined;
  readonly #server = createServer((request, response) => {
    void this.#answer(request).then(({ status, body }) => response.writeHead(status).end(body));
  });

  private constructor(service: JsonService, now: number, form: FormHandler | undefined) {
    this.#service = service;
    this.now = now;
    this.#form = form;
  }

  static async start(service: JsonService, now: number, form?: FormHandler): Promise<JsonEndpoint> {
    const endpoint = new JsonEndpoint(service, now, form);
    await new Promise<void>((resolve) => endpoint.#server.listen(0, '127.0.0.1', resolve));
    return endpoint;
  }

  /** What any client of the SDK needs to come here, once per call. */
  get settings() {
    return {
      endpoint: `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`,
      region: REGION,
      credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'test' },
      maxAttempts: 1,
    };
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage): Promise<{ status: number; body: string }> {
    const target = request.headers['x-amz-target'];
    try {
      const body = await bodyOf(request);
      if (target === undefined)
        return { status: 200, body: this.#form?.(new URLSearchParams(body), this.#authorize) ?? '' };
      const output = await this.#service.handle({
        operation: String(target).split('.')[1] ?? '',
        input: JSON.parse(body) as Record<string, unknown>,
        now: this.now,
        accountId: ACCOUNT_ID,
        region: REGION,
        authorize: this.#authorize,
      });
      return { status: 200, body: JSON.stringify(output ?? {}) };
    } catch (error) {
      const { code, message, httpStatus } =
        error instanceof AwsError ? error : new AwsError('InternalFailure', String(error), 500);
      const xml = `<ErrorResponse><Error><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`;
      return { status: httpStatus, body: target === undefined ? xml : JSON.stringify({ __type: code, message }) };
    }
  }

  readonly #authorize = (action: string, resource: string, context: Asked['context'] = {}): void => {
    this.asked.push({ action, resource, context });
    if (this.denied(action)) throw new AwsError('AccessDeniedException', `not authorized to perform: ${action}`);
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { vi } from 'vitest';
import type { CertificateSpec } from '../../../../functions/core/certificate.ts';
import type { ConnectedIssuer } from '../../../../functions/issue/parts.ts';
import { acmPcaIssuer } from '../../../../functions/issuers/acm-pca/issuer.ts';
import { acmPca } from '../../../../functions/issuers/acm-pca/plugin.ts';
import { type AcmeAnswer as Answer, DROPPED, json, send } from '../../../../local/acme/exchange.ts';
import { AcmPca } from '../../../../local/services/acm-pca.ts';
import { readBody } from '../../../../local/wire/http.ts';
import { AwsError } from '../../../../local/wire/service.ts';
import { aSpec, ISSUER, NOON } from '../../../support/builders.ts';
import type { Asked, Ca } from '../ca.ts';
import type { CellClock } from '../clock.ts';
import { TimeLimit } from '../time-limit.ts';

const REGION = 'eu-central-1';
const ACCOUNT_ID = '111122223333';
const ARN = `arn:aws:acm-pca:${REGION}:${ACCOUNT_ID}:certificate-authority/11111111-2222-3333-4444-000000000001`;

/** May answer in place of the service. */
export type PcaMiddleware = (operation: string, act: () => Promise<Answer>) => Promise<Answer>;

/** The PCA adapter with the real SDK before the twin's service, over HTTP. */
export class PcaCa implements Ca {
  readonly issuer = ISSUER;
  readonly spec: CertificateSpec = aSpec();
  readonly limit = new TimeLimit();
  /** The SDK goes to its endpoint and nowhere else: no answer of this protocol names a URL. */
  readonly hosts = new Set<string>();
  readonly ownHost = '';
  readonly service: AcmPca;
  readonly asked: Asked[] = [];
  poured = 0;
  middleware: PcaMiddleware | undefined;
  readonly #clock: CellClock;
  readonly #server: Server;

  private constructor(clock: CellClock) {
    this.#clock = clock;
    this.service = new AcmPca({ certificateAuthorities: [{ arn: ARN }], now: clock.now });
    this.#server = createServer((request, response) => void this.#receive(request, response));
  }

  static async start(clock: CellClock): Promise<PcaCa> {
    const ca = new PcaCa(clock);
    // The SDK has no other clock than the machine's: it signs by it, and corrects it by the service's.
    vi.useFakeTimers({ toFake: ['Date'], now: clock.now() });
    clock.follow = (now) => void vi.setSystemTime(now);
    await once(ca.#server.listen(0, '127.0.0.1'), 'listening');
    return ca;
  }

  async connect(): Promise<ConnectedIssuer> {
    const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'test' };
    const options = { certificateAuthorityArn: ARN, region: REGION };
    const { uninvitedUsages, withheldUsages, honoursNotAfter } = acmPca;
    process.env['AWS_ENDPOINT_URL'] = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    const issuer = acmPcaIssuer(options, async () => credentials, this.limit.start);
    return { issuer, uninvitedUsages, withheldUsages, honoursNotAfter };
  }

  /** Shows the certificate of another CA as its own. */
  impersonate(): () => void {
    this.middleware = async (operation, act) =>
      operation === 'GetCertificateAuthorityCertificate' ? json(200, { Certificate: await strangerRoot() }) : act();
    return () => void (this.middleware = undefined);
  }

  issued(): number {
    return this.service.issued(ARN).length;
  }

  async keys(): Promise<readonly string[]> {
    return [];
  }

  async close(): Promise<void> {
    vi.useRealTimers();
    delete process.env['AWS_ENDPOINT_URL'];
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    if (body === undefined) return;
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
    const now = this.#clock.now();
    this.asked.push({ at: now, step: operation, path: '/' });
    const act = (): Promise<Answer> => this.#act(operation, body, now);
    const answer = await (this.middleware?.(operation, act) ?? act());
    if (answer === DROPPED) response.destroy();
    else send(response, answer, now);
  }

  async #act(operation: string, body: string, now: number): Promise<Answer> {
    const input = JSON.parse(body) as Record<string, unknown>;
    const call = { operation, input, now, accountId: ACCOUNT_ID, region: REGION, authorize: () => {} };
    try {
      return json(200, await this.service.handle(call));
    } catch (error) {
      if (error instanceof AwsError) return pcaRefusal(error.httpStatus, error.message, error.code);
      throw error;
    }
  }
}

async function strangerRoot(): Promise<string> {
  const stranger = new AcmPca({ certificateAuthorities: [{ arn: ARN }], now: () => NOON });
  const [root = ''] = await stranger.roots();
  return root;
}

/** As services that speak JSON 1.1 refuse. */
export const pcaRefusal = (
  status: number,
  message: string,
  code = status === 429 ? 'ThrottlingException' : 'InternalFailure',
): Answer => json(status, { __type: code, message });

import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { AcmPca } from '../../local/services/acm-pca.ts';
import { NOON } from '../support/builders.ts';
import { changeTree, type Tree } from '../support/mutations.ts';
import { ACCOUNT_ID, REGION } from '../twin/json-endpoint.ts';
import type { AwsLie } from './acm-pca-lies.ts';
import { withKeys } from './planted-keys.ts';

export const ARN = `arn:aws:acm-pca:${REGION}:${ACCOUNT_ID}:certificate-authority/11111111-2222-3333-4444-000000000001`;

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** The embedded AWS Private CA, at the address that the SDK takes from its environment. */
export class LyingPca {
  lie: AwsLie | undefined;
  requests = 0;
  readonly #service = new AcmPca({ certificateAuthorities: [{ arn: ARN }], now: () => NOON });
  readonly #server = createServer((incoming, response) => {
    void this.#answer(incoming).then(({ status, body }) => response.writeHead(status).end(body));
  });

  static async start(): Promise<LyingPca> {
    const pca = new LyingPca();
    pca.#service.issuanceDelay = 0;
    await new Promise<void>((resolve) => pca.#server.listen(0, '127.0.0.1', resolve));
    process.env['AWS_ENDPOINT_URL'] = `http://127.0.0.1:${(pca.#server.address() as AddressInfo).port}`;
    return pca;
  }

  async close(): Promise<void> {
    delete process.env['AWS_ENDPOINT_URL'];
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(incoming: IncomingMessage): Promise<Answer> {
    this.requests += 1;
    const operation = String(incoming.headers['x-amz-target']).split('.')[1] ?? '';
    const truth = await this.#truth(operation, await text(incoming));
    const { lie } = this;
    if (lie?.operation !== operation) return truth;
    const changed = lie.changes.reduce(changeTree, JSON.parse(truth.body) as Tree);
    return { status: lie.status, body: withKeys(lie.body ?? JSON.stringify(changed)) };
  }

  /** Refusals are the truth as well, when what was answered before was none. */
  async #truth(operation: string, body: string): Promise<Answer> {
    const call = { operation, now: NOON, accountId: ACCOUNT_ID, region: REGION, authorize: () => {} };
    try {
      const output = await this.#service.handle({ ...call, input: JSON.parse(body) as Record<string, unknown> });
      return { status: 200, body: JSON.stringify(output) };
    } catch (error) {
      return { status: 400, body: JSON.stringify({ __type: 'ValidationException', message: String(error) }) };
    }
  }
}

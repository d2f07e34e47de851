import { createServer, type IncomingMessage } from 'node:http';
import { AcmPca } from '../../../local/services/acm-pca.ts';
import { AwsError } from '../../../local/wire/service.ts';
import { ACCOUNT_ID, REGION } from '../host/environment.ts';

const arnOf = (id: string): string => `arn:aws:acm-pca:${REGION}:${ACCOUNT_ID}:certificate-authority/${id}`;

/** Those of the sample manifest. */
export const GENERAL_CA = arnOf('3f1c2a7e-58d4-4b0e-9a6f-2c7d81e5b904');
export const SHORT_LIVED_CA = arnOf('9b7e4d10-6c35-4f82-8d1a-e0f3a6c2574b');

/** The embedded AWS Private CA behind HTTP, beside an emulator that has none. */
export class PrivateCa {
  readonly #service = new AcmPca({
    certificateAuthorities: [{ arn: GENERAL_CA }, { arn: SHORT_LIVED_CA, usageMode: 'SHORT_LIVED_CERTIFICATE' }],
    now: Date.now,
  });
  /** While set, it signs nothing. */
  refuses = false;
  readonly #server = createServer((request, response) => {
    void this.#answer(request).then(({ status, body }) => response.writeHead(status).end(body));
  });

  static async start(port: number): Promise<PrivateCa> {
    const ca = new PrivateCa();
    await new Promise<void>((resolve, reject) => {
      ca.#server.once('error', reject);
      ca.#server.listen(port, '127.0.0.1', resolve);
    });
    return ca;
  }

  /** Serial numbers of every certificate it ever signed, fetched or not. */
  get issued(): readonly string[] {
    return [GENERAL_CA, SHORT_LIVED_CA].flatMap((arn) => this.#service.issued(arn).map(({ serial }) => serial));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage): Promise<{ status: number; body: string }> {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      const operation = String(request.headers['x-amz-target']).split('.').at(-1) ?? '';
      const input = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>;
      if (operation === 'IssueCertificate' && this.refuses) {
        throw new AwsError('InvalidStateException', 'the certificate authority is not in the ACTIVE state');
      }
      const output = await this.#service.handle({
        operation,
        input,
        now: Date.now(),
        accountId: ACCOUNT_ID,
        region: REGION,
        // Whether a role may call the CA is decided on the twin; the emulator's IAM does not see this server.
        authorize: () => undefined,
      });
      return { status: 200, body: JSON.stringify(output ?? {}) };
    } catch (error) {
      const refusal = error instanceof AwsError ? error : new AwsError('InternalFailure', String(error), 500);
      return { status: refusal.httpStatus, body: JSON.stringify({ __type: refusal.code, message: refusal.message }) };
    }
  }
}

import { createHmac, createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Who may come with which credentials, and what an access entry makes of them. */
export interface Entry {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly username: string;
  readonly groups: readonly string[];
}

/**
 * In the place of EKS's own authenticator: the API server asks it whose a token is, by TokenReview. Where that one sends the
 * URL in the token to STS, with the cluster's name as the header that must be signed, this one works the signature out itself.
 */
export class Authenticator {
  readonly #server: Server;
  readonly #cluster: string;
  readonly #entries: readonly Entry[];

  private constructor(cluster: string, entries: readonly Entry[]) {
    this.#cluster = cluster;
    this.#entries = entries;
    this.#server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => (body += text));
      request.on('end', () => {
        const { apiVersion, spec } = JSON.parse(body) as { apiVersion: string; spec: { token: string } };
        const entry = this.#identify(spec.token);
        const status =
          entry === undefined
            ? { authenticated: false }
            : { authenticated: true, user: { username: entry.username, groups: entry.groups } };
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ apiVersion, kind: 'TokenReview', status }));
      });
    });
  }

  static async start(cluster: string, entries: readonly Entry[]): Promise<Authenticator> {
    const authenticator = new Authenticator(cluster, entries);
    authenticator.#server.listen(0, '127.0.0.1');
    await once(authenticator.#server, 'listening');
    return authenticator;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #identify(token: string): Entry | undefined {
    const url = URL.parse(Buffer.from(token.replace(/^k8s-aws-v1\./, ''), 'base64url').toString());
    const query = url?.searchParams;
    const accessKeyId = query?.get('X-Amz-Credential')?.split('/')[0];
    const entry = this.#entries.find((each) => each.accessKeyId === accessKeyId);
    if (url === null || entry === undefined) return undefined;
    const isSigned = query?.get('X-Amz-Signature') === signatureOf(url, this.#cluster, entry.secretAccessKey);
    return isSigned && query?.get('Action') === 'GetCallerIdentity' ? entry : undefined;
  }
}

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const hex = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Of a presigned GET with the two headers `host` and `x-k8s-aws-id` (Signature Version 4). */
function signatureOf(url: URL, cluster: string, secret: string): string {
  const rest = [...url.searchParams].filter(([name]) => name !== 'X-Amz-Signature');
  const query = rest.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).sort();
  const headers = [`host:${url.host}`, `x-k8s-aws-id:${cluster}`, '', 'host;x-k8s-aws-id'];
  const canonical = ['GET', '/', query.join('&'), ...headers, hex('')].join('\n');
  const [, ...scope] = (url.searchParams.get('X-Amz-Credential') ?? '').split('/');
  const toSign = ['AWS4-HMAC-SHA256', url.searchParams.get('X-Amz-Date'), scope.join('/'), hex(canonical)].join('\n');
  const key = scope.reduce<string | Buffer>((previous, part) => hmac(previous, part), `AWS4${secret}`);
  return hmac(key, toSign).toString('hex');
}

import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface Asked {
  readonly method?: 'GET' | 'POST';
  /** Sent as JSON. */
  readonly body?: unknown;
  /** PEM that the server's certificate must verify against. */
  readonly ca?: string;
}

const TIMEOUT_MS = 5_000;

/** `fetch` cannot be told which CA to trust. */
export function ask(url: string, { method = 'GET', body, ca }: Asked = {}): Promise<Answer> {
  const request = url.startsWith('https:') ? tlsRequest : plainRequest;
  return new Promise((resolve, reject) => {
    // No pooled connection: the server may have been another one a moment ago.
    const options = { method, ca, agent: false, timeout: TIMEOUT_MS, headers: { 'user-agent': 'peers' } };
    const outgoing = request(url, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`${url} did not answer in ${TIMEOUT_MS / 1_000} s`)));
    outgoing.on('error', reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Throws unless it answers 200. */
export async function askFor(url: string, asked: Asked = {}): Promise<string> {
  const { status, body } = await ask(url, asked);
  if (status === 200) return body;
  throw new Error(`${asked.method ?? 'GET'} ${url} was answered with ${status}: ${body}`);
}

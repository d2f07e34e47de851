import { createHash, createHmac } from 'node:crypto';
import { CREDENTIALS, REGION } from '../host/environment.ts';

export interface SignedCall {
  /** The name in the signature: `lambda`, `logs`. */
  readonly service: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/**
 * One POST to an AWS API, signed (Signature Version 4). The tests call some operations that the product never does; a client
 * library for each would be installed by everybody for the sake of one call here.
 */
export async function signedCall(
  endpoint: string,
  { service, path = '/', headers = {}, body }: SignedCall,
): Promise<Answer> {
  const url = new URL(path, endpoint);
  const timestamp = new Date().toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
  const signed: Record<string, string> = { ...headers, host: url.host, 'x-amz-date': timestamp };
  const names = Object.keys(signed).sort();
  const canonical = [
    'POST',
    url.pathname,
    '',
    ...names.map((name) => `${name}:${signed[name]}`),
    '',
    names.join(';'),
    sha256(body),
  ].join('\n');
  const scope = [timestamp.slice(0, 8), REGION, service, 'aws4_request'];
  const toSign = ['AWS4-HMAC-SHA256', timestamp, scope.join('/'), sha256(canonical)].join('\n');
  const key = scope.reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${CREDENTIALS.secretAccessKey}`);
  const authorization =
    `AWS4-HMAC-SHA256 Credential=${CREDENTIALS.accessKeyId}/${scope.join('/')}, ` +
    `SignedHeaders=${names.join(';')}, Signature=${hmac(key, toSign).toString('hex')}`;
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'x-amz-date': timestamp, authorization },
    body,
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** A call of the JSON protocol: `target` as in `Logs_20140328.FilterLogEvents`. */
export async function jsonCall(endpoint: string, service: string, target: string, input: object): Promise<unknown> {
  const { status, text } = await signedCall(endpoint, {
    service,
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target },
    body: JSON.stringify(input),
  });
  if (status !== 200) throw new Error(`${target} answered ${status}: ${text}`);
  return JSON.parse(text) as unknown;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

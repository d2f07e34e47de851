import type { IncomingMessage } from 'node:http';
import type { WireResponse } from './call.ts';
import { restJson } from './rest-json.ts';
import { restXml } from './rest-xml.ts';
import { AwsError } from './service.ts';

export interface Request {
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** How a service's calls look on the wire. */
export interface Protocol {
  read(request: IncomingMessage, body: string): Request;
  result(output: unknown): WireResponse;
  error(error: AwsError): WireResponse;
}

/** AWS JSON 1.0 and 1.1 differ in nothing that the SDK looks at but the content type. */
const json: Protocol = {
  read: (request, body) => ({
    operation: String(request.headers['x-amz-target']).split('.').at(-1) ?? '',
    input: parseObject(body),
  }),
  result: (output) => ({
    status: 200,
    headers: { 'content-type': 'application/x-amz-json-1.1' },
    body: JSON.stringify(output ?? {}),
  }),
  error: ({ code, message, httpStatus, fields }) => ({
    status: httpStatus,
    headers: { 'content-type': 'application/x-amz-json-1.1' },
    body: JSON.stringify({ __type: code, message, ...fields }),
    errorCode: code,
  }),
};

/** A form asks, XML answers: STS, which makes its XML itself. */
const query: Protocol = {
  read: (_request, body) => {
    const { Action = '', Version: _version, ...input } = Object.fromEntries(new URLSearchParams(body));
    return { operation: Action, input };
  },
  result: (output) => xml(200, output as string),
  error: ({ code, message, httpStatus }) => ({
    ...xml(
      httpStatus,
      `<ErrorResponse><Error>${element('Code', code)}${element('Message', message)}</Error></ErrorResponse>`,
    ),
    errorCode: code,
  }),
};

/** Path style only: the SDK chooses it by itself when the endpoint is an IP address. */
const s3: Protocol = {
  read: (request) => {
    const [, bucket = '', ...key] = new URL(request.url ?? '/', 'http://s3').pathname
      .split('/')
      .map(decodeURIComponent);
    const operation = request.method === 'GET' && key.length > 0 ? 'GetObject' : `${request.method} ${request.url}`;
    return { operation, input: { Bucket: bucket, Key: key.join('/') } };
  },
  result: (output) => ({
    status: 200,
    headers: { 'content-type': 'application/octet-stream' },
    body: output as Buffer,
  }),
  error: ({ code, message, httpStatus }) => ({
    // S3 has its own name and status for what IAM refuses.
    ...(code === 'AccessDeniedException'
      ? xml(403, `<Error>${element('Code', 'AccessDenied')}${element('Message', message)}</Error>`)
      : xml(httpStatus, `<Error>${element('Code', code)}${element('Message', message)}</Error>`)),
    errorCode: code,
  }),
};

export function protocolOf(service: string, request: IncomingMessage): Protocol {
  if (service === 's3') return s3;
  if (service === 'route53') return restXml;
  if (service === 'eks') return restJson;
  const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
  return isForm ? query : json;
}

export function parseObject(body: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body === '' ? '{}' : body);
  } catch (error) {
    throw new AwsError('SerializationException', `the body is no JSON: ${String(error)}`);
  }
  if (typeof parsed !== 'object' || parsed === null) throw new AwsError('SerializationException', 'not a JSON object');
  return { ...parsed };
}

function xml(status: number, content: string): WireResponse {
  const body = `<?xml version="1.0" encoding="UTF-8"?>${content}`;
  return { status, headers: { 'content-type': 'text/xml' }, body };
}

function element(name: string, text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<${name}>${escaped}</${name}>`;
}

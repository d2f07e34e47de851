import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { WireResponse } from './call.ts';

/** DynamoDB's bound for a batch, the largest of all the services here. */
const LARGEST_BODY = 16 * 1024 * 1024;

/** The service's name in a SigV4 credential scope: `AKID/date/region/service/aws4_request`. */
export function signedService(request: IncomingMessage): string | undefined {
  return /Credential=[^/]+\/\d{8}\/[^/]+\/([^/]+)\/aws4_request/.exec(request.headers.authorization ?? '')?.[1];
}

/** Undefined when the caller went away or sent too much: there is nobody left to answer. */
export async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > LARGEST_BODY) {
        request.destroy();
        return undefined;
      }
      chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks).toString('utf8');
}

export function send(response: ServerResponse, { status, headers, body }: WireResponse, now: number): void {
  response.sendDate = false;
  response.writeHead(status, {
    ...headers,
    date: new Date(now).toUTCString(),
    'content-length': Buffer.byteLength(body),
    'x-amzn-requestid': randomUUID(),
  });
  response.end(body);
}

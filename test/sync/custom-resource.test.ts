import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PermanentError } from '../../functions/core/errors.ts';
import { respondWith, type ResourceData } from '../../functions/aws/custom-resource.ts';

interface Received {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly contentType: string | undefined;
  readonly body: string;
}

interface Receiver {
  readonly url: string;
  readonly received: Received[];
}

/** Stands where CloudFormation waits for the answer. */
async function receiver(
  answer: { status: number; headers?: Record<string, string> } = { status: 200 },
): Promise<Receiver> {
  const received: Received[] = [];
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method, url, headers } = request;
    received.push({ method, path: url, contentType: headers['content-type'], body: await textOf(request) });
    response.writeHead(answer.status, answer.headers).end();
  };
  const server = createServer((request, response) => void take(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  onTestFinished(() => server.closeAllConnections());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/answer?signature=x`, received };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

const IDENTITY = { StackId: 'arn:stack/x', RequestId: 'request-1', LogicalResourceId: 'Inventory' };
const eventTo = (ResponseURL: string): CloudFormationCustomResourceEvent => ({
  ...IDENTITY,
  ResponseURL,
  RequestType: 'Create',
  ServiceToken: 'arn:function',
  ResourceType: 'Custom::EverleafManifest',
  ResourceProperties: { ServiceToken: 'arn:function' },
});

const respond = (url: string, work: () => Promise<ResourceData>): Promise<void> =>
  respondWith(eventTo(url), 'shop-manifest', work);
const failing = (error: unknown) => async (): Promise<ResourceData> => {
  throw error;
};

/** What CloudFormation reads, and how many bytes it has. */
async function answerTo(work: () => Promise<ResourceData>): Promise<{ body: Record<string, unknown>; bytes: number }> {
  const { url, received } = await receiver();
  await respond(url, work);
  expect(received).toMatchObject([{ method: 'PUT', path: '/answer?signature=x' }]);
  // The URL is signed for a request without a type.
  expect(received[0]?.contentType ?? '').toBe('');
  const text = received[0]?.body ?? '';
  return { body: JSON.parse(text) as Record<string, unknown>, bytes: Buffer.byteLength(text) };
}

describe('CloudFormation is told', () => {
  it('of success, with the data', async () => {
    const { body } = await answerTo(async () => ({ declared: 2 }));
    expect(body).toEqual({
      ...IDENTITY,
      PhysicalResourceId: 'shop-manifest',
      Status: 'SUCCESS',
      Data: { declared: 2 },
    });
  });

  it.each<[string, unknown, string]>([
    ['ours', new PermanentError('UnreadableManifest', 'it does not fit'), 'UnreadableManifest: it does not fit'],
    ["anybody's", new TypeError('x is not a function'), 'Unexpected: TypeError: x is not a function'],
    ['none at all', 'oh', 'Unexpected: oh'],
  ])('of failure by an error that is %s, with the reason', async (_whose, error, reason) => {
    const { body } = await answerTo(failing(error));
    expect(body).toEqual({ ...IDENTITY, PhysicalResourceId: 'shop-manifest', Status: 'FAILED', Reason: reason });
  });

  it.each(['x', '"', '\\', 'ü', '€'])('of failure by no more than it reads, were it all %j', async (character) => {
    const { body, bytes } = await answerTo(failing(new PermanentError('Code', character.repeat(10_000))));
    expect(body['Reason']).toBe(`Code: ${character.repeat(994)}`);
    expect(bytes).toBeLessThan(4_096);
  });

  it('of failure without the key that a message quotes', async () => {
    const pem = '-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----';
    const { body } = await answerTo(failing(new Error(`cannot read ${pem}`)));
    expect(body['Reason']).toBe('Unexpected: Error: cannot read [private key removed]');
  });
});

describe('an answer that is not taken', () => {
  it.each([400, 403, 500])('because of status %d fails the function, and is sent twice at the most', async (status) => {
    const { url, received } = await receiver({ status });
    await expect(respond(url, async () => ({}))).rejects.toMatchObject({
      class: 'transient',
      code: 'ResponseRefused',
      message: expect.stringContaining(`${status}`) as unknown,
    });
    expect(received.length).toBeLessThanOrEqual(2);
  });

  it('is sent again as it was: a success never turns into a failure', async () => {
    const { url, received } = await receiver({ status: 503 });
    await expect(respond(url, async () => ({ declared: 1 }))).rejects.toMatchObject({ code: 'ResponseRefused' });
    const statuses = received.map(({ body }) => (JSON.parse(body) as { Status: string }).Status);
    expect(statuses).toEqual(['SUCCESS', 'SUCCESS']);
  });

  it('stays under four kilobytes, also when its reason is all control characters', async () => {
    const { bytes } = await answerTo(failing(new PermanentError('Code', '\u0001'.repeat(1_000))));
    expect(bytes).toBeLessThan(4_096);
  });

  it.each([301, 307])('because of a redirection (%d) goes nowhere else', async (status) => {
    const elsewhere = await receiver();
    const { url } = await receiver({ status, headers: { location: elsewhere.url } });
    await expect(respond(url, async () => ({}))).rejects.toThrow(/fetch failed|answered 30/);
    expect(elsewhere.received).toEqual([]);
  });

  it('says nothing of the URL, which is a credential', async () => {
    const { url } = await receiver({ status: 403 });
    const error: unknown = await respond(url, async () => ({})).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(Error);
    expect(String(error)).not.toContain('signature');
  });
});

import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type KubernetesApi, kubernetesApi } from '../../functions/hooks/eks/api.ts';
import { bundleMaker, type Made } from '../support/releases.ts';
import { Listeners } from '../support/tls-listeners.ts';

const SECRET = { api: '/api/v1', resource: 'secrets', namespace: 'web', name: 'web-tls' } as const;
const WORKLOAD = { api: '/apis/apps/v1', resource: 'deployments', namespace: 'web', name: 'web' } as const;
const APPLY = {
  contentType: 'application/apply-patch+yaml',
  query: { fieldManager: 'everleaf' },
  body: { key: 'bytes' },
} as const;

let made: Made;
let stranger: Made;
beforeAll(async () => {
  const of = async (name: string) => (await bundleMaker(name, Date.now())).make();
  [made, stranger] = await Promise.all([of('localhost'), of('elsewhere.example')]);
});

const listeners = new Listeners();
afterEach(() => listeners.close());

/** An API server that does as it likes, on loopback. */
async function server(
  listener: RequestListener,
  { serves = made, trusts = made, limit }: { serves?: Made; trusts?: Made; limit?: () => AbortSignal } = {},
): Promise<KubernetesApi> {
  const { bundle } = serves;
  const port = await listeners.serve(createServer({ cert: bundle['tls.crt'], key: bundle['tls.key'] }, listener));
  const connection = { endpoint: `https://localhost:${port}`, caBundle: trusts.bundle['ca.crt'] };
  return kubernetesApi('prod', connection, async () => 'token', limit);
}

const status =
  (code: number, body: object | string, headers = {}): RequestListener =>
  (_request, response) =>
    void response.writeHead(code, headers).end(typeof body === 'string' ? body : JSON.stringify(body));

describe("a cluster's API", () => {
  it('is asked by path and token, for a patch with no more than metadata to come back', async () => {
    const asked: unknown[] = [];
    const api = await server((request, response) => {
      const { method, url, headers } = request;
      asked.push([method, url, headers.authorization, headers['content-type'], headers.accept]);
      response.end('{"kind":"x"}');
    });
    expect(await api.get(WORKLOAD)).toEqual({ kind: 'x' });
    await api.patch(SECRET, APPLY);
    expect(asked).toEqual([
      ['GET', '/apis/apps/v1/namespaces/web/deployments/web', 'Bearer token', undefined, 'application/json'],
      [
        'PATCH',
        '/api/v1/namespaces/web/secrets/web-tls?fieldManager=everleaf',
        'Bearer token',
        'application/apply-patch+yaml',
        'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
      ],
    ]);
  });

  it.each<[string, () => Parameters<typeof server>[1]]>([
    ['for another name', () => ({ serves: stranger, trusts: stranger })],
    ['of another CA', () => ({ trusts: stranger })],
  ])('is not spoken to where its certificate is %s', async (_what, settings) => {
    let requests = 0;
    const api = await server(() => (requests += 1), settings());
    await expect(api.patch(SECRET, APPLY)).rejects.toMatchObject({ class: 'permanent', code: 'ClusterUntrusted' });
    expect(requests).toBe(0);
  });

  it('is not followed where it leads elsewhere', async () => {
    const api = await server(status(307, '', { location: 'https://169.254.169.254/' }));
    await expect(api.patch(SECRET, APPLY)).rejects.toMatchObject({ class: 'permanent', code: 'Refused' });
  });

  it('is never at a metadata address', async () => {
    const connection = { endpoint: 'https://169.254.169.254', caBundle: made.bundle['ca.crt'] };
    const api = kubernetesApi('prod', connection, async () => 'token');
    await expect(api.get(WORKLOAD)).rejects.toMatchObject({ class: 'permanent', code: 'AddressForbidden' });
  });

  it.each<[string, RequestListener, object]>([
    [
      'is slow down',
      status(429, { reason: 'TooManyRequests' }, { 'retry-after': '7' }),
      { code: 'Throttled', retryAfterSeconds: 7 },
    ],
    ['is an error', status(503, 'upstream connect error'), { class: 'transient', code: 'ServiceFailed' }],
    ['is no JSON', status(200, '<html>'), { class: 'transient', code: 'AnswerUnreadable' }],
    [
      'is two writes that met',
      status(409, { reason: 'Conflict', message: 'the object has been modified' }),
      { class: 'transient', code: 'Conflict' },
    ],
    [
      'has no end',
      (_request, response) => {
        const chunk = 'x'.repeat(64 * 1024);
        const pour = (): void => {
          while (!response.destroyed && response.write(chunk));
        };
        response.on('drain', pour);
        pour();
      },
      { class: 'transient', code: 'Unreachable', message: expect.stringContaining('more than') as unknown },
    ],
    [
      'breaks off',
      (_request, response) => void response.socket?.destroy(),
      { class: 'transient', code: 'Unreachable', mayHaveActed: true },
    ],
  ])('whose answer %s has failed in a way that is told', async (_what, listener, failure) => {
    const api = await server(listener);
    await expect(api.get(WORKLOAD)).rejects.toMatchObject(failure);
  });

  it('that never answers is left alone in time', async () => {
    const controller = new AbortController();
    const api = await server(() => controller.abort(), { limit: () => controller.signal });
    await expect(api.patch(SECRET, APPLY)).rejects.toMatchObject({ code: 'Unreachable', mayHaveActed: true });
  });

  it('is not quoted in what it says of a Secret', async () => {
    const quoting = { reason: 'Invalid', message: 'data[tls.key]: Invalid value: "c2VjcmV0"' };
    const api = await server(status(422, quoting));
    const refusal = (await api.patch(SECRET, APPLY).catch((error: unknown) => error)) as Error;
    expect(refusal.message).toContain('422 Invalid');
    expect(refusal.message).not.toContain('c2VjcmV0');
  });
});

import { lookup } from 'node:dns';
import { request } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { PermanentError, TransientError } from '../../core/errors.ts';
import { wasNotSent } from '../../core/http-faults.ts';
import { SECOND_MS } from '../../core/time.ts';
import { hostOf, isNeverReached } from '../../network/addresses.ts';
import { type Answer, apiFailure } from './failures.ts';

/** Where the API server is, and what signed its certificate (PEM). */
export interface Server {
  /** `https://host:port`. */
  readonly endpoint: string;
  readonly caBundle: string;
}

/** One object of one namespace. */
export interface ObjectRef {
  /** `/api/v1`, or `/apis/` and a group and version. */
  readonly api: string;
  /** As URLs and RBAC have it: lower case, in the plural. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
}

export interface Patch {
  readonly contentType: 'application/apply-patch+yaml' | 'application/merge-patch+json';
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** The two verbs that the hook has. Answers are JSON; what the server refuses is thrown. */
export interface KubernetesApi {
  get(object: ObjectRef): Promise<unknown>;
  /** Answers the object's metadata and no more: a Secret's content does not come back. */
  patch(object: ObjectRef, patch: Patch): Promise<void>;
}

const TIMEOUT_MS = 10 * SECOND_MS;

/** etcd holds no object of more than 1.5 MB; JSON with its managed fields may be longer. */
const LARGEST_ANSWER_BYTES = 4 * 1024 * 1024;

const METADATA_ONLY = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';

/** Talks to an API server whose certificate `caBundle` signed, and to nobody else. `limit` is asked once a request. */
export function kubernetesApi(
  cluster: string,
  { endpoint, caBundle }: Server,
  token: () => Promise<string>,
  limit = (): AbortSignal => AbortSignal.timeout(TIMEOUT_MS),
): KubernetesApi {
  const send = async (verb: 'get' | 'patch', object: ObjectRef, patch?: Patch): Promise<Answer> => {
    const url = new URL(pathOf(object), endpoint);
    for (const [name, value] of Object.entries(patch?.query ?? {})) url.searchParams.set(name, value);
    const doing = `${verb} of ${nameOf(object)} in cluster ${cluster}`;
    const headers = {
      authorization: `Bearer ${await token()}`,
      accept: patch === undefined ? 'application/json' : METADATA_ONLY,
    };
    const answer = await exchange({ url, verb, headers, patch, caBundle, signal: limit(), doing });
    // Redirects are none of the API's answers; whoever sends one is somebody else.
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw apiFailure({ cluster, verb, object, answer, doing });
  };
  return {
    get: async (object) => {
      const { body } = await send('get', object);
      try {
        return JSON.parse(body) as unknown;
      } catch (error) {
        throw new TransientError('AnswerUnreadable', `get of ${nameOf(object)}: no JSON`, { cause: error });
      }
    },
    patch: async (object, patch) => {
      await send('patch', object, patch);
    },
  };
}

/** `deployments/web in namespace shop`, as people say it. */
export const nameOf = ({ resource, namespace, name }: ObjectRef): string =>
  `${resource}/${name} in namespace ${namespace}`;

const pathOf = ({ api, resource, namespace, name }: ObjectRef): string =>
  `${api}/namespaces/${encodeURIComponent(namespace)}/${resource}/${encodeURIComponent(name)}`;

interface Exchange {
  readonly url: URL;
  readonly verb: 'get' | 'patch';
  readonly headers: Readonly<Record<string, string>>;
  readonly patch: Patch | undefined;
  readonly caBundle: string;
  readonly signal: AbortSignal;
  readonly doing: string;
}

function exchange({ url, verb, headers, patch, caBundle, signal, doing }: Exchange): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(networkFailure(error, doing));
    const host = hostOf(url);
    if (isIP(host) !== 0 && isNeverReached(host)) return reject(forbidden(host));
    const body = patch === undefined ? undefined : JSON.stringify(patch.body);
    const outgoing = request(
      url,
      {
        method: verb.toUpperCase(),
        // A connection of its own: between two calls of a function that was frozen, the server has closed it.
        agent: false,
        ca: caBundle,
        lookup: guardedLookup,
        signal,
        headers: { ...headers, ...(patch === undefined ? {} : { 'content-type': patch.contentType }) },
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        let size = 0;
        incoming.on('data', (chunk: Buffer) => {
          size += chunk.length;
          chunks.push(chunk);
          if (size > LARGEST_ANSWER_BYTES)
            incoming.destroy(new Error(`it answers more than ${LARGEST_ANSWER_BYTES} bytes`));
        });
        incoming.on('error', fail);
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode ?? 0,
            retryAfter: incoming.headers['retry-after'],
            body: Buffer.concat(chunks).toString('utf8'),
          }),
        );
      },
    );
    outgoing.on('error', fail);
    outgoing.on('close', () => fail(new Error('it closed the connection without an answer')));
    outgoing.end(body);
  });
}

/** The connection goes to what was looked up and judged. */
const guardedLookup: LookupFunction = (host, options, callback) => {
  lookup(host, { ...options, all: true }, (error, found) => {
    if (error !== null) return callback(error, []);
    const never = found.find(({ address }) => isNeverReached(address));
    if (never !== undefined) return callback(forbidden(never.address), []);
    const [first] = found;
    return options.all === true ? callback(null, found) : callback(null, first?.address ?? '', first?.family);
  });
};

const forbidden = (address: string): PermanentError =>
  new PermanentError('AddressForbidden', `no API server is at ${address}; correct the endpoint, or its DNS`);

const UNTRUSTED = /CERT|SELF_SIGNED|UNABLE_TO|ALTNAME|ERR_TLS/;

function networkFailure(error: Error, doing: string): Error {
  if (error instanceof PermanentError) return error;
  const { code = '', name, message } = error as Error & { readonly code?: string };
  if (name === 'AbortError') {
    const text = `${doing}: no complete answer in time`;
    return new TransientError('Unreachable', text, { cause: error, mayHaveActed: true });
  }
  const text = `${doing}: ${message}`;
  if (UNTRUSTED.test(code)) {
    const remedy = "the API server's certificate is not signed by the cluster's CA: correct caBundle, or the endpoint";
    return new PermanentError('ClusterUntrusted', `${text} (${remedy})`, { cause: error });
  }
  const remedy = isPrivate(code) ? ' (a cluster with a private endpoint only is reached from inside of its VPC)' : '';
  return new TransientError('Unreachable', text + remedy, { cause: error, mayHaveActed: !wasNotSent(code) });
}

const isPrivate = (code: string): boolean => /^(?:ENOTFOUND|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/.test(code);

import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import type { Account } from '../account.ts';
import { type ServerIdentity, serverIdentity } from '../acme/hierarchy.ts';
import { readBody } from '../wire/http.ts';
import { LoadBalancer } from '../workloads/load-balancer.ts';
import type { Program } from '../workloads/programs.ts';
import { apply, isObject, type JsonObject, type Managers, mergePatch } from './apply.ts';
import { Rbac } from './rbac.ts';
import { ApiError } from './status.ts';
import { Workload, WORKLOAD_RESOURCES, type WorkloadOptions } from './workload.ts';

/** Who calls, as AWS knows it: a role's ARN, or none for the operator. Undefined: the access key is nobody's. */
export type WhoCalls = (accessKeyId: string) => { readonly roleArn: string | undefined } | undefined;

interface Secret {
  readonly object: JsonObject;
  readonly managers: Managers;
}

interface Target {
  readonly apiGroup: string;
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
}

const PATH =
  /^\/(?:api\/v1|apis\/(?<apiGroup>apps)\/v1)\/namespaces\/(?<namespace>[^/]+)\/(?<resource>[a-z]+)\/(?<name>[^/]+)$/;
const SecretBody = z.looseObject({ data: z.record(z.string(), z.base64()), type: z.literal('kubernetes.io/tls') });

/** The API server of one EKS cluster: Secrets to be applied, workloads to be restarted, whose pods really listen. */
export class KubernetesCluster {
  readonly name: string;
  /** `METHOD path?query`, in order. */
  readonly requests: string[] = [];
  readonly rbac = new Rbac();
  /** Groups that an access entry gives to a role. */
  readonly accessEntries = new Map<string, readonly string[]>();
  readonly namespaces = new Set<string>();
  /** Roll-outs wait for this before their first pod starts, so that a test can look at one that is under way. */
  readyToRoll: () => Promise<void> = async () => undefined;
  /** While set, the answer to the request numbered so (from 0) is never sent. */
  dropAnswer: ((sequence: number) => boolean) | undefined;
  /** A webhook that looks at a Secret that is to be written. What it says is why it is not. */
  admission: ((body: string) => string | undefined) | undefined;
  readonly #account: Account;
  readonly #whoCalls: WhoCalls;
  readonly #identity: ServerIdentity;
  readonly #server: Server;
  readonly #secrets = new Map<string, Secret>();
  readonly #workloads = new Map<string, Workload>();

  private constructor(account: Account, name: string, whoCalls: WhoCalls, identity: ServerIdentity) {
    this.name = name;
    this.#account = account;
    this.#whoCalls = whoCalls;
    this.#identity = identity;
    this.#server = createServer({ key: identity.key, cert: identity.certificate }, (request, response) => {
      account.activity.background(() => this.#receive(request, response));
    });
  }

  static async start(account: Account, name: string, whoCalls: WhoCalls): Promise<KubernetesCluster> {
    const cluster = new KubernetesCluster(account, name, whoCalls, await serverIdentity([], account.clock.now()));
    cluster.#server.listen(0, '127.0.0.1');
    await once(cluster.#server, 'listening');
    return cluster;
  }

  get endpoint(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** PEM. */
  get caBundle(): string {
    return this.#identity.root;
  }

  /** Writes a Secret as another manager would. */
  applySecret(namespace: string, name: string, data: Readonly<Record<string, string>>, manager: string): void {
    const encoded = Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
    const wanted = { type: 'kubernetes.io/tls', data: Object.fromEntries(encoded) as JsonObject };
    this.#applySecret({ apiGroup: '', resource: 'secrets', namespace, name }, wanted, manager, true);
  }

  /** The Secret's data, decoded. */
  secret(namespace: string, name: string): Readonly<Record<string, string>> {
    const data = this.#secrets.get(`${namespace}/${name}`)?.object['data'];
    const entries = Object.entries(isObject(data) ? data : {});
    return Object.fromEntries(entries.map(([key, base64]) => [key, Buffer.from(String(base64), 'base64').toString()]));
  }

  /** Creates a workload in a namespace, and starts its pods. */
  async createWorkload(options: WorkloadOptions, program: Program): Promise<Workload> {
    const { namespace, secretName } = options;
    const workload = new Workload(this.#account, options, await LoadBalancer.start(), () =>
      program({
        environment: {},
        readFile: (path) => {
          const text = this.secret(namespace, secretName)[path.replace(/^\/tls\//, '')];
          if (text === undefined) throw new Error(`there is no ${path}`);
          return text;
        },
        readSecret: () => {
          throw new Error('pods have no role here');
        },
        hasSecret: () => false,
      }),
    );
    this.#workloads.set(keyOf(options), workload);
    await workload.create();
    return workload;
  }

  deleteWorkload({ options }: Workload): void {
    this.#workloads.delete(keyOf(options));
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
    await Promise.all([...this.#workloads.values()].map(({ balancer }) => balancer.close()));
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    if (body === undefined) return;
    const sequence = this.requests.push(`${request.method} ${request.url}`) - 1;
    const { status, answer } = this.#answer(request, body);
    if (this.dropAnswer?.(sequence) === true) response.destroy();
    else response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }

  #answer(request: IncomingMessage, body: string): { readonly status: number; readonly answer: object } {
    try {
      return { status: 200, answer: this.#serve(request, body) };
    } catch (error) {
      if (error instanceof ApiError) return { status: error.status, answer: error.body };
      const message = error instanceof Error ? error.message : String(error);
      this.#account.report(`cluster ${this.name}`, message);
      return { status: 500, answer: new ApiError(500, 'InternalError', message).body };
    }
  }

  #serve(request: IncomingMessage, body: string): object {
    const url = new URL(request.url ?? '/', this.endpoint);
    const groups = PATH.exec(url.pathname)?.groups;
    const known = ['secrets', ...Object.values(WORKLOAD_RESOURCES)];
    if (groups === undefined || !known.includes(groups['resource'] ?? '')) {
      throw new ApiError(404, 'NotFound', `the twin's Kubernetes does not know ${url.pathname}`);
    }
    const { apiGroup = '', namespace = '', resource = '', name = '' } = groups;
    const target = { apiGroup, namespace, resource, name };
    const verb = request.method === 'GET' ? 'get' : String(request.method).toLowerCase();
    const user = this.#authenticate(request.headers.authorization ?? '');
    const authorize = (doing: string): void => this.rbac.authorize(user.name, user.groups, { ...target, verb: doing });
    authorize(verb);
    if (!this.namespaces.has(namespace)) throw notFound('namespaces', namespace);
    const manager = url.searchParams.get('fieldManager') ?? '';
    const contentType = request.headers['content-type'];
    if (resource === 'secrets') {
      if (contentType !== 'application/apply-patch+yaml') throw unsupported(verb, contentType);
      // What is not there is created, which needs its own right.
      if (!this.#secrets.has(`${namespace}/${name}`)) authorize('create');
      const denied = this.admission?.(body);
      if (denied !== undefined) throw new ApiError(400, 'BadRequest', denied);
      const force = url.searchParams.get('force') === 'true';
      const applied = this.#applySecret(target, JSON.parse(body) as JsonObject, manager, force);
      const metadata = applied['metadata'];
      const isPartial = String(request.headers.accept).includes('as=PartialObjectMetadata');
      return isPartial ? { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata } : applied;
    }
    const workload = this.#workloads.get(`${resource}/${namespace}/${name}`);
    if (workload === undefined) throw notFound(`${resource}.apps`, name);
    if (verb === 'get') return workload.described;
    if (contentType !== 'application/merge-patch+json') throw unsupported(verb, contentType);
    mergePatch(workload.object, JSON.parse(body) as JsonObject);
    workload.reconcile(() => this.readyToRoll());
    return workload.described;
  }

  #applySecret({ namespace, name }: Target, body: JsonObject, manager: string, force: boolean): JsonObject {
    const wanted = SecretBody.safeParse(body);
    if (!wanted.success) throw new ApiError(422, 'Invalid', `Secret "${name}" is invalid`);
    const key = `${namespace}/${name}`;
    const secret = this.#secrets.get(key) ?? { object: { metadata: { name, namespace } }, managers: new Map() };
    apply(secret.object, secret.managers, { manager, wanted: body, force });
    this.#secrets.set(key, secret);
    return secret.object;
  }

  /** The token is the URL of an STS call, which says whose access key signed it. */
  #authenticate(authorization: string): { readonly name: string; readonly groups: readonly string[] } {
    const token = /^Bearer k8s-aws-v1\.([\w-]+)$/.exec(authorization)?.[1] ?? '';
    const url = URL.parse(Buffer.from(token, 'base64url').toString());
    const query = (name: string): string => url?.searchParams.get(name) ?? '';
    const isForCluster = query('X-Amz-SignedHeaders').split(';').includes('x-k8s-aws-id');
    if (url === null || query('Action') !== 'GetCallerIdentity' || !isForCluster) throw unauthorized();
    const caller = this.#whoCalls(query('X-Amz-Credential').split('/')[0] ?? '');
    if (caller === undefined) throw unauthorized();
    const { roleArn } = caller;
    if (roleArn === undefined) return { name: 'operator', groups: ['system:masters'] };
    const groups = this.accessEntries.get(roleArn);
    if (groups === undefined) throw unauthorized();
    return { name: roleArn, groups };
  }
}

const keyOf = ({ kind, namespace, name }: WorkloadOptions): string =>
  `${WORKLOAD_RESOURCES[kind]}/${namespace}/${name}`;

const notFound = (resource: string, name: string): ApiError =>
  new ApiError(404, 'NotFound', `${resource} "${name}" not found`);

const unauthorized = (): ApiError => new ApiError(401, 'Unauthorized', 'Unauthorized');

const unsupported = (verb: string, contentType: string | undefined): ApiError =>
  new ApiError(415, 'UnsupportedMediaType', `the twin's Kubernetes does not know ${verb} with ${contentType}`);

import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Processes } from '../peers/processes.ts';
import { freePort } from '../peers/servers/free-port.ts';
import { askFor } from '../peers/servers/http.ts';
import { startServer } from '../peers/servers/server.ts';
import { makeTlsFiles, type TlsFiles } from '../peers/servers/tls.ts';
import { words } from '../peers/words.ts';
import { Authenticator, type Entry } from './authenticator.ts';
import { readSettings } from './settings.ts';

const ADMIN_TOKEN = 'made-for-this-run';

/** An API server with its etcd, as one file of tests has it to itself. No node, no scheduler: pods are made and never run. */
export class Cluster {
  readonly name: string;
  readonly endpoint: string;
  /** PEM. */
  readonly caBundle: string;
  readonly #processes: Processes;
  readonly #authenticator: Authenticator;
  readonly #kubeconfig: string;

  private constructor(
    name: string,
    processes: Processes,
    authenticator: Authenticator,
    server: { endpoint: string; files: TlsFiles; folder: string },
  ) {
    this.name = name;
    this.endpoint = server.endpoint;
    this.caBundle = readFileSync(server.files.caFile, 'utf8');
    this.#processes = processes;
    this.#authenticator = authenticator;
    this.#kubeconfig = join(server.folder, 'kubeconfig');
    const connection = { server: server.endpoint, 'certificate-authority': server.files.caFile };
    writeKubeconfig(this.#kubeconfig, connection, { token: ADMIN_TOKEN });
  }

  static async start(name: string, entries: readonly Entry[]): Promise<Cluster> {
    const { folder, programs } = readSettings();
    const processes = new Processes(folder);
    const authenticator = await Authenticator.start(name, entries);
    const home = processes.newFolder('cluster');
    const [etcd, etcdPeer, port, files] = await Promise.all([freePort(), freePort(), freePort(), makeTlsFiles(home)]);
    const etcdUrl = `http://127.0.0.1:${etcd}`;
    await startServer(processes, {
      program: programs.etcd,
      parameters: words`--data-dir ${join(home, 'data')} --listen-client-urls ${etcdUrl} --advertise-client-urls ${etcdUrl}
        --listen-peer-urls ${`http://127.0.0.1:${etcdPeer}`} --unsafe-no-fsync`,
      folder: processes.newFolder('etcd'),
      serves: () => askFor(`${etcdUrl}/health`),
    });
    const endpoint = `https://127.0.0.1:${port}`;
    await startServer(processes, {
      program: programs.apiServer,
      parameters: apiServerParameters({ home, etcdUrl, port, files, webhook: authenticator.url }),
      folder: processes.newFolder('apiserver'),
      serves: () => askFor(`${endpoint}/livez`, { ca: readFileSync(files.caFile, 'utf8') }),
    });
    return new Cluster(name, processes, authenticator, { endpoint, files, folder: home });
  }

  async startControllerManager(): Promise<void> {
    const folder = this.#processes.newFolder('controller-manager');
    const controllers = 'deployment,replicaset,statefulset,daemonset';
    await startServer(this.#processes, {
      program: readSettings().programs.controllerManager,
      parameters: words`--kubeconfig ${this.#kubeconfig} --controllers ${controllers} --leader-elect=false --secure-port 0`,
      folder,
      // It listens nowhere. That it works is seen at what it works on.
      serves: async () => undefined,
    });
  }

  /** As an administrator. `input` is what kubectl reads from a file. */
  async kubectl(parameters: readonly string[], input?: unknown): Promise<string> {
    const file = join(this.#processes.newFolder('kubectl'), 'input.json');
    if (input !== undefined) writeFileSync(file, typeof input === 'string' ? input : JSON.stringify(input));
    const from = input === undefined ? [] : ['--filename', file];
    const { kubectl } = readSettings().programs;
    return this.#processes.succeed(kubectl, ['--kubeconfig', this.#kubeconfig, ...parameters, ...from]);
  }

  async stop(): Promise<void> {
    this.#authenticator.stop();
    await this.#processes.stop();
  }
}

interface ApiServerSettings {
  readonly home: string;
  readonly etcdUrl: string;
  readonly port: number;
  readonly files: TlsFiles;
  readonly webhook: string;
}

function apiServerParameters({ home, etcdUrl, port, files, webhook }: ApiServerSettings): readonly string[] {
  const at = (name: string): string => join(home, name);
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(at('service-account.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  writeFileSync(at('tokens.csv'), `${ADMIN_TOKEN},admin,admin,system:masters\n`, { mode: 0o600 });
  writeKubeconfig(at('webhook'), { server: webhook }, {});
  // A loopback address is none that the API server could tell to others.
  return words`--etcd-servers ${etcdUrl} --bind-address 127.0.0.1 --secure-port ${String(port)} --cert-dir ${home}
    --advertise-address 127.0.0.1 --endpoint-reconciler-type none --service-cluster-ip-range 10.0.0.0/24
    --tls-cert-file ${files.certificateFile} --tls-private-key-file ${files.keyFile}
    --service-account-issuer https://kubernetes.default.svc --service-account-key-file ${at('service-account.key')}
    --service-account-signing-key-file ${at('service-account.key')} --disable-admission-plugins ServiceAccount
    --token-auth-file ${at('tokens.csv')} --authentication-token-webhook-config-file ${at('webhook')}
    --authentication-token-webhook-version v1 --authorization-mode RBAC`;
}

/** JSON is YAML. */
function writeKubeconfig(file: string, cluster: object, user: object): void {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
}

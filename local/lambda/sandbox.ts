import { randomUUID } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import type { Network } from '../network.ts';
import type { Credentials } from '../wire/credentials.ts';
import type { KeyWatch } from '../wire/key-watch.ts';
import type { FunctionFailure, Invoke, Report, SandboxData } from './protocol.ts';

/** Loading a bundle is not part of an invocation's time, but may not take for ever. */
const LOADING_TIMEOUT_MS = 30_000;

export interface FunctionSettings {
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
  readonly roleArn: string;
  readonly taskRoot: string;
  readonly handler: string;
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  readonly concurrency: number;
  readonly logGroupName: string;
  readonly environment: Readonly<Record<string, string>>;
}

export type Outcome =
  { readonly ok: true; readonly payload: unknown } | { readonly ok: false; readonly failure: FunctionFailure };

export interface SandboxHost {
  readonly lag: BigInt64Array;
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: Credentials;
  readonly keyWatch: KeyWatch;
  readonly network: Network;
  /** What functions know as /tmp, as long as they ask the system for its name. */
  readonly temporaryFolder: string;
  readonly print: (settings: FunctionSettings, text: string) => void;
  readonly ended: (settings: FunctionSettings, outcome: Outcome) => void;
}

/** One worker: an execution environment that takes one invocation at a time, under credentials of its own. */
export class Sandbox {
  readonly #settings: FunctionSettings;
  readonly #host: SandboxHost;
  readonly #worker: Worker;
  readonly #accessKeyId: string;
  readonly #exited: Promise<unknown>;
  #ready = false;
  #alive = true;
  #pending: { readonly invoke: Invoke; readonly settle: (outcome: Outcome) => void } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(settings: FunctionSettings, host: SandboxHost) {
    this.#settings = settings;
    this.#host = host;
    const keys = host.credentials.issue({
      name: settings.logicalId,
      caller: { roleArn: settings.roleArn, sessionName: settings.name },
      invocationId: () => this.#pending?.invoke.requestId,
      kill: () => this.close('RequestId: killed Error: Runtime exited with error: signal: killed'),
    });
    this.#accessKeyId = keys.accessKeyId;
    const data: SandboxData = {
      ...settings,
      lag: host.lag,
      functionName: settings.name,
      functionArn: settings.arn,
      network: host.network.settings,
    };
    this.#worker = new Worker(new URL('worker.ts', import.meta.url), {
      workerData: data,
      execArgv: [],
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: settings.memoryMb },
      env: {
        ...settings.environment,
        AWS_REGION: host.region,
        AWS_DEFAULT_REGION: host.region,
        AWS_ENDPOINT_URL: host.endpoint,
        AWS_ACCESS_KEY_ID: keys.accessKeyId,
        AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
        AWS_SESSION_TOKEN: randomUUID(),
        AWS_LAMBDA_FUNCTION_NAME: settings.name,
        AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(settings.memoryMb),
        AWS_LAMBDA_LOG_GROUP_NAME: settings.logGroupName,
        AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
        AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
        AWS_EC2_METADATA_DISABLED: 'true',
        // The SDK would find the user's own files through the home directory.
        AWS_CONFIG_FILE: '/dev/null',
        AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
        LAMBDA_TASK_ROOT: settings.taskRoot,
        _HANDLER: settings.handler,
        TMPDIR: host.temporaryFolder,
        TZ: 'UTC',
      },
    });
    this.#worker.on('message', (report: Report) => this.#hear(report));
    this.#worker.on('error', (error) => {
      this.#alive = false;
      this.#fail('Runtime.UnhandledError', String(error));
    });
    this.#exited = new Promise((resolve) => this.#worker.once('exit', resolve));
    this.#worker.once('exit', () => {
      this.#alive = false;
      host.credentials.revoke(this.#accessKeyId);
      this.#fail('Runtime.ExitError', 'Runtime exited without providing a reason');
    });
  }

  /** Whether it may take another invocation. */
  get alive(): boolean {
    return this.#alive;
  }

  run(requestId: string, event: string): Promise<Outcome> {
    const timeoutMs = this.#settings.timeoutSeconds * 1_000;
    return new Promise((settle) => {
      this.#pending = { invoke: { requestId, event, timeoutMs }, settle };
      if (this.#ready) this.#start();
      else this.#timer = setTimeout(() => this.#expire('Runtime.InitTimedout', LOADING_TIMEOUT_MS), LOADING_TIMEOUT_MS);
    });
  }

  /** Ends the worker; an invocation that is running fails for `reason`. */
  async close(reason: string): Promise<void> {
    this.#alive = false;
    this.#fail('Runtime.ExitError', reason);
    await this.#worker.terminate();
    await this.#exited;
  }

  #start(): void {
    if (this.#pending === undefined) return;
    clearTimeout(this.#timer);
    const { invoke } = this.#pending;
    this.#timer = setTimeout(() => this.#expire('Sandbox.Timedout', invoke.timeoutMs), invoke.timeoutMs);
    this.#worker.postMessage(invoke, []);
  }

  #hear(report: Report): void {
    switch (report.kind) {
      case 'ready':
        this.#ready = true;
        return this.#start();
      case 'print':
        return this.#host.print(this.#settings, report.text);
      case 'key':
        return this.#host.keyWatch.learn(report.pem);
      case 'result':
        return this.#settle({ ok: true, payload: JSON.parse(report.payload) });
      case 'failure':
        // A bundle that does not load never will: the next invocation deserves a new worker and the same answer.
        if (!this.#ready) this.#alive = false;
        return this.#settle({ ok: false, failure: report.failure });
    }
  }

  #expire(errorType: string, limitMs: number): void {
    this.#alive = false;
    const seconds = (limitMs / 1_000).toFixed(2);
    this.#fail(
      errorType,
      `RequestId: ${this.#pending?.invoke.requestId} Error: Task timed out after ${seconds} seconds`,
    );
  }

  #fail(errorType: string, errorMessage: string): void {
    this.#settle({ ok: false, failure: { errorType, errorMessage } });
  }

  #settle(outcome: Outcome): void {
    clearTimeout(this.#timer);
    const pending = this.#pending;
    this.#pending = undefined;
    const channel = outcome.ok ? 'result' : 'error';
    this.#host.keyWatch.search(channel, this.#settings.logicalId, JSON.stringify(outcome));
    pending?.settle(outcome);
  }
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Account, Activity, type Problem } from './account.ts';
import { VirtualClock } from './clock.ts';
import { compose, type Composition } from './composition.ts';
import type { DnsServer } from './dns/server.ts';
import type { UnusedGrant } from './iam/roles.ts';
import type { FunctionSettings } from './lambda/sandbox.ts';
import type { Network } from './network.ts';
import type { Ecs } from './services/ecs/ecs.ts';
import type { Eks } from './services/eks.ts';
import type { Route53 } from './services/route53/route53.ts';
import type { SecretsManager } from './services/secrets-manager.ts';
import type { Queue } from './services/sqs/queue.ts';
import type { Resource } from './stack/resource.ts';
import { type Assembly, loadAssembly } from './template/assembly.ts';
import type { CallRecord, Middleware } from './wire/call.ts';
import type { KeyPair } from './wire/credentials.ts';
import { KeyWatch } from './wire/key-watch.ts';
import { WireServer } from './wire/server.ts';
import type { JsonService } from './wire/service.ts';

export interface LogEntry {
  /** The virtual clock. */
  readonly at: number;
  /** Its logical id. */
  readonly function: string;
  readonly line: string;
}

/** One run of a function, from outside. */
export interface Invocation {
  /** The virtual clock at its end. */
  readonly at: number;
  /** Its logical id. */
  readonly function: string;
  readonly ok: boolean;
}

export interface TwinOptions {
  /** A cloud assembly: what `cdk synth` wrote. */
  readonly assemblyDir: string;
  /** Needed when the assembly holds more than one stack. */
  readonly stackName?: string;
  readonly accountId?: string;
  readonly region?: string;
  /** Where the virtual clock starts, in milliseconds since the epoch; now, when absent. Never ahead of wall time. */
  readonly startAt?: number;
  /** Further services, beside those of the composition or instead of one of them. */
  readonly services?: (account: Account) => readonly JsonService[];
  readonly onLog?: (entry: LogEntry) => void;
  readonly maxWorkersPerFunction?: number;
  /** Where the DNS server listens, for programs that are told before it runs; any free port, when absent. */
  readonly dnsPort?: number;
}

/** What a handler threw, or why it could not run. */
export class FunctionError extends Error {
  override readonly name = 'FunctionError';
  readonly errorType: string;

  constructor(errorType: string, message: string) {
    super(message);
    this.errorType = errorType;
  }
}

/** A stand-in for one AWS account on loopback, with one stack of a CDK app in it. A development tool. */
export class Twin {
  readonly keyWatch = new KeyWatch();
  readonly logs: LogEntry[] = [];
  readonly invocations: Invocation[] = [];
  readonly problems: Problem[] = [];
  readonly clock: VirtualClock;
  /** Where functions find their temporary files. Gone after `close`. */
  readonly temporaryFolder = mkdtempSync(join(tmpdir(), 'everleaf-functions-'));
  readonly account: Account;
  /** May do everything: for tests and the command line. */
  readonly operatorCredentials: KeyPair;
  readonly #server: WireServer;
  readonly #parts: Composition;

  private constructor(options: TwinOptions, assembly: Assembly, server: WireServer, endpoint: string) {
    this.#server = server;
    this.clock = new VirtualClock(options.startAt);
    this.account = {
      accountId: options.accountId ?? assembly.accountId ?? '111122223333',
      region: options.region ?? assembly.region ?? 'us-east-1',
      stackName: assembly.stackName,
      endpoint,
      clock: this.clock,
      activity: new Activity(),
      report: (source, message) => this.problems.push({ at: this.clock.now(), source, message }),
    };
    this.#parts = compose(this.account, {
      keyWatch: this.keyWatch,
      maxWorkers: options.maxWorkersPerFunction ?? 4,
      temporaryFolder: this.temporaryFolder,
      services: options.services ?? (() => []),
      print: (settings, text) => this.#print(settings, text, options.onLog),
      ended: ({ logicalId }, { ok }) => void this.invocations.push({ at: this.clock.now(), function: logicalId, ok }),
    });
    this.operatorCredentials = this.#parts.credentials.issue({ name: 'operator' });
    server.connect(this.#parts.wiring);
  }

  /** Brings a stack to life. When that fails nothing is left behind, as nothing is after `close`. */
  static async start(options: TwinOptions): Promise<Twin> {
    const assembly = loadAssembly(options.assemblyDir, options.stackName);
    const server = new WireServer();
    const twin = new Twin(options, assembly, server, await server.listen());
    try {
      await twin.#parts.tables.listen();
      await twin.dns.listen(options.dnsPort);
      await twin.#parts.deployment.apply(assembly);
    } catch (error) {
      await twin.close();
      throw error;
    }
    return twin;
  }

  get endpoint(): string {
    return this.account.endpoint;
  }

  get outputs(): Readonly<Record<string, string>> {
    return this.#parts.deployment.outputs;
  }

  get eks(): Eks {
    return this.#parts.eks;
  }

  get ecs(): Ecs {
    return this.#parts.ecs;
  }

  get route53(): Route53 {
    return this.#parts.route53;
  }

  get secrets(): SecretsManager {
    return this.#parts.secrets;
  }

  /** Answers for the zones of `route53`. */
  get dns(): DnsServer {
    return this.#parts.dns;
  }

  /** What functions reach beside AWS. */
  get network(): Network {
    return this.#parts.network;
  }

  get calls(): readonly CallRecord[] {
    return this.#server.calls;
  }

  unusedGrants(): UnusedGrant[] {
    return this.#parts.roles.unusedGrants();
  }

  /** What `Ref` gives for a resource: by logical id, or by the part of it that the CDK app chose. */
  physicalId(logicalId: string): string {
    return this.#resource(logicalId).physicalId;
  }

  queue(logicalId: string): Queue {
    return this.#parts.queues.byUrl(this.#resource(logicalId, 'AWS::SQS::Queue').physicalId);
  }

  function(logicalId: string): FunctionSettings {
    return this.#parts.functions.find(this.#resource(logicalId, 'AWS::Lambda::Function').physicalId);
  }

  /** Keys of a session of a role of the stack: to call as its function would. */
  credentialsOf(roleLogicalId: string): KeyPair {
    const { logicalId, attributes } = this.#resource(roleLogicalId, 'AWS::IAM::Role');
    const caller = { roleArn: attributes['Arn'] ?? '', sessionName: logicalId };
    return this.#parts.credentials.issue({ name: logicalId, caller });
  }

  /** Puts itself between every call and its service, the latest innermost; the answer takes it away again. */
  use(middleware: Middleware): () => void {
    return this.#server.use(middleware);
  }

  /** Fires every schedule rule once; what that starts is under way when this resolves. */
  async tick(): Promise<void> {
    await this.account.activity.track(async () => this.#parts.buses.fireSchedules());
  }

  /** Moves the clock, which releases the messages that become due, and fires every schedule rule once. */
  async advance(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.tick();
  }

  /** Nothing runs, and no queue that a function reads has a visible message. Delayed and failed messages may wait. */
  async settled(): Promise<void> {
    await this.account.activity.settled();
  }

  /**
   * As `settled`, with messages of `queue` that are delayed by up to `limitMs` delivered on the way: time is moved to each.
   */
  async settledAfterDelays(queue: string, limitMs: number): Promise<void> {
    for (;;) {
      await this.settled();
      const waits = this.queue(queue)
        .messages()
        .map(({ visibleAt }) => Math.max(0, visibleAt - this.clock.now()));
      const next = Math.min(...waits);
      if (next > limitMs) return;
      await this.clock.pass(Math.ceil(next));
    }
  }

  async invoke(logicalId: string, event: unknown): Promise<unknown> {
    const outcome = await this.#parts.functions.invoke(this.function(logicalId).arn, event);
    if (!outcome.ok) throw new FunctionError(outcome.failure.errorType, outcome.failure.errorMessage);
    return outcome.payload;
  }

  /** Ends the workers of a function that are idle, as AWS does after a quiet hour. */
  async cool(logicalId: string): Promise<void> {
    await this.#parts.functions.cool(this.function(logicalId).arn);
  }

  /** Deploys a new assembly of the same stack over this one. */
  async update(assemblyDir: string): Promise<void> {
    await this.#parts.deployment.apply(loadAssembly(assemblyDir, this.account.stackName));
  }

  async destroy(): Promise<void> {
    await this.#parts.deployment.destroy();
  }

  async close(): Promise<void> {
    this.clock.stop();
    this.#parts.mappings.close();
    await this.#parts.functions.close();
    await this.#parts.ecs.close();
    await this.#parts.eks.close();
    await this.#server.close();
    await this.dns.close();
    await this.#parts.tables.close();
    rmSync(this.temporaryFolder, { recursive: true, force: true });
  }

  #print({ logicalId }: FunctionSettings, text: string, onLog?: (entry: LogEntry) => void): void {
    this.keyWatch.search('log', logicalId, text);
    for (const line of text.replace(/\n$/, '').split('\n')) {
      const entry = { at: this.clock.now(), function: logicalId, line };
      this.logs.push(entry);
      onLog?.(entry);
    }
  }

  /** CDK's logical ids are the construct's path and eight characters of a hash; the path alone will do. */
  #resource(logicalId: string, type?: string): Resource {
    const candidates = [...this.#parts.deployment.resources.values()].filter(
      (resource) => type === undefined || resource.type === type,
    );
    const exact = candidates.filter(({ logicalId: id }) => id === logicalId || id.slice(0, -8) === logicalId);
    const found = exact.length > 0 ? exact : candidates.filter(({ logicalId: id }) => id.startsWith(logicalId));
    const [resource, ...others] = found;
    if (resource !== undefined && others.length === 0) return resource;
    const names = (found.length > 0 ? found : candidates).map(({ logicalId: id }) => id).join(', ');
    throw new Error(`${logicalId} names ${found.length} resources of this stack; there are: ${names}`);
  }
}

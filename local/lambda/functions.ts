import type { z } from 'zod';
import type { Account } from '../account.ts';
import { parsePolicy, judge, type Statement } from '../iam/policy.ts';
import type { Roles } from '../iam/roles.ts';
import type { S3 } from '../services/s3.ts';
import type { Queues } from '../services/sqs/queues.ts';
import type { Resource, ResourceKind } from '../stack/resource.ts';
import { AwsError } from '../wire/service.ts';
import { failureRecord } from './destination.ts';
import { FunctionProperties, InvokeConfigProperties, PermissionProperties } from './properties.ts';
import { SandboxPool } from './pool.ts';
import type { FunctionSettings, Outcome, SandboxHost } from './sandbox.ts';

/** Lambda's own number of further attempts at an asynchronous invocation. */
const DEFAULT_RETRIES = 2;

type InvokeConfig = z.infer<typeof InvokeConfigProperties>;

export interface FunctionsHost extends SandboxHost {
  readonly account: Account;
  readonly roles: Roles;
  readonly queues: Queues;
  readonly assets: S3;
  readonly maxWorkers: number;
}

/** The functions of the template, and the ways in which AWS invokes them. */
export class Functions {
  readonly #host: FunctionsHost;
  readonly #pools = new Map<string, SandboxPool>();
  /** Replaced by an update, perhaps still busy. */
  readonly #retired: SandboxPool[] = [];
  readonly #permissions = new Map<string, Statement[]>();
  readonly #invokeConfigs = new Map<string, InvokeConfig>();
  readonly #deadLetterArns = new Map<string, string | undefined>();

  constructor(host: FunctionsHost) {
    this.#host = host;
  }

  readonly kinds: Readonly<Record<string, ResourceKind>> = {
    'AWS::Lambda::Function': {
      apply: (resource) => this.#applyFunction(resource),
      remove: ({ attributes }) => this.#retire(attributes['Arn'] ?? ''),
    },
    'AWS::Lambda::Permission': {
      apply: ({ logicalId, properties }) =>
        void this.#permissions.set(logicalId, this.#permission(logicalId, properties)),
      remove: ({ logicalId }) => void this.#permissions.delete(logicalId),
    },
    'AWS::Lambda::EventInvokeConfig': {
      apply: ({ logicalId, properties }) =>
        void this.#invokeConfigs.set(logicalId, InvokeConfigProperties.parse(properties)),
      remove: ({ logicalId }) => void this.#invokeConfigs.delete(logicalId),
    },
  };

  /** By ARN or name. */
  find(reference: string): FunctionSettings {
    return this.#pool(reference).settings;
  }

  /** Waits for the answer, as the caller of a synchronous invocation does. */
  async invoke(reference: string, event: unknown): Promise<Outcome> {
    return await this.#host.account.activity.track(() => this.#pool(reference).invoke(event));
  }

  /** An event that an AWS service hands over: the function's own policy decides whether it may. */
  invokeAsService(arn: string, service: string, sourceArn: string, event: unknown): void {
    const context = { 'aws:SourceArn': sourceArn, 'aws:SourceAccount': this.#host.account.accountId };
    const request = { action: 'lambda:InvokeFunction', resource: arn, context, service };
    if (judge([...this.#permissions.values()].flat(), request) !== 'allowed') {
      throw new AwsError('NO_PERMISSIONS', `no AWS::Lambda::Permission lets ${service} invoke ${arn} for ${sourceArn}`);
    }
    this.#host.account.activity.background(async () => void (await this.invokeAsync(arn, event)));
  }

  /** Tries again as often as configured, at once; then the failure goes where the template says. The last outcome. */
  async invokeAsync(reference: string, event: unknown): Promise<Outcome> {
    const { arn, name } = this.find(reference);
    const config = [...this.#invokeConfigs.values()].find(({ FunctionName }) => [arn, name].includes(FunctionName));
    const attempts = 1 + (config?.MaximumRetryAttempts ?? DEFAULT_RETRIES);
    let outcome = await this.#pool(arn).invoke(event);
    let attempt = 1;
    for (; !outcome.ok && attempt < attempts; attempt += 1) outcome = await this.#pool(arn).invoke(event);
    if (outcome.ok) return outcome;
    const { account } = this.#host;
    account.report(arn, `${outcome.failure.errorType}: ${outcome.failure.errorMessage}`);
    const onFailure = config?.DestinationConfig?.OnFailure?.Destination;
    const record = failureRecord(arn, event, outcome, attempt, account.clock.now());
    if (onFailure !== undefined) this.#bury(arn, onFailure, record);
    const deadLetterArn = this.#deadLetterArns.get(arn);
    if (deadLetterArn !== undefined) this.#bury(arn, deadLetterArn, event);
    return outcome;
  }

  /** As after a quiet hour: the function's idle workers are gone, and what they knew with them. */
  async cool(reference: string): Promise<void> {
    await this.#pool(reference).cool();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values(), ...this.#retired].map((pool) => pool.close()));
  }

  #pool(reference: string): SandboxPool {
    const pool =
      this.#pools.get(reference) ?? [...this.#pools.values()].find(({ settings }) => settings.name === reference);
    if (pool === undefined) throw new Error(`there is no function ${reference}`);
    return pool;
  }

  /** Lambda sends under the function's own role; what that role may not do is lost, and on record. */
  #bury(functionArn: string, queueArn: string, body: unknown): void {
    const { account, roles, queues } = this.#host;
    const { roleArn, name } = this.find(functionArn);
    try {
      roles.authorize({ roleArn, sessionName: name }, 'sqs:SendMessage', queueArn);
      queues.byArn(queueArn).send({ body: JSON.stringify(body) });
    } catch (error) {
      account.report(functionArn, `its failure could not be sent to ${queueArn}: ${String(error)}`);
    }
  }

  async #applyFunction({ logicalId, physicalId, properties, attributes }: Resource): Promise<void> {
    const template = FunctionProperties.parse(properties);
    const { roles, assets, maxWorkers } = this.#host;
    roles.requireTrust(template.Role, 'lambda.amazonaws.com');
    const { S3Bucket, S3Key } = template.Code;
    const logging = template.LoggingConfig;
    const settings: FunctionSettings = {
      logicalId,
      name: physicalId,
      arn: attributes['Arn'] ?? '',
      roleArn: template.Role,
      taskRoot: assets.asset(S3Bucket, S3Key).path,
      handler: template.Handler,
      memoryMb: template.MemorySize,
      timeoutSeconds: template.Timeout,
      concurrency: Math.min(maxWorkers, template.ReservedConcurrentExecutions ?? maxWorkers),
      logGroupName: logging?.LogGroup ?? `/aws/lambda/${physicalId}`,
      environment: {
        ...template.Environment?.Variables,
        ...(logging !== undefined && { AWS_LAMBDA_LOG_FORMAT: logging.LogFormat }),
        ...(logging?.ApplicationLogLevel !== undefined && { AWS_LAMBDA_LOG_LEVEL: logging.ApplicationLogLevel }),
      },
    };
    this.#checkRuntimeGrants(settings, template.TracingConfig?.Mode === 'Active');
    await this.#retire(settings.arn);
    this.#pools.set(settings.arn, new SandboxPool(settings, this.#host));
    this.#deadLetterArns.set(settings.arn, template.DeadLetterConfig?.TargetArn);
  }

  /** Lambda itself logs and traces under the function's role; without the grant it does neither, and says nothing. */
  #checkRuntimeGrants({ name, arn, roleArn, logGroupName }: FunctionSettings, isTraced: boolean): void {
    const { account, roles } = this.#host;
    const stream = `arn:aws:logs:${account.region}:${account.accountId}:log-group:${logGroupName}:log-stream:twin`;
    const needed = ['logs:CreateLogStream', 'logs:PutLogEvents'].map((action) => [action, stream] as const);
    const traced = ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'].map((action) => [action, '*'] as const);
    for (const [action, resource] of isTraced ? [...needed, ...traced] : needed) {
      if (roles.judge({ roleArn, sessionName: name }, action, resource) === 'allowed') continue;
      account.report(arn, `its role does not allow ${action} on ${resource}`);
    }
  }

  #permission(logicalId: string, properties: unknown): Statement[] {
    const { Action, FunctionName, Principal, SourceArn, SourceAccount } = PermissionProperties.parse(properties);
    const Condition = {
      ...(SourceArn !== undefined && { ArnLike: { 'aws:SourceArn': SourceArn } }),
      ...(SourceAccount !== undefined && { StringEquals: { 'aws:SourceAccount': SourceAccount } }),
    };
    const Resource = this.find(FunctionName).arn;
    const statement = { Effect: 'Allow', Principal: { Service: Principal }, Action, Resource, Condition };
    return parsePolicy({ Statement: [statement] }, logicalId);
  }

  async #retire(arn: string): Promise<void> {
    const pool = this.#pools.get(arn);
    if (pool === undefined) return;
    this.#pools.delete(arn);
    this.#retired.push(pool);
    await pool.retire();
  }
}

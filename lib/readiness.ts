import { CustomResource, Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { CertificateId } from '../functions/core/certificate.ts';
import { acknowledgeFindings } from './acknowledgements.ts';
import { EverleafFunction, type FunctionRuntime } from './everleaf-function.ts';
import type { InventoryTable } from './inventory-table.ts';

export interface ReadyOptions {
  /**
   * How long to wait for the first issuance, 1 to 14 whole minutes. Past it the deployment fails and is rolled back.
   * @default 10 minutes
   */
  readonly timeout?: Duration;
  /**
   * Where it stands: in the stack of the service that waits, a failure rolls back that stack alone.
   * @default the Everleaf construct
   */
  readonly scope?: Construct;
}

export interface ReadinessProps {
  readonly inventory: InventoryTable;
  readonly runtime: FunctionRuntime;
  /** What has to work before anything can be issued. */
  readonly after: readonly Construct[];
}

const DEFAULT_TIMEOUT = Duration.minutes(10);
/** A function ends after fifteen minutes; the last one is for the answer. */
const LONGEST_MINUTES = 14;

/** Makes "has been issued" something that other resources can depend on. The function behind it is made when first asked for. */
export class Readiness {
  readonly #scope: Construct;
  readonly #props: ReadinessProps;
  readonly #known = new Map<string, CertificateReady>();
  #function: EverleafFunction | undefined;

  constructor(scope: Construct, props: ReadinessProps) {
    this.#scope = scope;
    this.#props = props;
  }

  of(certificate: CertificateId, { timeout = DEFAULT_TIMEOUT, scope = this.#scope }: ReadyOptions): CertificateReady {
    const minutes = timeout.toMinutes({ integral: false });
    if (!Number.isInteger(minutes) || minutes < 1 || minutes > LONGEST_MINUTES) {
      throw new Error(
        `Everleaf: timeout is ${timeout.toHumanString()}; it must be 1 to ${LONGEST_MINUTES} whole minutes`,
      );
    }
    const id = `Ready-${certificate.replace('/', '-')}`;
    const known = this.#known.get(`${scope.node.path}/${id}`);
    if (known !== undefined) return known;
    const ready = new CertificateReady(scope, id, { certificate, timeout, waiter: this.#waiter() });
    ready.node.addDependency(...this.#props.after);
    this.#known.set(`${scope.node.path}/${id}`, ready);
    return ready;
  }

  #waiter(): EverleafFunction {
    if (this.#function !== undefined) return this.#function;
    const { inventory, runtime } = this.#props;
    this.#function = new EverleafFunction(this.#scope, 'Ready', {
      name: 'ready',
      description: 'Everleaf: answers a deployment when a certificate has been issued',
      timeout: Duration.minutes(LONGEST_MINUTES + 1),
      memoryMiB: 256,
      environment: { TABLE_NAME: inventory.table.tableName },
      runtime,
    });
    inventory.allowRead(this.#function);
    acknowledgeFindings(this.#scope);
    return this.#function;
  }
}

interface CertificateReadyProps {
  readonly certificate: CertificateId;
  readonly timeout: Duration;
  readonly waiter: EverleafFunction;
}

/**
 * Created once a certificate has been issued; fails at once when it is blocked, and when the time is over. Then the stack it
 * stands in is rolled back: what depended on it was never started. Everleaf goes on trying, unless it is that very stack's.
 * Where the certificate is there already, nothing is waited for; nor when this is removed.
 */
export class CertificateReady extends Construct {
  constructor(scope: Construct, id: string, { certificate, timeout, waiter }: CertificateReadyProps) {
    super(scope, id);
    const resource = new CustomResource(this, 'Resource', {
      resourceType: 'Custom::EverleafReady',
      serviceToken: waiter.lambda.functionArn,
      properties: { Certificate: certificate, TimeoutSeconds: timeout.toSeconds() },
      serviceTimeout: timeout.plus(Duration.minutes(1)),
    });
    resource.node.addDependency(waiter.role);
  }
}

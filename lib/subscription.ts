import { type EventBus, type IRuleTarget, Rule } from 'aws-cdk-lib/aws-events';
import type { Construct } from 'constructs';
import type { CertificateId } from '../functions/core/certificate.ts';
import { EVENT_SOURCE } from '../functions/core/events.ts';

/** `detail-type` of the events behind each method. */
export const DETAIL_TYPES = {
  Rotated: ['Certificate Rotated'],
  Deployed: ['Certificate Deployed'],
  Failed: [
    'Certificate Renewal Failed',
    'Certificate Deployment Failed',
    'Certificate Rolled Back',
    'Certificate Revocation Failed',
  ],
} as const;

export interface SubscriptionOptions {
  /**
   * Where the events go; AWS takes five at the most.
   * @default none yet: `addTarget` of the rule
   */
  readonly targets?: readonly IRuleTarget[];
  /**
   * Where the rule is made: in a stack of the subscriber's, its removal leaves Everleaf alone.
   * @default the Everleaf construct
   */
  readonly scope?: Construct;
  /**
   * The rule's id in its scope.
   * @default what it is for, and the certificate: one rule for each
   */
  readonly id?: string;
  /** @default a sentence that says what it is for */
  readonly description?: string;
}

/** A rule on the bus whose pattern is exact: this source, these types, this certificate. */
export function subscribe(
  everleaf: Construct,
  bus: EventBus,
  what: keyof typeof DETAIL_TYPES,
  certificate: CertificateId | undefined,
  options: SubscriptionOptions,
): Rule {
  const { targets = [], scope = everleaf } = options;
  const id = options.id ?? `On${what}${certificate === undefined ? '' : `-${certificate.replace('/', '-')}`}`;
  if (scope.node.tryFindChild(id) !== undefined) {
    throw new Error(`Everleaf: ${scope.node.path} has a rule ${id} already; give this one another id: { id: 'Mine' }`);
  }
  return new Rule(scope, id, {
    description: options.description ?? `Everleaf: ${what.toLowerCase()}, ${certificate ?? 'all certificates'}`,
    eventBus: bus,
    eventPattern: {
      source: [EVENT_SOURCE],
      detailType: [...DETAIL_TYPES[what]],
      ...(certificate === undefined ? {} : { detail: { certificate: [certificate] } }),
    },
    targets: [...targets],
  });
}

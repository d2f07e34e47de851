import { z } from 'zod';
import type { Account } from '../account.ts';
import { optional } from '../stack/properties.ts';
import type { Resource, ResourceKind } from '../stack/resource.ts';
import { AwsError } from '../wire/service.ts';
import type { Context } from './condition.ts';
import { judge, parsePolicy, type Statement, type Verdict } from './policy.ts';

/** IAM's quota for the inline policies of one role together, white space not counted. */
const INLINE_POLICY_QUOTA = 10_240;

/** Grants of AWS's own making; they are judged like any other, but no template could narrow them. */
const AWS_MANAGED: Readonly<Record<string, readonly string[]>> = {
  'service-role/AWSLambdaBasicExecutionRole': ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
  AWSXRayDaemonWriteAccess: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'],
};

const RoleProperties = z.strictObject({
  AssumeRolePolicyDocument: z.unknown(),
  ManagedPolicyArns: z.array(z.string()).default([]),
  Policies: z.array(z.strictObject({ PolicyName: z.string(), PolicyDocument: z.unknown() })).default([]),
  ...optional('RoleName', 'Path', 'Description', 'Tags', 'MaxSessionDuration'),
});
const PolicyProperties = z.strictObject({
  PolicyDocument: z.unknown(),
  Roles: z.array(z.string()).default([]),
  ...optional('PolicyName', 'ManagedPolicyName', 'Path', 'Description'),
});

interface Role {
  readonly name: string;
  readonly trust: readonly Statement[];
  readonly inline: readonly Statement[];
  readonly managedArns: readonly string[];
  readonly inlineSize: number;
}

interface Policy {
  readonly roleNames: readonly string[];
  readonly statements: readonly Statement[];
  readonly arn: string | undefined;
  readonly size: number;
}

/** Who makes a call, as far as IAM cares. */
export interface Caller {
  readonly roleArn: string;
  readonly sessionName: string;
}

export interface UnusedGrant {
  readonly source: string;
  readonly sid: string | undefined;
  readonly action: string;
  readonly resources: readonly string[];
}

/** The roles of the template with everything attached to them. */
export class Roles {
  readonly #account: Account;
  /** What a role of another account may do: no template here says. */
  readonly #foreignRole: readonly Statement[];
  readonly #roles = new Map<string, Role>();
  readonly #policies = new Map<string, Policy>();

  constructor(account: Account, foreignRole: readonly Statement[]) {
    this.#account = account;
    this.#foreignRole = foreignRole;
  }

  readonly kinds: Readonly<Record<string, ResourceKind>> = {
    'AWS::IAM::Role': {
      apply: (resource) => this.#applyRole(resource),
      remove: ({ attributes }) => void this.#roles.delete(attributes['Arn'] ?? ''),
    },
    'AWS::IAM::Policy': {
      apply: (resource) => this.#applyPolicy(resource, undefined),
      remove: ({ logicalId }) => void this.#policies.delete(logicalId),
    },
    'AWS::IAM::ManagedPolicy': {
      apply: (resource) => this.#applyPolicy(resource, resource.physicalId),
      remove: ({ logicalId }) => void this.#policies.delete(logicalId),
    },
  };

  judge(caller: Caller, action: string, resource: string, context: Context = {}): Verdict {
    return judge(this.#statementsOf(caller.roleArn), {
      action,
      resource,
      context: {
        'aws:PrincipalArn': caller.roleArn,
        'aws:PrincipalAccount': this.#account.accountId,
        'aws:ResourceAccount': this.#account.accountId,
        'aws:RequestedRegion': this.#account.region,
        // The wire stands in for TLS endpoints: what asks for TLS is satisfied on loopback.
        'aws:SecureTransport': 'true',
        ...context,
      },
    });
  }

  authorize(caller: Caller, action: string, resource: string, context: Context = {}): void {
    const verdict = this.judge(caller, action, resource, context);
    if (verdict === 'allowed') return;
    const why =
      verdict === 'denied'
        ? 'with an explicit deny in an identity-based policy'
        : `because no identity-based policy allows the ${action} action`;
    throw new AwsError(
      'AccessDeniedException',
      `User: ${sessionArnOf(caller)} is not authorized to perform: ${action} on resource: ${resource} ${why}`,
      400,
    );
  }

  requireTrust(roleArn: string, service: string): void {
    const trust = this.#roles.get(roleArn)?.trust ?? [];
    const request = { action: 'sts:AssumeRole', resource: roleArn, context: {}, service };
    if (judge(trust, request) !== 'allowed') throw new Error(`the role ${roleArn} cannot be assumed by ${service}`);
  }

  trustsAccount(roleArn: string): boolean {
    const root = `arn:aws:iam::${this.#account.accountId}:root`;
    return (this.#roles.get(roleArn)?.trust ?? []).some(
      ({ Effect, Principal }) =>
        Effect === 'Allow' && typeof Principal === 'object' && Principal['AWS']?.includes(root),
    );
  }

  /** Grants in the template that no call has needed so far, one a statement and action. */
  unusedGrants(): UnusedGrant[] {
    const written = [
      ...[...this.#roles.values()].flatMap(({ inline }) => inline),
      ...[...this.#policies.values()].flatMap(({ statements }) => statements),
    ];
    return written
      .filter(({ Effect }) => Effect === 'Allow')
      .flatMap(({ source, Sid, Action = [], Resource = [], usedActions }) =>
        Action.filter((action) => !usedActions.has(action)).map((action) => ({
          source,
          sid: Sid,
          action,
          resources: Resource,
        })),
      );
  }

  #applyRole({ logicalId, physicalId, properties, attributes }: Resource): void {
    const role = RoleProperties.parse(properties);
    this.#roles.set(attributes['Arn'] ?? '', {
      name: physicalId,
      trust: parsePolicy(role.AssumeRolePolicyDocument, `${logicalId}/trust`),
      inline: role.Policies.flatMap((each) => parsePolicy(each.PolicyDocument, `${logicalId}/${each.PolicyName}`)),
      managedArns: role.ManagedPolicyArns,
      inlineSize: JSON.stringify(role.Policies.map(({ PolicyDocument }) => PolicyDocument)).length,
    });
    this.#checkQuota(physicalId);
  }

  #applyPolicy({ logicalId, properties }: Resource, arn: string | undefined): void {
    const { PolicyDocument, Roles: roleNames } = PolicyProperties.parse(properties);
    const size = arn === undefined ? JSON.stringify(PolicyDocument).length : 0;
    this.#policies.set(logicalId, { roleNames, statements: parsePolicy(PolicyDocument, logicalId), arn, size });
    for (const name of roleNames) this.#checkQuota(name);
  }

  #checkQuota(roleName: string): void {
    const role = [...this.#roles.values()].find(({ name }) => name === roleName);
    const attached = [...this.#policies.values()].filter(({ roleNames }) => roleNames.includes(roleName));
    const size = (role?.inlineSize ?? 0) + attached.reduce((sum, policy) => sum + policy.size, 0);
    if (size <= INLINE_POLICY_QUOTA) return;
    throw new Error(
      `the inline policies of role ${roleName} take ${size} characters; IAM allows ${INLINE_POLICY_QUOTA}`,
    );
  }

  #statementsOf(roleArn: string): readonly Statement[] {
    const role = this.#roles.get(roleArn);
    if (role === undefined) return accountOf(roleArn) === this.#account.accountId ? [] : this.#foreignRole;
    const policies = [...this.#policies.values()].filter(
      ({ roleNames, arn }) => roleNames.includes(role.name) || (arn !== undefined && role.managedArns.includes(arn)),
    );
    const aws = role.managedArns.filter((arn) => arn.startsWith('arn:aws:iam::aws:policy/')).flatMap(awsManaged);
    return [...role.inline, ...policies.flatMap(({ statements }) => statements), ...aws];
  }
}

function awsManaged(arn: string): Statement[] {
  const Action = AWS_MANAGED[arn.slice('arn:aws:iam::aws:policy/'.length)];
  if (Action === undefined) throw new Error(`the twin does not know what AWS's policy ${arn} grants`);
  return parsePolicy({ Statement: [{ Effect: 'Allow', Action, Resource: '*' }] }, arn);
}

/** How a role's session is called in messages, and by STS. */
export function sessionArnOf({ roleArn, sessionName }: Caller): string {
  return `arn:aws:sts::${accountOf(roleArn)}:assumed-role/${roleArn.slice(roleArn.lastIndexOf('/') + 1)}/${sessionName}`;
}

function accountOf(roleArn: string): string {
  return roleArn.split(':')[4] ?? '';
}

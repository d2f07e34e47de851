import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import type { KeyPair } from '../wire/credentials.ts';
import { type Members, queryAnswer } from '../wire/query-xml.ts';
import { AwsError, type ServiceCall, unknownOperation } from '../wire/service.ts';
import { readInput } from './input.ts';

/** What a role of another account, which no template here describes, lets its sessions do. */
export const FOREIGN_ROLE_POLICY = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: ['acm-pca:*', 'ecs:*', 'eks:*', 'iam:PassRole', 'route53:*'], Resource: '*' }],
} as const;

export interface AssumedSession {
  readonly roleArn: string;
  readonly sessionName: string;
  readonly expiresAt: number;
}

export interface StsContext extends Pick<ServiceCall, 'now' | 'accountId' | 'authorize'> {
  /** ARN of the session or user that calls. */
  readonly callerArn: string;
  /** Whether a role of this account lets the account's own people assume it. */
  trustsAccount(roleArn: string): boolean;
  /** Makes keys for a session, until it expires. Under a role of another account calls may do what `FOREIGN_ROLE_POLICY` says. */
  issue(session: AssumedSession): KeyPair;
}

const AssumeRole = z.strictObject({
  RoleArn: z.string().check(z.regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/)),
  RoleSessionName: z.string().check(z.regex(/^[\w+=,.@-]{2,64}$/)),
  /** Everything in a form is text. */
  DurationSeconds: z._default(z.string().check(z.refine(isDuration)), '3600'),
  ExternalId: z.optional(z.string()),
});

const STS = 'https://sts.amazonaws.com/doc/2011-06-15/';

/** STS speaks AWS's query protocol: a form asks, XML answers. Errors are thrown, as in every service. */
export function handleSts(form: URLSearchParams, context: StsContext): string {
  const { Action: operation = '', Version: _version, ...input } = Object.fromEntries(form);
  switch (operation) {
    case 'AssumeRole':
      return queryAnswer(STS, operation, assumeRole(input, context));
    case 'GetCallerIdentity':
      // Nobody needs a permission for it.
      return queryAnswer(STS, operation, {
        UserId: idOf(context.callerArn),
        Account: context.accountId,
        Arn: context.callerArn,
      });
    default:
      throw unknownOperation('STS', operation);
  }
}

function assumeRole(input: Readonly<Record<string, string>>, context: StsContext): Members {
  const { RoleArn, RoleSessionName, DurationSeconds } = readInput(AssumeRole, { operation: 'AssumeRole', input });
  context.authorize('sts:AssumeRole', RoleArn);
  const [, partition = '', , , account = '', path = ''] = RoleArn.split(':');
  // Those of other accounts are taken to trust this one.
  if (account === context.accountId && !context.trustsAccount(RoleArn)) {
    throw new AwsError('AccessDenied', `${context.callerArn} is not in the trust policy of ${RoleArn}`, 403);
  }
  const expiresAt = context.now + Number(DurationSeconds) * 1_000;
  const keys = context.issue({ roleArn: RoleArn, sessionName: RoleSessionName, expiresAt });
  const role = path.slice(path.lastIndexOf('/') + 1);
  return {
    Credentials: {
      AccessKeyId: keys.accessKeyId,
      SecretAccessKey: keys.secretAccessKey,
      // Real ones are opaque, too. The access key alone tells the twin who calls.
      SessionToken: createHash('sha256').update(keys.accessKeyId).digest('base64'),
      Expiration: new Date(expiresAt).toISOString(),
    },
    AssumedRoleUser: {
      AssumedRoleId: `${idOf(RoleArn)}:${RoleSessionName}`,
      Arn: `arn:${partition}:sts::${account}:assumed-role/${role}/${RoleSessionName}`,
    },
  };
}

/** 15 minutes to 12 hours. */
function isDuration(seconds: string): boolean {
  return /^\d{3,5}$/.test(seconds) && Number(seconds) >= 900 && Number(seconds) <= 43_200;
}

/** Unique for what it names, and always the same. */
const idOf = (arn: string): string =>
  `AROA${createHash('sha256').update(arn).digest('hex').slice(0, 17).toUpperCase()}`;

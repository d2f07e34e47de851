import type { Account } from '../account.ts';
import { type Roles, sessionArnOf } from '../iam/roles.ts';
import { handleSts } from '../services/sts.ts';
import type { Credentials, Principal } from './credentials.ts';
import type { ServiceCall } from './service.ts';

/** STS alone must know who calls, and makes callers of its own: a session belongs to whoever assumed it. */
export function answerSts(
  call: ServiceCall,
  principal: Principal,
  {
    credentials,
    account,
    roles,
  }: { readonly credentials: Credentials; readonly account: Account; readonly roles: Roles },
): string {
  const { caller } = principal;
  return handleSts(new URLSearchParams({ Action: call.operation, ...(call.input as Record<string, string>) }), {
    now: call.now,
    accountId: call.accountId,
    authorize: (action, resource, context) => call.authorize(action, resource, context),
    callerArn: caller === undefined ? `arn:aws:iam::${account.accountId}:user/operator` : sessionArnOf(caller),
    trustsAccount: (roleArn) => roles.trustsAccount(roleArn),
    issue: ({ roleArn, sessionName, expiresAt }) =>
      credentials.issue({ ...principal, caller: { roleArn, sessionName }, expiresAt }),
  });
}

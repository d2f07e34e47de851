import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import type { Stack } from 'aws-cdk-lib';
import { AccountRootPrincipal, PolicyDocument, Role } from 'aws-cdk-lib/aws-iam';
import { vi } from 'vitest';
import type { StackOptions } from '../../bin/operator/account.ts';
import type { Policy } from '../../bin/operator/denied.ts';
import type { Terminal } from '../../bin/terminal.ts';
import type { Deployment } from './deployment.ts';
import { Sink } from './sink.ts';

const POLICIES = join(import.meta.dirname, '..', '..', 'docs', 'policies');

/** People of the account, each with the policy of that name from the docs and nothing else. */
export function withPeople(stack: Stack): void {
  for (const policy of ['viewer', 'operator', 'recovery'] as const) {
    const document: unknown = JSON.parse(readFileSync(join(POLICIES, `${policy}.json`), 'utf8'));
    new Role(stack, `Person-${policy}`, {
      assumedBy: new AccountRootPrincipal(),
      inlinePolicies: { documented: PolicyDocument.fromJson(document) },
    });
  }
}

/** From here on, whoever takes credentials from the environment is a person under that policy. */
export async function become({ twin }: Deployment, policy: Policy, name = 'alice'): Promise<void> {
  const { endpoint, account, operatorCredentials: credentials } = twin;
  const sts = new STSClient({ endpoint, region: account.region, credentials });
  const RoleArn = `arn:aws:iam::${account.accountId}:role/${twin.physicalId(`Person${policy}`)}`;
  const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: name }));
  sts.destroy();
  vi.stubEnv('AWS_REGION', account.region);
  vi.stubEnv('AWS_ACCESS_KEY_ID', Credentials?.AccessKeyId ?? '');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', Credentials?.SecretAccessKey ?? '');
  vi.stubEnv('AWS_SESSION_TOKEN', Credentials?.SessionToken ?? '');
}

/** Grants of a policy in the docs that nothing has needed. */
export const unusedOf = ({ twin }: Deployment, policy: Policy): readonly string[] =>
  twin.unusedGrants().flatMap(({ source, action }) => (source.startsWith(`Person${policy}`) ? action : []));

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command against a deployment. `types`: what the person answers; without it there is no terminal. */
export async function running(
  { twin }: Deployment,
  command: (options: StackOptions, io: Terminal) => Promise<number>,
  types?: string,
): Promise<Ran> {
  const [stdout, stderr] = [new Sink(), new Sink()];
  const stdin = Object.assign(
    (async function* () {
      yield `${types ?? ''}\n`;
    })(),
    { isTTY: types !== undefined },
  );
  const code = await command({ stack: 'Everleaf', endpoint: twin.endpoint }, { stdout, stderr, stdin });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

/** Waits for `work` while the schedule fires again and again: an order that takes its CA long comes back by a delayed message. */
export async function whileTicking<T>({ tick }: Deployment, work: Promise<T>): Promise<T> {
  const OVER = Symbol('over');
  const over = work.then(() => OVER);
  for (let state: unknown; state !== OVER;) {
    await tick();
    state = await Promise.race([over, wait(250)]);
  }
  return work;
}

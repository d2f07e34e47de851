import type { Stack } from 'aws-cdk-lib';
import { CfnPolicy, CfnRole } from 'aws-cdk-lib/aws-iam';
import type { Deployment } from '../../support/deployment.ts';

/** One action of one statement of one role. */
export interface Grant {
  readonly path: string;
  readonly action: string;
  readonly name: string;
}

/** A deployment that lives through what certain grants are for. */
export interface Life<D extends Deployment> {
  readonly name: string;
  /** Grants whose path in the app it covers: the others are another life's. */
  readonly covers: RegExp;
  /** Deploys an app whose stack was changed so. */
  readonly deploy: (adapt: (stack: Stack) => void) => Promise<D>;
  /** Yields between two things that happen, so that a life may end early. */
  readonly live: (deployment: D) => AsyncGenerator<void>;
}

interface Statement {
  readonly Action: string | readonly string[];
}
interface Document {
  readonly Statement: readonly Statement[];
}

/** Applies `change` to every policy of a stack, with the path that names the statement. */
function rewritePolicies(stack: Stack, change: (path: string, actions: readonly string[]) => readonly string[]): void {
  const rewritten = (path: string, document: unknown): Document => {
    const { Statement, ...rest } = stack.resolve(document) as Document;
    const statements = Statement.map((statement, index) => ({
      ...statement,
      Action: change(`${path}[${index}]`, [statement.Action].flat()),
    }));
    return { ...rest, Statement: statements.filter(({ Action }) => Action.length > 0) };
  };
  for (const node of stack.node.findAll()) {
    if (node instanceof CfnPolicy) node.policyDocument = rewritten(node.node.path, node.policyDocument);
    if (!(node instanceof CfnRole) || node.policies === undefined) continue;
    const policies = stack.resolve(node.policies) as { policyName: string; policyDocument: unknown }[];
    node.policies = policies.map((policy) => ({
      ...policy,
      policyDocument: rewritten(`${node.node.path}/${policy.policyName}`, policy.policyDocument),
    }));
  }
}

/** Every grant that the life covers, and those that it does without. */
export async function survey<D extends Deployment>({
  covers,
  deploy,
  live,
}: Life<D>): Promise<{ readonly grants: readonly Grant[]; readonly unused: readonly string[] }> {
  // A life may deploy more than once.
  const grants = new Map<string, Grant>();
  const deployment = await deploy((stack) =>
    rewritePolicies(stack, (path, actions) => {
      const role = path
        .replace(/^Everleaf\/Everleaf\//, '')
        .replace(/\/(?:ServiceRole\/)?DefaultPolicy.*|\[\d+\]$/, '');
      if (covers.test(role))
        for (const action of actions) grants.set(`${path} ${action}`, { path, action, name: `${action} of ${role}` });
      return actions;
    }),
  );
  try {
    await liveUntil(live(deployment), () => false);
    const unused = deployment.twin.unusedGrants().filter(({ source }) => covers.test(source.replace('Everleaf', '')));
    return {
      grants: [...grants.values()],
      unused: unused.map(({ source, action }) => `${action} in ${source}`),
    };
  } finally {
    await deployment.close();
  }
}

async function liveUntil(life: AsyncGenerator<void>, isOver: () => boolean): Promise<void> {
  for await (const _happened of life) if (isOver()) return;
}

/**
 * Operations that were denied in a life without one grant, and what else went wrong; no more of either once `expected` was
 * denied.
 */
export async function missedWithout<D extends Deployment>(
  { path, action }: Grant,
  { deploy, live }: Life<D>,
  expected: RegExp,
): Promise<readonly string[]> {
  const withoutIt = (stack: Stack): void =>
    rewritePolicies(stack, (each, actions) => (each === path ? actions.filter((one) => one !== action) : actions));
  let deployment: D | undefined;
  try {
    deployment = await deploy(withoutIt);
    const { twin } = deployment;
    const denied = (): readonly string[] =>
      twin.calls.flatMap(({ errorCode, operation }) =>
        errorCode?.includes('AccessDenied') === true ? [operation] : [],
      );
    await liveUntil(live(deployment), () => denied().some((operation) => expected.test(operation)));
    return [...denied(), ...twin.problems.map(({ message }) => message)];
  } catch (error) {
    return [String(error)];
  } finally {
    await deployment?.close();
  }
}

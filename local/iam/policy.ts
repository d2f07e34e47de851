import { z } from 'zod';
import { type Condition, type Context, holds, isLike, whyUnknown } from './condition.ts';

const OneOrMore = z.union([z.string().transform((one) => [one]), z.array(z.string())]);
const ConditionValue = z.union([z.string(), z.boolean(), z.number()]).transform(String);
const Document = z.strictObject({
  Version: z.string().optional(),
  Id: z.string().optional(),
  Statement: z.array(
    z.strictObject({
      Sid: z.string().optional(),
      Effect: z.enum(['Allow', 'Deny']),
      Principal: z.union([z.literal('*'), z.record(z.string(), OneOrMore)]).optional(),
      Action: OneOrMore.optional(),
      NotAction: OneOrMore.optional(),
      Resource: OneOrMore.optional(),
      NotResource: OneOrMore.optional(),
      Condition: z
        .record(
          z.string(),
          z.record(z.string(), z.union([ConditionValue.transform((one) => [one]), z.array(ConditionValue)])),
        )
        .default({}),
    }),
  ),
});

type RawStatement = z.infer<typeof Document>['Statement'][number];

export interface Statement extends Omit<RawStatement, 'Condition'> {
  /** The policy it stands in, and its place there. */
  readonly source: string;
  readonly conditions: readonly Condition[];
  /** The entries of `Action` that allowed some request: what is missing here at the end was never needed. */
  readonly usedActions: Set<string>;
}

export interface AccessRequest {
  readonly action: string;
  readonly resource: string;
  readonly context: Context;
  /** Of a request that a resource's own policy judges: an AWS service's name. */
  readonly service?: string;
}

export type Verdict = 'allowed' | 'denied' | 'not allowed';

export function parsePolicy(document: unknown, source: string): Statement[] {
  return Document.parse(document).Statement.map(({ Condition, ...statement }, index) => {
    const conditions = Object.entries(Condition).flatMap(([operator, keys]) =>
      Object.entries(keys).map(([key, values]) => ({ operator, key, values })),
    );
    const unknown = conditions.map(whyUnknown).find((why) => why !== undefined);
    const patterns = [...(statement.Resource ?? []), ...(statement.NotResource ?? [])];
    const variable = [...patterns, ...conditions.flatMap(({ values }) => values)].find((text) => text.includes('${'));
    const why = unknown ?? (variable === undefined ? undefined : `does not substitute policy variables (${variable})`);
    if (why !== undefined) throw new Error(`${source}, statement ${index}: the twin ${why}`);
    return { ...statement, source: `${source}[${index}]`, conditions, usedActions: new Set() };
  });
}

/** IAM's order: an explicit deny wins, then any allow, else no. Grants that were needed are marked as used. */
export function judge(statements: readonly Statement[], request: AccessRequest): Verdict {
  const applying = statements.filter((statement) => applies(statement, request));
  if (applying.some(({ Effect }) => Effect === 'Deny')) return 'denied';
  for (const { Action = [], usedActions } of applying) {
    for (const pattern of Action) if (matchesAction(request.action, pattern)) usedActions.add(pattern);
  }
  return applying.length > 0 ? 'allowed' : 'not allowed';
}

function applies(statement: Statement, request: AccessRequest): boolean {
  const { Action, NotAction = [], Resource, NotResource = [], Principal, conditions } = statement;
  const isAction = (pattern: string): boolean => matchesAction(request.action, pattern);
  const isResource = (pattern: string): boolean => isLike(request.resource, pattern);
  const namesAction = Action === undefined ? !NotAction.some(isAction) : Action.some(isAction);
  // A trust policy names no resource: it belongs to the one it is attached to.
  const namesResource = Resource === undefined ? !NotResource.some(isResource) : Resource.some(isResource);
  const namesPrincipal =
    request.service === undefined ||
    Principal === '*' ||
    (Principal !== undefined && (Principal['AWS']?.includes('*') || Principal['Service']?.includes(request.service)));
  return (
    namesAction && namesResource && namesPrincipal === true && conditions.every((each) => holds(each, request.context))
  );
}

function matchesAction(action: string, pattern: string): boolean {
  return isLike(action.toLowerCase(), pattern.toLowerCase());
}

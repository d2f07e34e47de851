export type Context = Readonly<Record<string, string | readonly string[] | undefined>>;

/** One line of a `Condition` block: the operator as written, the key, the values any of which will do. */
export interface Condition {
  readonly operator: string;
  readonly key: string;
  readonly values: readonly string[];
}

type Matches = (actual: string, expected: string) => boolean;

const isEqual: Matches = (actual, expected) => actual === expected;
const isEqualIgnoringCase: Matches = (actual, expected) => actual.toLowerCase() === expected.toLowerCase();

const POSITIVE: Readonly<Record<string, Matches>> = {
  StringEquals: isEqual,
  StringEqualsIgnoreCase: isEqualIgnoringCase,
  StringLike: isLike,
  ArnEquals: isArnLike,
  ArnLike: isArnLike,
  Bool: isEqualIgnoringCase,
};
const NEGATED: Readonly<Record<string, Matches>> = {
  StringNotEquals: isEqual,
  StringNotEqualsIgnoreCase: isEqualIgnoringCase,
  StringNotLike: isLike,
  ArnNotEquals: isArnLike,
  ArnNotLike: isArnLike,
};

/** The keys that some part of the twin puts into a request. Any other would be absent for ever, and so quietly untrue. */
const KNOWN_KEYS =
  /^(aws:(ResourceTag\/.+|RequestTag\/.+|TagKeys|SourceArn|SourceAccount|SecureTransport|PrincipalArn|PrincipalAccount|ResourceAccount|RequestedRegion)|events:(source|detail-type)|(kms|secretsmanager|acm-pca):.+|ecs:CreateAction|iam:PassedToService|route53:ChangeResourceRecordSets(NormalizedRecordNames|RecordTypes|Actions))$/i;

/** Why this condition cannot be judged, or undefined. An operator that is not understood must never pass as true. */
export function whyUnknown({ operator, key }: Condition): string | undefined {
  const { base } = partsOf(operator);
  if (base !== 'Null' && POSITIVE[base] === undefined && NEGATED[base] === undefined) {
    return `does not know the condition operator ${operator}`;
  }
  return KNOWN_KEYS.test(key) ? undefined : `never supplies the condition key ${key}`;
}

/** Keys are compared without case, as IAM does; an absent key fails a positive operator and passes a negated one. */
export function holds({ operator, key, values }: Condition, context: Context): boolean {
  const { qualifier, base, ifExists } = partsOf(operator);
  const found = Object.entries(context).find(([name]) => name.toLowerCase() === key.toLowerCase())?.[1] ?? [];
  const actual = typeof found === 'string' ? [found] : found;
  if (base === 'Null') return values.includes(String(actual.length === 0));
  if (actual.length === 0)
    return ifExists || qualifier === 'ForAllValues' || (NEGATED[base] !== undefined && !qualifier);
  const negated = NEGATED[base];
  const matches = negated ?? POSITIVE[base] ?? (() => false);
  const passes = (value: string): boolean =>
    values.some((expected) => matches(value, expected)) === (negated === undefined);
  if (qualifier === 'ForAllValues') return actual.every(passes);
  if (qualifier === 'ForAnyValue') return actual.some(passes);
  return negated === undefined ? actual.some(passes) : actual.every(passes);
}

/** A policy's patterns are few, and every call is held against all of them. */
const compiled = new Map<string, RegExp>();

/** IAM's wildcards: `*` is any run of characters, `?` any one. */
export function isLike(actual: string, pattern: string): boolean {
  let expression = compiled.get(pattern);
  if (expression === undefined) {
    const source = pattern.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
    expression = new RegExp(`^${source.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's');
    compiled.set(pattern, expression);
  }
  return expression.test(actual);
}

/** Each of an ARN's six parts is compared by itself: a wildcard does not reach over a colon, save in the last. */
function isArnLike(actual: string, pattern: string): boolean {
  const parts = arnParts(actual);
  const expected = arnParts(pattern);
  return parts.length === expected.length && parts.every((part, index) => isLike(part, expected[index] ?? ''));
}

function arnParts(arn: string): string[] {
  const parts = arn.split(':');
  return [...parts.slice(0, 5), parts.slice(5).join(':')];
}

function partsOf(operator: string): { qualifier: string; base: string; ifExists: boolean } {
  const [, qualifier = '', base = operator, suffix] =
    /^(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?$/.exec(operator) ?? [];
  return { qualifier, base, ifExists: suffix !== undefined };
}

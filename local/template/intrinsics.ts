/** What an intrinsic may ask of the stack it stands in. */
export interface Scope {
  ref(logicalId: string): unknown;
  attribute(logicalId: string, name: string): unknown;
  condition(name: string): boolean;
  mapping(name: string, first: string, second: string): unknown;
}

type Resolve = (argument: unknown, at: string) => unknown;
type Intrinsic = (argument: unknown, scope: Scope, resolve: Resolve, at: string) => unknown;

/** `Ref: AWS::NoValue`: the property or list entry that holds it is left out. */
export const NO_VALUE = Symbol('AWS::NoValue');

const INTRINSICS: Readonly<Record<string, Intrinsic>> = {
  Ref: (argument, scope, _resolve, at) => scope.ref(text(argument, at)),
  Condition: (argument, scope, _resolve, at) => scope.condition(text(argument, at)),
  'Fn::GetAtt': (argument, scope, resolve, at) => {
    const [logicalId, name] = typeof argument === 'string' ? splitOnce(argument) : list(argument, at);
    return scope.attribute(text(logicalId, at), text(resolve(name, at), at));
  },
  'Fn::Sub': (argument, scope, resolve, at) => {
    const [template, variables] = Array.isArray(argument) ? list(argument, at) : [argument, {}];
    return substitute(text(template, at), record(resolve(variables, at), at), scope, at);
  },
  'Fn::Join': (argument, _scope, resolve, at) => {
    const [delimiter, parts] = list(argument, at);
    return list(resolve(parts, at), at)
      .map((part) => text(part, at))
      .join(text(delimiter, at));
  },
  'Fn::Select': (argument, _scope, resolve, at) => {
    const [index, from] = list(argument, at);
    const picked = list(resolve(from, at), at)[Number(resolve(index, at))];
    if (picked === undefined) throw new Error(`${at}: Fn::Select finds nothing at index ${String(index)}`);
    return picked;
  },
  'Fn::Split': (argument, _scope, resolve, at) => {
    const [delimiter, from] = list(argument, at);
    return text(resolve(from, at), at).split(text(delimiter, at));
  },
  'Fn::FindInMap': (argument, scope, resolve, at) => {
    const [name, first, second] = list(resolve(argument, at), at).map((part) => text(part, at));
    return scope.mapping(name ?? '', first ?? '', second ?? '');
  },
  'Fn::If': (argument, scope, resolve, at) => {
    const [name, whenTrue, whenFalse] = list(argument, at);
    return resolve(scope.condition(text(name, at)) ? whenTrue : whenFalse, at);
  },
  'Fn::Equals': (argument, _scope, resolve, at) => {
    const [left, right] = list(resolve(argument, at), at);
    return left === right;
  },
  'Fn::Not': (argument, _scope, resolve, at) => list(resolve(argument, at), at)[0] !== true,
  'Fn::And': (argument, _scope, resolve, at) => list(resolve(argument, at), at).every((part) => part === true),
  'Fn::Or': (argument, _scope, resolve, at) => list(resolve(argument, at), at).includes(true),
};

/** The value with every intrinsic in it replaced; `at` is where it stands, for the error. */
export function resolveIntrinsics(value: unknown, scope: Scope, at: string): unknown {
  if (Array.isArray(value)) {
    return value
      .map((entry, index) => resolveIntrinsics(entry, scope, `${at}[${index}]`))
      .filter((entry) => entry !== NO_VALUE);
  }
  if (typeof value !== 'object' || value === null) return value;
  const called = intrinsicCall(value);
  if (called === undefined) {
    const entries = Object.entries(value).map(([key, entry]) => [key, resolveIntrinsics(entry, scope, `${at}.${key}`)]);
    return Object.fromEntries(entries.filter(([, entry]) => entry !== NO_VALUE));
  }
  const intrinsic = INTRINSICS[called.name];
  if (intrinsic === undefined) throw new Error(`${at}: the twin does not know the intrinsic ${called.name}`);
  return intrinsic(called.argument, scope, (part, where) => resolveIntrinsics(part, scope, where), at);
}

/** The logical ids that a value refers to, pseudo-parameters left out. */
export function referencesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const called = intrinsicCall(value);
  const nested = Object.values(value).flatMap(referencesIn);
  if (called === undefined) return nested;
  const { name, argument } = called;
  if (name === 'Ref') return [String(argument)];
  if (name === 'Fn::GetAtt')
    return [String(typeof argument === 'string' ? splitOnce(argument)[0] : list(argument, '')[0])];
  if (name !== 'Fn::Sub') return nested;
  const template = String(Array.isArray(argument) ? argument[0] : argument);
  return [...nested, ...[...template.matchAll(/\$\{([^!}.]+)[^}]*\}/g)].map((match) => match[1] ?? '')];
}

/** An object is a call when its one key is an intrinsic's; a policy's `Condition` block is an object, never a string. */
function intrinsicCall(value: object): { name: string; argument: unknown } | undefined {
  const [entry, ...others] = Object.entries(value) as [string, unknown][];
  if (entry === undefined || others.length > 0) return undefined;
  const [name, argument] = entry;
  const isCall = name.startsWith('Fn::') || ((name === 'Ref' || name === 'Condition') && typeof argument === 'string');
  return isCall ? { name, argument } : undefined;
}

function substitute(template: string, variables: Record<string, unknown>, scope: Scope, at: string): string {
  return template.replaceAll(/\$\{([^}]+)\}/g, (_whole, name: string) => {
    if (name.startsWith('!')) return `\${${name.slice(1)}}`;
    if (Object.hasOwn(variables, name)) return text(variables[name], at);
    const [logicalId, attribute] = splitOnce(name);
    return text(attribute === undefined ? scope.ref(name) : scope.attribute(logicalId, attribute), at);
  });
}

function splitOnce(dotted: string): [string, string | undefined] {
  const dot = dotted.indexOf('.');
  return dot === -1 ? [dotted, undefined] : [dotted.slice(0, dot), dotted.slice(dot + 1)];
}

function text(value: unknown, at: string): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new Error(`${at}: expected text, found ${JSON.stringify(value)}`);
}

function list(value: unknown, at: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw new Error(`${at}: expected a list, found ${JSON.stringify(value)}`);
}

function record(value: unknown, at: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null) return { ...value };
  throw new Error(`${at}: expected an object, found ${JSON.stringify(value)}`);
}

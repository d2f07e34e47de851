type Test = (value: unknown) => boolean;

/** Answers for every value found at a field; `undefined` stands for a field that is not there. */
type Leaf = (values: readonly unknown[]) => boolean;
export type Pattern = (event: unknown) => boolean;

/** Makes an EventBridge pattern callable. An operator that it does not know is an error at once, not at the first event. */
export function compilePattern(pattern: unknown, at = 'EventPattern'): Pattern {
  if (!isObject(pattern)) throw new Error(`${at}: a pattern is an object`);
  const fields = Object.entries(pattern).map(([name, expected]): Pattern => {
    const where = `${at}.${name}`;
    if (name === '$or') {
      const branches = asArray(expected).map((branch, index) => compilePattern(branch, `${where}[${index}]`));
      return (event) => branches.some((branch) => branch(event));
    }
    const field = (event: unknown): unknown => (isObject(event) ? event[name] : undefined);
    if (Array.isArray(expected)) {
      const leaf = compileLeaf(expected, where);
      return (event) => leaf(asArray(field(event)));
    }
    const nested = compilePattern(expected, where);
    return (event) => asArray(field(event)).some(nested) || (field(event) === undefined && nested(undefined));
  });
  return (event) => fields.every((field) => field(event));
}

/** One of the alternatives must hold for one of the values; `exists: false` is the only one that holds for none. */
function compileLeaf(alternatives: readonly unknown[], at: string): Leaf {
  const absenceIsFine = alternatives.some((each) => isObject(each) && each['exists'] === false);
  const tests = alternatives
    .filter((each) => !(isObject(each) && each['exists'] === false))
    .map((each) => compileTest(each, at));
  return (values) => (values.length === 0 ? absenceIsFine : values.some((value) => tests.some((test) => test(value))));
}

function compileTest(expected: unknown, at: string): Test {
  if (!isObject(expected)) return (value) => value === expected;
  const [entry, ...others] = Object.entries(expected);
  if (entry === undefined || others.length > 0) throw new Error(`${at}: one operator in each object`);
  const [operator, argument] = entry;
  const compile = OPERATORS[operator];
  if (compile === undefined) throw new Error(`${at}: the twin does not know the pattern operator ${operator}`);
  return compile(argument, at);
}

const OPERATORS: Readonly<Record<string, (argument: unknown, at: string) => Test>> = {
  prefix: (argument) => affix(argument, (value, expected) => value.startsWith(expected)),
  suffix: (argument) => affix(argument, (value, expected) => value.endsWith(expected)),
  exists: () => (value) => value !== undefined,
  'equals-ignore-case': (argument) => onText((value) => value.toLowerCase() === String(argument).toLowerCase()),
  wildcard: (argument) => {
    const literal = String(argument).replaceAll(/[.+^${}()|[\]\\?]/g, String.raw`\$&`);
    const regex = new RegExp(`^${literal.replaceAll('*', '.*')}$`, 's');
    return onText((value) => regex.test(value));
  },
  'anything-but': (argument, at) => {
    if (!isObject(argument)) return (value) => !asArray(argument).includes(value);
    // Inside, an operator may have a list of arguments, any of which rules a value out.
    const [[operator, values] = ['', undefined]] = Object.entries(argument);
    const tests = asArray(values).map((each) => compileTest({ [operator]: each }, at));
    return (value) => !tests.some((test) => test(value));
  },
  numeric: (argument, at) => {
    const terms = asArray(argument);
    const tests = terms.flatMap((operator, index) => {
      if (index % 2 === 1) return [];
      const compare = COMPARISONS[String(operator)];
      if (compare === undefined) throw new Error(`${at}: the twin does not know the comparison ${String(operator)}`);
      return [(value: number) => compare(value, Number(terms[index + 1]))];
    });
    return (value) => typeof value === 'number' && tests.every((test) => test(value));
  },
};

const COMPARISONS: Readonly<Record<string, (value: number, bound: number) => boolean>> = {
  '=': (value, bound) => value === bound,
  '<': (value, bound) => value < bound,
  '<=': (value, bound) => value <= bound,
  '>': (value, bound) => value > bound,
  '>=': (value, bound) => value >= bound,
};

function affix(argument: unknown, has: (value: string, expected: string) => boolean): Test {
  if (!isObject(argument)) return onText((value) => has(value, String(argument)));
  const expected = String(argument['equals-ignore-case']).toLowerCase();
  return onText((value) => has(value.toLowerCase(), expected));
}

function onText(test: (value: string) => boolean): Test {
  return (value) => typeof value === 'string' && test(value);
}

function asArray(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

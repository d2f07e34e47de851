import type * as z from 'zod/mini';
import { atKey, error, formatPath, type Path, type Problem } from './finding.ts';
import { suggest } from './nearest.ts';
import { showValue } from './show-value.ts';

export interface Shaped<Output> {
  /** The value in its shape, without the fields that nobody knows; undefined when it has another shape. */
  readonly output: Output | undefined;
  readonly problems: readonly Problem[];
}

/**
 * Holds a value against a schema and says what differs, in our words. `under` is where the value stands in its document.
 * Examples, by dotted path, show what a missing field could look like.
 */
export function shape<Schema extends z.ZodMiniType>(
  schema: Schema,
  value: unknown,
  options: { readonly under?: Path; readonly examples?: Readonly<Record<string, string>> } = {},
): Shaped<z.output<Schema>> {
  const under = options.under ?? [];
  const result = schema.safeParse(value);
  if (result.success) return { output: result.data, problems: [] };
  const explain = (issue: z.core.$ZodIssue) =>
    explainIssue(issue, { schema, value, under, examples: options.examples });
  const problems = result.error.issues.flatMap(explain);
  const unknownFieldsOnly = result.error.issues.every((issue) => issue.code === 'unrecognized_keys');
  const second = unknownFieldsOnly ? schema.safeParse(prune(value, result.error.issues)) : undefined;
  return { output: second?.success === true ? second.data : undefined, problems };
}

interface Context {
  readonly schema: z.core.$ZodType;
  readonly value: unknown;
  readonly under: Path;
  readonly examples: Readonly<Record<string, string>> | undefined;
}

function explainIssue(issue: z.core.$ZodIssue, context: Context): Problem[] {
  const local = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
  const path = [...context.under, ...local];
  const name = `\`${formatPath(path)}\``;
  const found = valueAt(context.value, local);
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the schemas here use these; the rest is caught below
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = knownKeys(context.schema, local);
      const holder = formatPath(path);
      return issue.keys.map((key) =>
        atKey(
          error(
            'UnknownField',
            [...path, key],
            `\`${key}\` is not a field of ${holder}.`,
            suggest(key, known, 'field'),
          ),
        ),
      );
    }
    case 'invalid_type':
      if (found === undefined) {
        const example = context.examples?.[path.join('.')];
        const remedy = example === undefined ? `Add ${expectation(issue.expected)}.` : `Add it, as in \`${example}\`.`;
        return [error('MissingField', path, `${name} is missing.`, remedy)];
      }
      return [
        error(
          'WrongType',
          path,
          `${name} must be ${expectation(issue.expected)}; it is ${typeof found === 'number' ? 'a number' : showValue(found)}.`,
          correction(issue.expected, found),
        ),
      ];
    case 'invalid_value': {
      const allowed = issue.values.map(String);
      return [
        error('UnknownValue', path, `${name} cannot be ${showValue(found)}.`, suggest(String(found), allowed, 'value')),
      ];
    }
    case 'too_small':
      return [
        error(
          'OutOfRange',
          path,
          `${name} is too ${size(issue.origin, 'small')}: ${showValue(found)}.`,
          `The least is ${issue.minimum}.`,
        ),
      ];
    case 'too_big':
      return [
        error(
          'OutOfRange',
          path,
          `${name} is too ${size(issue.origin, 'large')}: ${showValue(found)}.`,
          `The most is ${issue.maximum}.`,
        ),
      ];
    default:
      return [error('InvalidValue', path, `${name} cannot be ${showValue(found)}.`, 'Correct the value.')];
  }
}

const size = (origin: string, extreme: 'small' | 'large'): string =>
  origin === 'string' ? (extreme === 'small' ? 'short' : 'long') : extreme;

const EXPECTATIONS: Readonly<Record<string, string>> = {
  string: 'text',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
};

const expectation = (expected: string): string => EXPECTATIONS[expected] ?? expected;

function correction(expected: string, found: unknown): string {
  if (expected === 'string' && typeof found !== 'object') return 'Put quotes around it.';
  if (expected === 'array') return 'Write each value on a line of its own, after a dash.';
  if (expected === 'object' || expected === 'record') return 'Write `name: value` lines, indented, beneath it.';
  if (expected === 'boolean') return 'Write true or false, without quotes.';
  if (expected === 'int' || expected === 'number') return 'Write digits, without quotes or unit.';
  return `Write ${expectation(expected)}.`;
}

function valueAt(value: unknown, path: Path): unknown {
  let found = value;
  for (const step of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = (found as Readonly<Record<string | number, unknown>>)[step];
  }
  return found;
}

/** The fields a schema knows at `path`. */
function knownKeys(schema: z.core.$ZodType, path: Path): string[] {
  const definition = (schema as z.core.$ZodTypes)._zod.def;
  if (definition.type === 'optional' || definition.type === 'nullable') return knownKeys(definition.innerType, path);
  const [step, ...rest] = path;
  if (definition.type === 'array') return step === undefined ? [] : knownKeys(definition.element, rest);
  if (definition.type !== 'object') return [];
  if (step === undefined) return Object.keys(definition.shape);
  const field = definition.shape[String(step)];
  return field === undefined ? [] : knownKeys(field, rest);
}

/** A copy without the fields that were not recognised. */
function prune(value: unknown, issues: readonly z.core.$ZodIssue[]): unknown {
  const copy = structuredClone(value);
  for (const issue of issues) {
    if (issue.code !== 'unrecognized_keys') continue;
    const holder = valueAt(copy, issue.path.map(String));
    for (const key of issue.keys) delete (holder as Record<string, unknown>)[key];
  }
  return copy;
}

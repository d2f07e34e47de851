import type { RegisteredFields } from './input.ts';

export interface TaskDefinition {
  readonly arn: string;
  readonly revision: number;
  readonly fields: RegisteredFields;
}

/** A secret's ARN, then `:json-key:version-stage:version-id`. */
const REFERENCE = /^(arn:[^:]+:secretsmanager:[^:]*:\d{12}:secret:[^:]+)(?::([^:]*):([^:]*):([^:]*))?$/;

/** What the tasks of a definition find in their environment, as ECS resolves it when one starts. */
export function environmentOf(
  { fields: { containerDefinitions } }: TaskDefinition,
  readSecret: (arn: string, version: string | undefined) => string,
): Readonly<Record<string, string>> {
  const resolve = (valueFrom: string): string => {
    const [, arn, key = '', stage = '', version = ''] = REFERENCE.exec(valueFrom) ?? [];
    if (arn === undefined || stage !== '') throw new Error(`the twin resolves no reference like ${valueFrom}`);
    const value = readSecret(arn, version === '' ? undefined : version);
    if (key === '') return value;
    const member = (JSON.parse(value) as Readonly<Record<string, string>>)[key];
    if (member === undefined) throw new Error(`the secret ${arn} has no key ${key}`);
    return member;
  };
  const entries = containerDefinitions.flatMap(({ environment, secrets }) => [
    ...environment.map(({ name, value }) => [name, value] as const),
    ...secrets.map(({ name, valueFrom }) => [name, resolve(valueFrom)] as const),
  ]);
  return Object.fromEntries(entries);
}

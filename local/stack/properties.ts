import { z } from 'zod';

/**
 * Properties that a template may set though they change nothing here. Whatever a schema does not name is an error, so a
 * property is left out by decision, never by oversight.
 */
export function optional<Name extends string>(...names: Name[]): Record<Name, z.ZodOptional<z.ZodUnknown>> {
  return Object.fromEntries(names.map((name) => [name, z.unknown().optional()])) as Record<
    Name,
    z.ZodOptional<z.ZodUnknown>
  >;
}

import * as z from 'zod/mini';
import { PermanentError } from '../core/errors.ts';

/** Reads a function's settings from its environment, once, at the edge. */
export function readEnvironment<Shape extends z.core.$ZodLooseShape>(shape: Shape): z.infer<z.ZodMiniObject<Shape>> {
  const parsed = z.safeParse(z.object(shape), process.env);
  if (parsed.success) return parsed.data;
  throw new PermanentError(
    'BadEnvironment',
    `the function's environment is incomplete: ${z.prettifyError(parsed.error)}`,
  );
}

export const setting = z.string().check(z.minLength(1));

/** A setting of several parts, as JSON. */
export const jsonOf = <Schema extends z.core.$ZodType>(schema: Schema) =>
  z.pipe(
    z.pipe(
      setting,
      z.transform((text, context): unknown => {
        try {
          return JSON.parse(text);
        } catch {
          context.issues.push({ code: 'custom', message: 'it is not JSON', input: text });
          return z.NEVER;
        }
      }),
    ),
    schema,
  );

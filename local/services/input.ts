import * as z from 'zod/mini';
import { AwsError, type ServiceCall } from '../wire/service.ts';

/**
 * A call's parameters, as `schema` wants them. One that the twin does not know is said to be so, since ignoring it would
 * make the twin do something else than AWS. Values are never quoted: they may be secret.
 */
export function readInput<Schema extends z.ZodMiniType>(
  schema: Schema,
  call: Pick<ServiceCall, 'operation' | 'input'>,
): z.output<Schema> {
  const parsed = z.safeParse(schema, call.input);
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  const unknown = issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : []));
  if (unknown.length > 0) {
    throw new AwsError(
      'UnknownParameterException',
      `the twin's ${call.operation} does not know ${unknown.join(', ')}; add it to local/services if the product sends it`,
      501,
    );
  }
  const violations = issues.map(
    ({ path, code }) => `Value at '${path.join('.')}' failed to satisfy constraint: ${code}`,
  );
  const errors = `${violations.length} validation error${violations.length > 1 ? 's' : ''}`;
  throw new AwsError('ValidationException', `${errors} detected: ${violations.join('; ')}`);
}

import { warning, type Problem } from './finding.ts';
import { suggest } from './nearest.ts';

/** Annotations are other people's notes, but those that begin with this are ours. */
const PREFIX = 'everleaf.dev/';

/** For issuers of every kind. */
export const ORDER_LIMIT = 'everleaf.dev/order-limit';

/** One warning for each of ours that means nothing on this kind of issuer: most likely it is misspelt. */
export function annotationProblems(annotations: Readonly<Record<string, string>>, own: readonly string[]): Problem[] {
  const known = [...own, ORDER_LIMIT];
  const unknown = Object.keys(annotations).filter((name) => name.startsWith(PREFIX) && !known.includes(name));
  return unknown.map((name) =>
    warning(
      'UnknownAnnotation',
      ['metadata', 'annotations', name],
      `The annotation \`${name}\` means nothing here.`,
      suggest(name, known, 'annotation'),
    ),
  );
}

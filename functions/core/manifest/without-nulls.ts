import { atKey, warning, type Path, type Problem } from './finding.ts';
import type { Located } from './located.ts';

/**
 * Plain data without the fields that hold nothing: Kubernetes takes `isCA:` or `isCA: null` for a field left out, and so do
 * we. Empty items of a list stay, for the schema to refuse.
 */
export function withoutNulls(node: Located): unknown {
  if (Array.isArray(node.value)) return [...node.entries.values()].map((entry) => withoutNulls(entry.node));
  if (typeof node.value !== 'object' || node.value === null) return node.value;
  const fields = [...node.entries].filter(([, entry]) => entry.node.value !== null);
  return Object.fromEntries(fields.map(([key, entry]) => [key, withoutNulls(entry.node)]));
}

/** Names each of them: often a template that filled in nothing. */
export function emptyFieldProblems(node: Located, path: Path): Problem[] {
  return [...node.entries].flatMap(([step, entry]) => {
    const here = [...path, step];
    if (entry.node.value !== null || typeof step === 'number') return emptyFieldProblems(entry.node, here);
    return [
      atKey(
        warning(
          'EmptyField',
          here,
          `\`${step}\` has no value and is left out.`,
          'Remove the line, or give it a value.',
        ),
      ),
    ];
  });
}

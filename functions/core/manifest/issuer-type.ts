import { ISSUER_TYPE_NAMES } from './cert-manager-issuers.ts';
import type { ManifestObject } from './documents.ts';
import { atKey, error, type Problem } from './finding.ts';
import type { IssuerKind, KnownIssuer } from './issuer-kinds.ts';
import { at } from './located.ts';
import { nearest } from './nearest.ts';

type Choice = { readonly plugin: IssuerKind } | { readonly problem: Problem };

/** Which of the issuers that share a kind a document is: one field of its `spec` says so, and cert-manager takes no two. */
export function chooseType({ node, kind }: ManifestObject, known: readonly KnownIssuer[], built: string): Choice {
  const spec = at(node, ['spec']);
  const given = [...(spec?.entries ?? [])].flatMap(([name, entry]) =>
    entry.node.value === null ? [] : [String(name)],
  );
  const [chosen, other] = known.filter(({ document: { field } }) => field === undefined || given.includes(field));
  if (chosen === undefined) return { problem: noType(kind, given, known.map(fieldOf), built) };
  if (other !== undefined) return { problem: twoTypes(fieldOf(chosen), fieldOf(other)) };
  return chosen.plugin === undefined ? { problem: notBuilt(fieldOf(chosen), built) } : { plugin: chosen.plugin };
}

const fieldOf = ({ document }: KnownIssuer): string => document.field ?? '';

function noType(kind: string, given: readonly string[], fields: readonly string[], built: string): Problem {
  for (const name of given) {
    const meant = nearest(name, fields);
    if (meant === undefined) continue;
    const message = `\`${name}\` is not a field of spec.`;
    return atKey(error('UnknownField', ['spec', name], message, `Did you mean \`${meant}\`?`));
  }
  const list = fields.map((field) => `\`${field}\``).join(', ');
  const message = `This ${kind} does not say of which type it is: \`spec\` has none of ${list}.`;
  return atKey(error('MissingField', ['spec'], message, `Add one. Issuers that are built: ${built}.`));
}

const twoTypes = (first: string, second: string): Problem =>
  atKey(
    error(
      'Exclusive',
      ['spec', second],
      `\`${first}\` and \`${second}\` cannot both be in one issuer.`,
      'Make two issuers of it.',
    ),
  );

const notBuilt = (field: string, built: string): Problem =>
  atKey(
    error(
      'KindNotBuilt',
      ['spec', field],
      `${ISSUER_TYPE_NAMES[field] ?? 'Issuers of this type'} are not built yet.`,
      `Issuers that are: ${built}.`,
    ),
  );

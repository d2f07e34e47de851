import { issuerIdOf, type IssuerRef } from '../certificate.ts';
import { error, isError, toProblem, type Problem } from './finding.ts';
import type { DeclaredCertificate, DeclaredIssuer } from './folder.ts';
import { builtIssuers, type IssuerKind, knownIssuers } from './issuer-kinds.ts';
import { groupBy } from '../group-by.ts';
import { suggest } from './nearest.ts';

/** Binds each certificate to its issuer and asks the issuer's plug-in whether it can sign it. */
export function bindIssuers(
  certificates: readonly DeclaredCertificate[],
  issuers: readonly DeclaredIssuer[],
  kinds: readonly IssuerKind[],
): DeclaredCertificate[] {
  const refs = issuers.flatMap(({ ref }) => ref ?? []);
  const byId = new Map(
    issuers.flatMap((issuer) => (issuer.ref === undefined ? [] : [[issuerIdOf(issuer.ref), issuer]])),
  );
  const [byScope, byName] = [groupBy(refs, scopeOf), groupBy(refs, ({ name }) => name)];
  const known = knownIssuers(kinds);

  return certificates.map((certificate) => {
    const { spec, problems } = certificate;
    if (certificate.ref === undefined) return certificate;
    const { group, kind, name } = certificate.ref;
    const document = known.find((issuer) => issuer.document.group === group && issuer.document.kind === kind)?.document;
    const ref = document?.scope === 'Cluster' ? { group, kind, name } : certificate.ref;
    const issuer = byId.get(issuerIdOf(ref));
    if (issuer === undefined) {
      const near = { inScope: byScope.get(scopeOf(ref)) ?? [], ofThatName: byName.get(name) ?? [] };
      const problem = document === undefined ? unknownKind(ref, kinds) : unknownIssuer(ref, near);
      return { ...certificate, spec: undefined, problems: [...problems, problem] };
    }
    // An issuer that is declared and wrong has been told so once; its certificates need not repeat it.
    if (issuer.spec === undefined || issuer.plugin === undefined) return { ...certificate, spec: undefined };
    if (spec === undefined) return certificate;
    const bound = { ...spec, issuerRef: ref };
    const objections = issuer.plugin.objections(issuer.spec.options, bound);
    const objected = objections.map((objection) => toProblem(objection, 'IssuerCannotSign'));
    return { ...certificate, spec: objected.some(isError) ? undefined : bound, problems: [...problems, ...objected] };
  });
}

const scopeOf = ({ group, kind, namespace }: IssuerRef): string => `${group}/${kind}/${namespace ?? ''}`;

interface Near {
  readonly inScope: readonly IssuerRef[];
  readonly ofThatName: readonly IssuerRef[];
}

function unknownIssuer(ref: IssuerRef, { inScope, ofThatName }: Near): Problem {
  const where = ref.namespace === undefined ? '' : ` in namespace \`${ref.namespace}\``;
  const message = `There is no ${ref.kind} \`${ref.name}\`${where}.`;
  const namesake = ofThatName.find(({ namespace }) => namespace === undefined || namespace === ref.namespace);
  const names = inScope.map(({ name }) => name);
  const remedy =
    namesake === undefined
      ? names.length === 0
        ? `Declare one${where}, or refer to another kind.`
        : suggest(ref.name, names, ref.kind)
      : `Write ${referTo(namesake, ref)}: of that kind there is one.`;
  return error('UnknownIssuer', ['spec', 'issuerRef', 'name'], message, remedy);
}

/** What has to change in a reference to mean `namesake`. */
const referTo = (namesake: IssuerRef, ref: IssuerRef): string =>
  [
    ...(namesake.group === ref.group ? [] : [`\`group: ${namesake.group}\``]),
    ...(namesake.kind === ref.kind ? [] : [`\`kind: ${namesake.kind}\``]),
  ].join(' and ');

function unknownKind({ group, kind }: IssuerRef, kinds: readonly IssuerKind[]): Problem {
  const document = kinds.flatMap((plugin) => plugin.documents).find((candidate) => candidate.kind === kind);
  if (document !== undefined) {
    const message = `\`${kind}\` belongs to \`${document.group}\`, not to \`${group}\`.`;
    return error(
      'IssuerGroup',
      ['spec', 'issuerRef', 'kind'],
      message,
      `Write \`group: ${document.group}\` in \`issuerRef\`.`,
    );
  }
  const message = `Issuers of kind \`${kind}\` (${group}) are not built yet.`;
  return error('KindNotBuilt', ['spec', 'issuerRef', 'kind'], message, `Those that are: ${builtIssuers(kinds)}.`);
}

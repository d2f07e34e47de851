import { issuerIdOf, type CertificateSpec, type IssuerRef, type IssuerSpec } from '../certificate.ts';
import type { ManifestObject } from './documents.ts';
import { error, isError, toProblem, type Problem } from './finding.ts';
import { builtIssuers, issuerDocuments, type IssuerKind } from './kinds.ts';
import { at } from './located.ts';
import type { Identity } from './metadata.ts';
import { suggest } from './nearest.ts';

/** A document that belongs to this folder's desired state, whether or not it could be understood. */
export interface Declared<Spec> {
  readonly object: ManifestObject;
  readonly identity: Identity | undefined;
  readonly spec: Spec | undefined;
  readonly problems: Problem[];
}

/** `ref` is whom it refers to, in the certificate's own namespace. */
export interface DeclaredCertificate extends Declared<CertificateSpec> {
  readonly ref: IssuerRef | undefined;
}

/** `ref` is what certificates call it. */
export interface DeclaredIssuer extends Declared<IssuerSpec> {
  readonly ref: IssuerRef | undefined;
}

/** The second of two documents that name the same thing is told about the first. */
export function findDuplicates(certificates: readonly DeclaredCertificate[], issuers: readonly DeclaredIssuer[]): void {
  const first = new Map<string, ManifestObject>();
  const tell = ({ object, problems }: Declared<unknown>, name: string) => {
    const key = `${object.kind} \`${name}\``;
    const earlier = first.get(key);
    if (earlier === undefined) {
      first.set(key, object);
      return;
    }
    const message = `${key} is already declared at ${whereIs(earlier, ['metadata', 'name'])}.`;
    problems.push(error('DuplicateObject', ['metadata', 'name'], message, 'Rename or remove one of them.'));
  };
  for (const issuer of issuers) if (issuer.ref !== undefined) tell(issuer, nameOf(issuer.ref));
  for (const certificate of certificates)
    if (certificate.identity !== undefined) tell(certificate, nameOf(certificate.identity));
}

const nameOf = ({ namespace, name }: { readonly namespace?: string | undefined; readonly name: string }): string =>
  namespace === undefined ? name : `${namespace}/${name}`;

/** Two certificates in one secret would overwrite each other for ever. */
export function findSharedSecrets(certificates: readonly DeclaredCertificate[]): void {
  const first = new Map<string, DeclaredCertificate>();
  const path = ['spec', 'secretName'];
  for (const certificate of certificates) {
    const { object, identity, problems } = certificate;
    const secretName = at(object.node, path)?.value;
    if (identity === undefined || typeof secretName !== 'string') continue;
    const key = `${identity.namespace}/${secretName}`;
    const earlier = first.get(key);
    if (earlier === undefined) {
      first.set(key, certificate);
      continue;
    }
    if (earlier.identity?.name === identity.name) continue; // The same certificate twice: said already.
    const message = `Secret \`${secretName}\` already belongs to another certificate, at ${whereIs(earlier.object, path)}.`;
    problems.push(error('SharedSecret', path, message, 'Give each certificate a secret of its own.'));
  }
}

function whereIs({ source, node }: ManifestObject, path: readonly string[]): string {
  const { line, column } = source.place(at(node, path)?.offset ?? node.offset);
  return `${source.path}:${line}:${column}`;
}

/** Binds each certificate to its issuer and asks the issuer's plug-in whether it can sign it. */
export function bindIssuers(
  certificates: readonly DeclaredCertificate[],
  issuers: readonly DeclaredIssuer[],
  kinds: readonly IssuerKind[],
): DeclaredCertificate[] {
  const byId = new Map(
    issuers.flatMap((issuer) => (issuer.ref === undefined ? [] : [[issuerIdOf(issuer.ref), issuer]])),
  );
  const names = Map.groupBy(
    issuers.flatMap(({ ref }) => (ref === undefined ? [] : [ref])),
    scopeOf,
  );
  const documents = issuerDocuments(kinds);

  return certificates.map((certificate) => {
    const { spec, problems } = certificate;
    if (certificate.ref === undefined) return certificate;
    const { group, kind, name } = certificate.ref;
    const known = documents.find(({ document }) => document.group === group && document.kind === kind);
    const ref = known?.document.scope === 'Cluster' ? { group, kind, name } : certificate.ref;
    const issuer = byId.get(issuerIdOf(ref));
    // An issuer that is declared and wrong has been told so once; its certificates need not repeat it.
    if (issuer !== undefined && issuer.spec === undefined) return { ...certificate, spec: undefined };
    if (issuer?.spec === undefined || known?.plugin === undefined) {
      const near = (names.get(scopeOf(ref)) ?? []).map(({ name }) => name);
      const problem = known?.plugin === undefined ? unknownKind(ref, kinds) : unknownIssuer(ref, near);
      return { ...certificate, spec: undefined, problems: [...problems, problem] };
    }
    if (spec === undefined) return certificate;
    const bound = { ...spec, issuerRef: ref };
    const objections = known.plugin.objections(issuer.spec.options, bound);
    const objected = objections.map((objection) => toProblem(objection, 'IssuerCannotSign'));
    return { ...certificate, spec: objected.some(isError) ? undefined : bound, problems: [...problems, ...objected] };
  });
}

const scopeOf = ({ group, kind, namespace }: IssuerRef): string => `${group}/${kind}/${namespace ?? ''}`;

function unknownIssuer(ref: IssuerRef, names: readonly string[]): Problem {
  const where = ref.namespace === undefined ? '' : ` in namespace \`${ref.namespace}\``;
  const message = `There is no ${ref.kind} \`${ref.name}\`${where}.`;
  const remedy =
    names.length === 0 ? `Declare one${where}, or refer to another kind.` : suggest(ref.name, names, ref.kind);
  return error('UnknownIssuer', ['spec', 'issuerRef', 'name'], message, remedy);
}

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

import type { CertificateSpec, IssuerRef, IssuerSpec } from '../certificate.ts';
import type { IssuerSecret } from '../ports.ts';
import type { DeployHookSpec } from '../rollout/hook-spec.ts';
import type { ManifestObject } from './documents.ts';
import { error, type Path, type Problem } from './finding.ts';
import type { IssuerKind } from './issuer-kinds.ts';
import { at } from './located.ts';
import type { Identity } from './metadata.ts';
import type { Selection } from './read-hook.ts';

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

/** `ref` is what certificates call it; `plugin` is absent where no plug-in has read it. */
export interface DeclaredIssuer extends Declared<IssuerSpec> {
  readonly ref: IssuerRef | undefined;
  readonly plugin?: IssuerKind;
  readonly secrets: readonly IssuerSecret[];
}

/** `selection` is absent where it could not be understood. */
export interface DeclaredHook extends Declared<DeployHookSpec> {
  readonly selection: Selection | undefined;
}

/** The second of two documents that name the same thing is told about the first. */
export function findDuplicates(
  certificates: readonly DeclaredCertificate[],
  issuers: readonly DeclaredIssuer[],
  hooks: readonly DeclaredHook[] = [],
): void {
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
  for (const declared of [...certificates, ...hooks])
    if (declared.identity !== undefined) tell(declared, nameOf(declared.identity));
}

const nameOf = ({ namespace, name }: { readonly namespace?: string | undefined; readonly name: string }): string =>
  namespace === undefined ? name : `${namespace}/${name}`;

export function whereIs({ source, node }: ManifestObject, path: Path): string {
  const { line, column } = source.place(at(node, path)?.offset ?? node.offset);
  return `${source.path}:${line}:${column}`;
}

import { groupBy } from '../group-by.ts';
import type { IssuerDocumentKind, IssuerPlugin } from '../ports.ts';
import { CERT_MANAGER_ISSUERS, NOT_BUILT_ISSUER_TYPES } from './cert-manager-issuers.ts';

/** What the manifest needs to know of an issuer plug-in. */
export type IssuerKind = Pick<IssuerPlugin<unknown>, 'kind' | 'documents' | 'parse' | 'objections' | 'orderLimit'>;

/** `plugin` is absent for what is known by name alone, so that nobody believes it was read. */
export interface KnownIssuer {
  readonly plugin: IssuerKind | undefined;
  readonly document: IssuerDocumentKind;
}

/** Every document that declares an issuer, those of plug-ins first. */
export function knownIssuers(kinds: readonly IssuerKind[]): readonly KnownIssuer[] {
  const built = kinds.flatMap((plugin) => plugin.documents.map((document) => ({ plugin, document })));
  const notBuilt = CERT_MANAGER_ISSUERS.flatMap((kind) =>
    NOT_BUILT_ISSUER_TYPES.map((field) => ({ plugin: undefined, document: { ...kind, field } })),
  );
  const types = new Set(built.map(({ document }) => typeOf(document)));
  return [...built, ...notBuilt.filter(({ document }) => !types.has(typeOf(document)))];
}

/** `AWSPCAIssuer, AWSPCAClusterIssuer (awspca.cert-manager.io); Issuer, ClusterIssuer with acme (cert-manager.io)` */
export function builtIssuers(kinds: readonly IssuerKind[]): string {
  const documents = kinds.flatMap((plugin) => plugin.documents);
  const texts = [...groupBy(documents, familyOf)].map(
    ([type, alike]) => `${alike.map(({ kind }) => kind).join(', ')}${type}`,
  );
  return texts.length === 0 ? 'none' : texts.join('; ');
}

const familyOf = ({ group, field }: IssuerDocumentKind): string =>
  `${field === undefined ? '' : ` with \`${field}\``} (${group})`;

const typeOf = ({ group, kind, field }: IssuerDocumentKind): string => `${group}/${kind}/${field}`;

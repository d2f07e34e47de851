import type { IssuerDocumentKind, IssuerPlugin } from '../ports.ts';
import type { ManifestObject } from './documents.ts';
import { error, type Problem } from './finding.ts';
import { nearest, suggest } from './nearest.ts';
import { CERT_MANAGER_GROUP } from './read-certificate.ts';

/** What the manifest needs to know of an issuer plug-in. */
export type IssuerKind = Pick<IssuerPlugin<unknown>, 'kind' | 'documents' | 'parse' | 'objections'>;

export type Classified =
  | { readonly as: 'certificate' }
  | { readonly as: 'issuer'; readonly plugin: IssuerKind; readonly document: IssuerDocumentKind }
  | { readonly as: 'refused'; readonly problem: Problem; readonly document?: IssuerDocumentKind }
  | { readonly as: 'skipped'; readonly name: string };

const CERTIFICATE_VERSION = 'v1';

/** Known by name, so that nobody believes they were read. Those that a plug-in declares are read. */
const NOT_BUILT_ISSUERS: readonly IssuerDocumentKind[] = [
  { group: CERT_MANAGER_GROUP, version: 'v1', kind: 'Issuer', scope: 'Namespaced' },
  { group: CERT_MANAGER_GROUP, version: 'v1', kind: 'ClusterIssuer', scope: 'Cluster' },
];
const NOT_BUILT: ReadonlySet<string> = new Set([
  'policy.cert-manager.io/CertificateRequestPolicy',
  'everleaf.dev/DeployHook',
]);

/** Records of a cluster's own work, in `kubectl get -o yaml` beside what people wrote. */
const RECORDS: ReadonlySet<string> = new Set(['CertificateRequest']);

/** Before 2019. */
const LEGACY_GROUP = 'certmanager.k8s.io';

/** Tells an object by its `apiVersion` and `kind`. */
export function classify({ apiVersion, kind }: ManifestObject, kinds: readonly IssuerKind[]): Classified {
  const { group, version } = split(apiVersion);

  if (group === '' && kind === 'Secret') return { as: 'refused', problem: SECRET };
  if (group === CERT_MANAGER_GROUP && kind === 'Certificate') {
    if (version === CERTIFICATE_VERSION) return { as: 'certificate' };
    return { as: 'refused', problem: unknownVersion(apiVersion, `${CERT_MANAGER_GROUP}/${CERTIFICATE_VERSION}`) };
  }
  const issuer = issuerDocuments(kinds).find(({ document }) => document.group === group && document.kind === kind);
  if (issuer !== undefined) {
    const { plugin, document } = issuer;
    const problem =
      version === document.version
        ? notBuilt(kind, builtIssuers(kinds))
        : unknownVersion(apiVersion, `${document.group}/${document.version}`);
    if (plugin === undefined || version !== document.version) return { as: 'refused', problem, document };
    return { as: 'issuer', plugin, document };
  }
  return classifyOther({ apiVersion, group, kind }, kinds);
}

/** `group/version`, or the version alone for Kubernetes' core. A group that lacks its version is a group all the same. */
function split(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf('/');
  if (slash !== -1) return { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
  return apiVersion.includes('.') ? { group: apiVersion, version: '' } : { group: '', version: apiVersion };
}

function classifyOther(
  object: { apiVersion: string; group: string; kind: string },
  kinds: readonly IssuerKind[],
): Classified {
  const { apiVersion, group, kind } = object;
  if (NOT_BUILT.has(`${group}/${kind}`)) return { as: 'refused', problem: notBuilt(kind, undefined) };
  if (group === LEGACY_GROUP) return { as: 'refused', problem: unknownVersion(apiVersion, `${CERT_MANAGER_GROUP}/v1`) };

  const ours = [
    { group: CERT_MANAGER_GROUP, kind: 'Certificate' },
    ...issuerDocuments(kinds).map(({ document }) => document),
  ];
  const inGroup = ours.filter((known) => known.group === group).map((known) => known.kind);
  if (inGroup.length > 0 && !RECORDS.has(kind)) {
    const problem = error(
      'UnknownKind',
      ['kind'],
      `\`${group}\` has no kind \`${kind}\`.`,
      suggest(kind, inGroup, 'kind'),
    );
    return { as: 'refused', problem };
  }
  const groups = ours.filter((known) => known.kind === kind).map((known) => known.group);
  const meant = group === '' ? groups[0] : nearest(group, groups);
  if (meant !== undefined) {
    const problem = error(
      'UnknownGroup',
      ['apiVersion'],
      `\`${apiVersion}\` has no kind \`${kind}\`.`,
      `Did you mean the group \`${meant}\`?`,
    );
    return { as: 'refused', problem };
  }
  return { as: 'skipped', name: group === '' ? kind : `${kind}.${group}` };
}

/** Every document that declares an issuer, those of plug-ins first. */
export function issuerDocuments(
  kinds: readonly IssuerKind[],
): readonly { readonly plugin: IssuerKind | undefined; readonly document: IssuerDocumentKind }[] {
  return [
    ...kinds.flatMap((plugin) => plugin.documents.map((document) => ({ plugin, document }))),
    ...NOT_BUILT_ISSUERS.map((document) => ({ plugin: undefined, document })),
  ];
}

/** `AWSPCAIssuer, AWSPCAClusterIssuer (awspca.cert-manager.io)` */
export function builtIssuers(kinds: readonly IssuerKind[]): string {
  const byGroup = Map.groupBy(
    kinds.flatMap((plugin) => plugin.documents),
    (document) => document.group,
  );
  const texts = [...byGroup].map(([group, documents]) => `${documents.map(({ kind }) => kind).join(', ')} (${group})`);
  return texts.length === 0 ? 'none' : texts.join('; ');
}

const SECRET = error(
  'SecretDocument',
  ['kind'],
  'A Secret does not belong in a repository; its contents were not read.',
  'Remove it from the folder and from the history, and replace whatever it held. Keys are made where they are stored.',
);

const notBuilt = (kind: string, built: string | undefined): Problem =>
  error(
    'KindNotBuilt',
    ['kind'],
    `\`${kind}\` is not built yet.`,
    built === undefined
      ? 'Keep it out of this folder for now: it would be without effect.'
      : `Issuers that are: ${built}.`,
  );

const unknownVersion = (apiVersion: string, known: string): Problem =>
  error(
    'UnknownVersion',
    ['apiVersion'],
    `\`${apiVersion}\` is not a version that is read here.`,
    `Convert the document to \`${known}\`; its fields may have other names there.`,
  );

import type { IssuerDocumentKind } from '../ports.ts';
import type { ManifestObject } from './documents.ts';
import { error, type Problem } from './finding.ts';
import { EVERLEAF_GROUP, HOOK_VERSION, type HookKind } from './hook-kinds.ts';
import { builtIssuers, type IssuerKind, knownIssuers } from './issuer-kinds.ts';
import { chooseType } from './issuer-type.ts';
import { nearest, suggest } from './nearest.ts';
import { CERT_MANAGER_GROUP } from './read-certificate.ts';

export type Classified =
  | { readonly as: 'certificate' }
  | { readonly as: 'hook' }
  | { readonly as: 'issuer'; readonly plugin: IssuerKind; readonly document: IssuerDocumentKind }
  | { readonly as: 'refused'; readonly problem: Problem; readonly document?: IssuerDocumentKind }
  | { readonly as: 'skipped'; readonly name: string };

const CERTIFICATE_VERSION = 'v1';

/** Known by name, so that nobody believes they were read. */
const NOT_BUILT: ReadonlySet<string> = new Set(['policy.cert-manager.io/CertificateRequestPolicy']);

const HOOK = { group: EVERLEAF_GROUP, kind: 'DeployHook' } as const;

/** Records of a cluster's own work, in `kubectl get -o yaml` beside what people wrote. */
const RECORDS: ReadonlySet<string> = new Set(['CertificateRequest']);

/** Before 2019. */
const LEGACY_GROUP = 'certmanager.k8s.io';

/** Tells an object by its `apiVersion` and `kind`. */
export function classify(
  object: ManifestObject,
  kinds: readonly IssuerKind[],
  hookKinds: readonly HookKind[],
): Classified {
  const { apiVersion, kind } = object;
  const { group, version } = split(apiVersion);

  if (group === '' && kind === 'Secret') return { as: 'refused', problem: SECRET };
  if (group === CERT_MANAGER_GROUP && kind === 'Certificate') {
    if (version === CERTIFICATE_VERSION) return { as: 'certificate' };
    return { as: 'refused', problem: unknownVersion(apiVersion, `${CERT_MANAGER_GROUP}/${CERTIFICATE_VERSION}`) };
  }
  if (group === HOOK.group && kind === HOOK.kind) {
    if (hookKinds.length === 0) return { as: 'refused', problem: notBuilt(kind) };
    if (version === HOOK_VERSION) return { as: 'hook' };
    return { as: 'refused', problem: unknownVersion(apiVersion, `${EVERLEAF_GROUP}/${HOOK_VERSION}`) };
  }
  const known = knownIssuers(kinds).filter(({ document }) => document.group === group && document.kind === kind);
  const [first] = known;
  if (first === undefined) return classifyOther({ apiVersion, group, kind }, kinds);
  const { document } = first;
  if (version !== document.version) {
    return { as: 'refused', problem: unknownVersion(apiVersion, `${document.group}/${document.version}`), document };
  }
  const type = chooseType(object, known, builtIssuers(kinds));
  return 'problem' in type ? { as: 'refused', document, ...type } : { as: 'issuer', document, ...type };
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
  if (NOT_BUILT.has(`${group}/${kind}`)) return { as: 'refused', problem: notBuilt(kind) };
  if (group === LEGACY_GROUP) return { as: 'refused', problem: unknownVersion(apiVersion, `${CERT_MANAGER_GROUP}/v1`) };

  const ours = [
    { group: CERT_MANAGER_GROUP, kind: 'Certificate' },
    HOOK,
    ...knownIssuers(kinds).map(({ document }) => document),
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

const SECRET = error(
  'SecretDocument',
  ['kind'],
  'A Secret does not belong in a repository; its contents were not read.',
  'Remove it from the folder and from the history, and replace whatever it held. Keys are made where they are stored.',
);

const notBuilt = (kind: string): Problem =>
  error(
    'KindNotBuilt',
    ['kind'],
    `\`${kind}\` is not built yet.`,
    'Keep it out of this folder for now: it would be without effect.',
  );

const unknownVersion = (apiVersion: string, known: string): Problem =>
  error(
    'UnknownVersion',
    ['apiVersion'],
    `\`${apiVersion}\` is not a version that is read here.`,
    `Convert the document to \`${known}\`; its fields may have other names there.`,
  );

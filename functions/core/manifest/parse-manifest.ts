import { issuerIdOf, type IssuerRef, type Manifest } from '../certificate.ts';
import type { IssuerDocumentKind } from '../ports.ts';
import { bindHooks } from './bind-hooks.ts';
import { bindIssuers } from './bind-issuers.ts';
import { type ManifestObject, readDocuments } from './documents.ts';
import { type FileReader, filesBeside, noFiles } from './files-beside.ts';
import { compareText, inReadingOrder, isError, type Finding } from './finding.ts';
import {
  findDuplicates,
  type Declared,
  type DeclaredCertificate,
  type DeclaredHook,
  type DeclaredIssuer,
} from './folder.ts';
import type { HookKind } from './hook-kinds.ts';
import type { IssuerKind } from './issuer-kinds.ts';
import { classify } from './kinds.ts';
import { findingAt } from './located.ts';
import { identityOf, type Identity } from './metadata.ts';
import { readCertificate, referenceIn } from './read-certificate.ts';
import { readHook } from './read-hook.ts';
import { readIssuer } from './read-issuer.ts';
import { findSharedSecrets } from './shared-secrets.ts';
import { tidy } from './show-value.ts';
import type { ManifestFile } from './source.ts';

export interface ParsedManifest {
  /** What could be understood without an error. Nothing should be deployed of it while findings hold errors. */
  readonly manifest: Manifest;
  readonly findings: readonly Finding[];
  /** Documents of other kinds, counted as kubectl calls them: `Deployment.apps`. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Documents found, right and wrong ones alike. */
  readonly declared: { readonly certificates: number; readonly issuers: number; readonly hooks: number };
}

/** In one folder. Past it, somebody has pointed at the wrong folder. */
const MAXIMUM_DOCUMENTS = 20_000;

export interface ParseOptions {
  /** What DeployHooks may deploy to. */
  readonly hookKinds?: readonly HookKind[];
  /** Files that documents name, certificates in PEM say. Absent: there are none. */
  readonly readFile?: FileReader;
  /** Told how many files have been read. */
  readonly onRead?: (files: number) => void;
}

/** Reads a folder of manifests: the desired state, and everything that is to be said about how it was written. */
export function parseManifest(
  files: readonly ManifestFile[],
  kinds: readonly IssuerKind[],
  { hookKinds = [], readFile = noFiles, onRead = () => {} }: ParseOptions = {},
): ParsedManifest {
  const findings: Finding[] = [];
  const certificates: DeclaredCertificate[] = [];
  const issuers: DeclaredIssuer[] = [];
  const hooks: DeclaredHook[] = [];
  const refused: Declared<never>[] = [];
  const skipped = new Map<string, number>();

  for (const object of readAll(files, findings, onRead)) {
    const identity = identityOf(object.node);
    const classified = classify(object, kinds, hookKinds);
    switch (classified.as) {
      case 'certificate':
        certificates.push({
          ...declare(object, identity, readCertificate(object)),
          ref: identity === undefined ? undefined : referenceIn(object, identity),
        });
        break;
      case 'issuer': {
        const { plugin, document } = classified;
        const read = readIssuer(object, plugin, document, filesBeside(object.source, readFile));
        const ref = refOf(document, identity);
        issuers.push({ ...declare(object, identity, read), ref, plugin, secrets: read.secrets ?? [] });
        break;
      }
      case 'hook': {
        const read = readHook(object, hookKinds);
        hooks.push({ ...declare(object, identity, read), selection: read.selection });
        break;
      }
      case 'refused': {
        const declared = { object, identity, spec: undefined, problems: [classified.problem] };
        if (classified.document === undefined) refused.push(declared);
        else issuers.push({ ...declared, ref: refOf(classified.document, identity), secrets: [] });
        break;
      }
      case 'skipped':
        skipped.set(tidy(classified.name), (skipped.get(tidy(classified.name)) ?? 0) + 1);
    }
  }

  findDuplicates(certificates, issuers, hooks);
  findSharedSecrets(certificates, issuers);
  const bound = bindHooks(bindIssuers(certificates, issuers, kinds), hooks);
  const wanted = accepted(hooks).sort((a, b) => compareText(a.id, b.id));
  const located = [...bound, ...issuers, ...hooks, ...refused].flatMap(({ object, problems }) =>
    problems.map((problem) => findingAt(object.source, object.node, problem)),
  );
  return {
    manifest: {
      certificates: accepted(bound).sort((a, b) => compareText(a.id, b.id)),
      issuers: accepted(issuers).sort((a, b) => compareText(issuerIdOf(a.ref), issuerIdOf(b.ref))),
      ...(wanted.length === 0 ? {} : { hooks: wanted }),
    },
    findings: [...findings, ...located].sort(inReadingOrder),
    skipped: Object.fromEntries([...skipped].sort(([a], [b]) => compareText(a, b))),
    declared: { certificates: certificates.length, issuers: issuers.length, hooks: hooks.length },
  };
}

/** In the files' order, so that the first of two duplicates is the same one on every machine. */
function* readAll(
  files: readonly ManifestFile[],
  findings: Finding[],
  onRead: (files: number) => void,
): Iterable<ManifestObject> {
  let documents = 0;
  for (const [index, file] of files.toSorted((a, b) => compareText(a.path, b.path)).entries()) {
    const read = readDocuments(file);
    documents += read.objects.length;
    if (documents > MAXIMUM_DOCUMENTS) {
      findings.push(tooManyDocuments(file));
      return;
    }
    for (const finding of read.findings) findings.push(finding);
    yield* read.objects;
    onRead(index + 1);
  }
}

const tooManyDocuments = (file: ManifestFile): Finding => ({
  severity: 'error',
  code: 'TooManyDocuments',
  file: file.path,
  line: 1,
  column: 1,
  message: `With this file the folder holds more than ${MAXIMUM_DOCUMENTS.toLocaleString('en')} documents; it and those after it were left out.`,
  remedy: 'Point at the folder that holds the certificates, or split it.',
});

function declare<Spec>(
  object: ManifestObject,
  identity: Identity | undefined,
  read: { readonly value: Spec | undefined; readonly problems: readonly Declared<Spec>['problems'][number][] },
): Declared<Spec> {
  return { object, identity, spec: read.value, problems: [...read.problems] };
}

function refOf({ group, kind, scope }: IssuerDocumentKind, identity: Identity | undefined): IssuerRef | undefined {
  if (identity === undefined) return undefined;
  const { namespace, name } = identity;
  return scope === 'Namespaced' ? { group, kind, name, namespace } : { group, kind, name };
}

/** Errors that came up in the whole folder (a duplicate, say) count as well. */
const accepted = <Spec>(declared: readonly Declared<Spec>[]): Spec[] =>
  declared.flatMap(({ spec, problems }) => (spec === undefined || problems.some(isError) ? [] : [spec]));

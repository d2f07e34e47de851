import { Composer, type Document, Parser, type YAMLError } from 'yaml';
import type { Finding } from './finding.ts';
import { at, type Located } from './located.ts';
import { locate } from './locate.ts';
import { openSource, type ManifestFile, type Source } from './source.ts';
import { explainSyntax, explainTemplate } from './syntax.ts';

/** A mapping that says what it is. */
export interface ManifestObject {
  readonly source: Source;
  readonly node: Located;
  readonly apiVersion: string;
  readonly kind: string;
}

export interface ReadFile {
  readonly objects: readonly ManifestObject[];
  readonly findings: readonly Finding[];
}

/** As a ConfigMap's limit: far more than a person writes in one file. */
export const MAXIMUM_FILE_BYTES = 1024 * 1024;

/** A rendered chart with all its custom resource definitions has two or three mebibytes. */
export const MAXIMUM_STREAM_BYTES = 16 * MAXIMUM_FILE_BYTES;

const OPTIONS = {
  version: '1.2',
  strict: true,
  // The parser compares each key with all before it, which takes minutes where there are a hundred thousand. `locate` says it.
  uniqueKeys: false,
  // Tags such as !!binary would turn text into something that is no plain data.
  resolveKnownTags: false,
  // Pretty errors quote the file, which must not happen to a Secret.
  prettyErrors: false,
  logLevel: 'silent',
} as const;

/** Of one document. The rest are nearly always consequences of the first. */
const MAXIMUM_SYNTAX_FINDINGS = 10;

/** Of one file. It is no manifest then, and a page of findings says so as well as a book. */
const MAXIMUM_FINDINGS = 100;

/** Takes a file apart into the objects that Kubernetes would see. JSON is YAML, too (YAML 1.2 §1.3). */
export function readDocuments(file: ManifestFile): ReadFile {
  const source = openSource(file);
  const limit = file.isStream === true ? MAXIMUM_STREAM_BYTES : MAXIMUM_FILE_BYTES;
  if (source.text.length > limit) return { objects: [], findings: [source.finding(0, tooLarge(source.text, limit))] };
  const objects: ManifestObject[] = [];
  const findings: Finding[] = [];
  // One by one, as they are composed: a stream's trees together would take a hundred times its size.
  for (const document of documentsIn(source)) {
    const read = 'code' in document ? { objects: [], findings: [document] } : readDocument(source, document);
    for (const object of read.objects) objects.push(object);
    for (const finding of read.findings) findings.push(finding);
    if (findings.length < MAXIMUM_FINDINGS || 'code' in document) continue;
    findings.length = MAXIMUM_FINDINGS;
    findings.push(source.finding(document.range[2], GIVEN_UP));
    break;
  }
  return { objects, findings };
}

/** Ends with a finding where the parser itself gives up: brackets without end take its stack. */
function* documentsIn(source: Source): Iterable<Document.Parsed | Finding> {
  try {
    yield* new Composer(OPTIONS).compose(new Parser().parse(source.text));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    yield source.finding(0, explainSyntax('RESOURCE_EXHAUSTION', source.text, 0));
  }
}

function readDocument(source: Source, document: Document.Parsed): ReadFile {
  const complaints: readonly YAMLError[] = [...document.errors, ...document.warnings];
  if (complaints.length > 0) return { objects: [], findings: syntaxFindings(source, complaints) };
  if (document.contents === null) return { objects: [], findings: [] };
  const converted = locate(document.contents);
  if (!converted.ok) {
    const remark = explainTemplate(source.text, converted.offset) ?? converted.remark;
    return { objects: [], findings: [source.finding(converted.offset, remark)] };
  }
  // A separator with nothing, or a comment, after it.
  if (converted.node.value === null) return { objects: [], findings: [] };
  return identify(source, converted.node);
}

/** One finding a line: a broken bracket is one mistake, however often the parser stumbles over it. */
function syntaxFindings(source: Source, complaints: readonly YAMLError[]): Finding[] {
  const byLine = new Map<number, Finding>();
  for (const complaint of complaints) {
    const offset = complaint.pos[0];
    const { line } = source.place(offset);
    if (!byLine.has(line)) byLine.set(line, source.finding(offset, explainSyntax(complaint.code, source.text, offset)));
    if (byLine.size === MAXIMUM_SYNTAX_FINDINGS) break;
  }
  const findings = [...byLine.values()];
  const templates = findings.filter(({ code }) => code === 'TemplateNotRendered');
  return templates.length > 0 ? templates : findings;
}

function identify(source: Source, node: Located): ReadFile {
  const apiVersion = at(node, ['apiVersion'])?.value;
  const kind = at(node, ['kind'])?.value;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') {
    return { objects: [], findings: [source.finding(node.offset, notAnObject(node))] };
  }
  if (apiVersion === 'v1' && kind === 'List') return readList(source, node);
  return { objects: [{ source, node, apiVersion, kind }], findings: [] };
}

/** What `kubectl get certificates -o yaml` prints. */
function readList(source: Source, list: Located): ReadFile {
  const items = at(list, ['items']);
  const read = [...(items?.entries.values() ?? [])].map((entry) => identify(source, entry.node));
  return { objects: read.flatMap(({ objects }) => objects), findings: read.flatMap(({ findings }) => findings) };
}

const GIVEN_UP = {
  severity: 'error' as const,
  code: 'TooManyFindings',
  message: `After ${MAXIMUM_FINDINGS} findings the rest of this file was not read.`,
  remedy: 'Mend what was found, or keep the file out of this folder.',
};

const tooLarge = ({ length }: string, limit: number) => ({
  severity: 'error' as const,
  code: 'FileTooLarge',
  message: `The file holds ${length.toLocaleString('en')} characters; ${limit.toLocaleString('en')} is the most that is read.`,
  remedy: 'Split it into several files.',
});

const notAnObject = (node: Located) => ({
  severity: 'error' as const,
  code: 'NotAnObject',
  message:
    typeof node.value === 'object' && node.value !== null && !Array.isArray(node.value)
      ? 'This document has no `apiVersion` and `kind`, both of which are text.'
      : 'This document is not a mapping with `apiVersion`, `kind` and `metadata`.',
  remedy: 'Write a Kubernetes object here, or keep other files out of this folder.',
});

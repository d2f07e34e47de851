export { parseManifest, type ParsedManifest } from './parse-manifest.ts';
export { MAXIMUM_FILE_BYTES, MAXIMUM_STREAM_BYTES } from './documents.ts';
export type { FileReader } from './files-beside.ts';
export { inReadingOrder, isError, type Fault, type Finding } from './finding.ts';
export { counted, renderFinding, type Emphasis } from './render.ts';
export type { IssuerKind } from './issuer-kinds.ts';
export type { ManifestFile } from './source.ts';

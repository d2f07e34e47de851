import { lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { HOOKS } from '../functions/catalogue.ts';
import { PermanentError } from '../functions/core/errors.ts';
import {
  type Finding,
  inReadingOrder,
  type IssuerKind,
  type ManifestFile,
  type ParsedManifest,
  parseManifest,
} from '../functions/core/manifest/index.ts';
import { fileReader } from './named-files.ts';
import { decodeText, type FileFault, readText } from './text-file.ts';

export interface FolderContents {
  readonly files: readonly ManifestFile[];
  readonly findings: readonly Finding[];
}

const MANIFEST_NAME = /\.(?:ya?ml|json)$/i;

/** In one folder. Past it, somebody has pointed at the wrong one. */
const MAXIMUM_FILES = 10_000;
const MAXIMUM_DEPTH = 32;

/** Reads and judges a folder of manifests, or a single file. */
export function loadManifest(
  path: string,
  kinds: readonly IssuerKind[],
  onProgress: (read: number, files: number) => void = () => {},
): ParsedManifest {
  const { files, findings } = readManifestFolder(path);
  const onRead = (read: number) => onProgress(read, files.length);
  const parsed = parseManifest(files, kinds, { hookKinds: HOOKS, readFile: fileReader(path), onRead });
  return { ...parsed, findings: [...findings, ...parsed.findings].sort(inReadingOrder) };
}

/**
 * Every `.yaml`, `.yml` and `.json` file in a folder and beneath it, in the same order everywhere. Hidden files and folders
 * are left alone, links are followed to files inside the folder only, and no file is read twice.
 */
export function readManifestFolder(path: string): FolderContents {
  const root = locate(path);
  const files: ManifestFile[] = [];
  const findings: Finding[] = [];
  const seen = new Set<string>();
  const note = (finding: Finding) => findings.push(finding);

  for (const file of root.isFolder ? namesUnder(path, 0, note) : [path]) {
    if (files.length === MAXIMUM_FILES) {
      const message = `More than ${MAXIMUM_FILES.toLocaleString('en')} files; this one and those after it were left out.`;
      note(unreadable(file, 'TooManyFiles', message, 'Point at the folder that holds the certificates.'));
      break;
    }
    attempt(file, note, () => {
      const real = realpathSync(file);
      if (root.isFolder && !real.startsWith(root.real + sep)) {
        note(unreadable(file, 'LinkLeadsOutside', 'The link leads out of the folder.', 'Copy the file into it.'));
        return;
      }
      if (seen.has(real)) return;
      seen.add(real);
      const read = manifestOf(file, readText(real));
      if ('text' in read) files.push(read);
      else note(read);
    });
  }
  return { files, findings };
}

/** One file or folder that cannot be read does not keep the others from being read. */
function attempt(path: string, note: (finding: Finding) => void, read: () => void): void {
  try {
    read();
  } catch (failure) {
    const reason = failure instanceof Error && 'code' in failure ? String(failure.code) : String(failure);
    note(unreadable(path, 'Unreadable', `This cannot be read (${reason}).`, 'Check what it is and who may read it.'));
  }
}

function locate(path: string): { real: string; isFolder: boolean } {
  try {
    const real = realpathSync(path);
    return { real, isFolder: statSync(real).isDirectory() };
  } catch (cause) {
    const message = `There is no folder ${resolve(path)}: name the one that holds the manifests, "certificates" in a checkout.`;
    throw new PermanentError('ManifestFolderMissing', message, { cause });
  }
}

/** Paths as the user wrote the folder, so that an editor opens them from the same place. */
function namesUnder(folder: string, depth: number, note: (finding: Finding) => void): string[] {
  const paths: string[] = [];
  if (depth > MAXIMUM_DEPTH) return paths;
  attempt(folder, note, () => {
    for (const name of readdirSync(folder).sort()) {
      if (name.startsWith('.') || name === 'node_modules') continue;
      const path = join(folder, name);
      // Not `stat`: a linked folder is either read where it is or none of ours.
      if (lstatSync(path).isDirectory()) for (const found of namesUnder(path, depth + 1, note)) paths.push(found);
      else if (MANIFEST_NAME.test(name)) paths.push(path);
    }
  });
  return paths;
}

/** What was piped in, as a file of its own. */
export function decodeManifest(path: string, bytes: Uint8Array): ManifestFile | Finding {
  return manifestOf(path, decodeText(bytes));
}

const manifestOf = (path: string, text: string | FileFault): ManifestFile | Finding =>
  typeof text === 'string' ? { path, text } : unreadable(path, text.code, text.message, text.remedy);

const unreadable = (file: string, code: string, message: string, remedy: string): Finding => ({
  severity: 'error',
  code,
  file,
  line: 1,
  column: 1,
  message,
  remedy,
});

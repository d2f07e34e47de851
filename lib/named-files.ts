import { realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import type { Fault, FileReader } from '../functions/core/manifest/index.ts';
import { readText } from './text-file.ts';

const CERTIFICATE_NAME = /\.(?:pem|crt)$/i;

/**
 * Reads the certificates that manifests in a folder (or in a single file) name, when they are named: what else is in the folder
 * stays unread. Names are relative to the manifest's own file, and lead to files in the folder only, links included.
 */
export function fileReader(manifests: string): FileReader {
  const root = statSync(manifests).isDirectory() ? manifests : dirname(manifests);
  return (from, path) => {
    const file = join(dirname(from), path);
    if (!CERTIFICATE_NAME.test(path))
      return fault(`\`${file}\` is not read.`, 'Name a PEM file, which ends in `.pem` or `.crt`.');
    if (isAbsolute(path) || !isWithin(root, file)) return leadsOutside(file);
    try {
      const real = realpathSync(file);
      if (!isWithin(realpathSync(root), real)) return leadsOutside(file);
      const text = readText(real);
      return typeof text === 'string' ? text : fault(`\`${file}\`: ${text.message}`, text.remedy);
    } catch (failure) {
      return unreadable(file, failure);
    }
  };
}

const fault = (message: string, remedy: string): Fault => ({ message, remedy });

const isWithin = (folder: string, file: string): boolean => {
  const way = relative(folder, file);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
};

const leadsOutside = (file: string): Fault =>
  fault(`\`${file}\` is not in the folder of the manifests.`, 'Copy the file into it.');

function unreadable(file: string, failure: unknown): Fault {
  const reason = failure instanceof Error && 'code' in failure ? String(failure.code) : String(failure);
  if (reason === 'ENOENT')
    return fault(
      `There is no file \`${file}\`.`,
      "Put it there, or mend its name: it is relative to this document's own file.",
    );
  return fault(`\`${file}\` cannot be read (${reason}).`, 'Check what it is and who may read it.');
}

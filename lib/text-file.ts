import { readFileSync, statSync } from 'node:fs';
import { type Fault, MAXIMUM_FILE_BYTES } from '../functions/core/manifest/index.ts';

export interface FileFault extends Fault {
  readonly code: string;
}

/** The text of a file that is no larger than any manifest is, or what keeps it from being read. */
export function readText(path: string): string | FileFault {
  const status = statSync(path);
  if (!status.isFile()) return { code: 'Unreadable', message: 'This is not a file.', remedy: 'Remove it.' };
  const { size } = status;
  if (size > MAXIMUM_FILE_BYTES) {
    const message = `The file has ${size.toLocaleString('en')} bytes; ${MAXIMUM_FILE_BYTES.toLocaleString('en')} is the most that is read.`;
    return { code: 'FileTooLarge', message, remedy: 'Split it into several files.' };
  }
  return decodeText(readFileSync(path));
}

/** YAML and PEM are text; anything else would be read as something that nobody wrote. */
export function decodeText(bytes: Uint8Array): string | FileFault {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return { code: 'NotUtf8', message: 'The file is not UTF-8.', remedy: 'Save it as UTF-8.' };
  }
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type * as fc from 'fast-check';

/** Something that reads what others have written. */
export interface Target {
  /** Also the name of its folder in the corpus. */
  readonly name: string;
  /** Of the files in the corpus. */
  readonly extension: string;
  /** Inputs that `npm test` makes. */
  readonly quickRuns: number;
  /** Inputs made of the corpus. */
  readonly inputs: (seeds: readonly Buffer[]) => fc.Arbitrary<Buffer>;
  /** Throws where a promise is broken. */
  readonly examine: (input: Buffer) => void | Promise<void>;
  readonly close?: () => Promise<void>;
}

/** The target's folder in the corpus, by file name. */
export function corpusOf({ name, extension }: Target): ReadonlyMap<string, Buffer> {
  const folder = corpusFolder(name);
  const files = readdirSync(folder)
    .filter((file) => file.endsWith(extension))
    .sort();
  return new Map(files.map((file) => [file, readFileSync(join(folder, file))]));
}

export const corpusFolder = (name: string): string => join(import.meta.dirname, 'corpus', name);

/** Nobody can wait for one input. Bytes, as no parser here is handed more: httpsTransport and EventBridge have this limit. */
export const LARGEST_INPUT_BYTES = 256 * 1024;

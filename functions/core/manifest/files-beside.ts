import type { Fault, Problem } from './finding.ts';
import type { Source } from './source.ts';

/** The text of a file by its path relative to the manifest file `from`, or why there is none. */
export type FileReader = (from: string, path: string) => string | Fault;

/** The files beside one document. */
export interface FilesBeside {
  readonly read: (path: string) => string | undefined;
  /** The problem in the words of whoever looked for its file. */
  readonly explain: (problem: Problem) => Problem;
}

export function filesBeside({ path: from }: Source, reader: FileReader): FilesBeside {
  return {
    read: (path) => {
      const found = reader(from, path);
      return typeof found === 'string' ? found : undefined;
    },
    explain: (problem) => {
      const found = problem.missingFile === undefined ? '' : reader(from, problem.missingFile);
      return typeof found === 'string' ? problem : { ...problem, ...found };
    },
  };
}

/** Where there is no folder: what is piped in stands beside nothing. */
export const noFiles: FileReader = (from, path) => ({
  message: `\`${path}\` cannot be read: beside ${from} there are no files.`,
  remedy: 'Write what is piped in to a folder, with the file in it, and name the folder.',
});

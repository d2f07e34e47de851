import { isError, type Problem } from './finding.ts';

/** What was understood of a part of a document, and what is to be said of it. */
export interface Reading<T> {
  /** Undefined when an error stood in the way. */
  readonly value: T | undefined;
  readonly problems: readonly Problem[];
}

/** `value` unless something in `problems` forbids it. */
export const reading = <T>(value: T, problems: readonly Problem[]): Reading<T> => ({
  value: problems.some(isError) ? undefined : value,
  problems,
});

import { EverleafError } from '../../functions/core/errors.ts';

export const EXIT_FINE = 0;
export const EXIT_FINDINGS = 1;
export const EXIT_USAGE = 2;
/** 128 + SIGINT, as shells have it. */
export const EXIT_INTERRUPTED = 130;

/** The command line asked for something that cannot be. */
export class UsageError extends Error {}

/** A refused manifest is a finding; a missing folder or a wrong name is a usage error; anything else is a bug. */
export function exitCodeOf(error: unknown): number | undefined {
  if (error instanceof UsageError) return EXIT_USAGE;
  if (!(error instanceof EverleafError)) return undefined;
  return error.code === 'ManifestRefused' ? EXIT_FINDINGS : EXIT_USAGE;
}

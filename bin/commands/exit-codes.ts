import { EverleafError } from '../../functions/core/errors.ts';

export const EXIT_FINE = 0;
export const EXIT_FINDINGS = 1;
export const EXIT_USAGE = 2;
/** 128 + SIGINT, as shells have it. */
export const EXIT_INTERRUPTED = 130;

/** Beneath each command's help. */
export const EXIT_CODES = `
Exit codes:
  0   fine
  1   findings: a manifest has errors, a run showed a fault, a certificate wants attention, or nothing was to be done
  2   it could not be done: wrong usage, no such folder, stack or certificate, no permission, AWS out of reach
  130 interrupted`;

/** The command line asked for something that cannot be. */
export class UsageError extends Error {}

/** A refused manifest is a finding; a missing folder or a wrong name is a usage error; anything else is a bug. */
export function exitCodeOf(error: unknown): number | undefined {
  if (error instanceof UsageError) return EXIT_USAGE;
  if (!(error instanceof EverleafError)) return undefined;
  return error.code === 'ManifestRefused' ? EXIT_FINDINGS : EXIT_USAGE;
}

import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');

/** The configuration, from the root. */
export const CONFIG = 'test/mutation/stryker.config.ts';
/** Stryker's own report of the last run, and what it goes by in the next. Both are too large to be committed. */
export const REPORT = join(ROOT, '.stryker', 'report.json');
export const KNOWN = join(ROOT, '.stryker', 'incremental.json');
/** Why survivors may live. */
export const REASONS = join(import.meta.dirname, 'survivors.json');
/** What is committed of a run. */
export const RESULT = join(import.meta.dirname, 'result.json');
export const PAGE = join(ROOT, 'docs', 'mutation.md');

import * as z from 'zod/mini';

const settings = z.object({
  /** This run's own folder: gone when it ends. */
  folder: z.string(),
  /** The checkout. */
  root: z.string(),
  /** The person's own: what is built once for all checkouts lies below. */
  home: z.string(),
  endpoint: z.string(),
  /** What the emulator prints. */
  logFile: z.string(),
  /** Where the emulator's functions look for AWS Private CA. */
  privateCaPort: z.number(),
});
export type Settings = z.infer<typeof settings>;

/** What `run.ts` started. */
export function readSettings(): Settings {
  const text = process.env['EVERLEAF_E2E'];
  if (text === undefined) throw new Error('there is no emulator: start these tests with "npm run e2e"');
  return settings.parse(JSON.parse(text));
}

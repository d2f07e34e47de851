import * as z from 'zod/mini';

const debianProgram = z.object({
  executable: z.string(),
  /** Where its libraries are. Left out if they are where the system looks. */
  libraries: z.optional(z.string()),
});
export type DebianProgram = z.infer<typeof debianProgram>;

const settings = z.object({
  /** This run's own folder: gone when it ends. */
  folder: z.string(),
  /** Where each program is. */
  programs: z.object({
    nginx: debianProgram,
    haproxy: debianProgram,
    pebble: z.string(),
    challengeDns: z.string(),
    stepCa: z.string(),
    step: z.string(),
    lego: z.string(),
    /** The Python that has certbot. */
    certbotPython: z.string(),
  }),
});
export type Settings = z.infer<typeof settings>;
export type PeerPrograms = Settings['programs'];

const VARIABLE = 'EVERLEAF_PEERS';

export const toEnvironment = (value: Settings): NodeJS.ProcessEnv => ({ [VARIABLE]: JSON.stringify(value) });

/** What `run.ts` installed. */
export function readSettings(): Settings {
  const text = process.env[VARIABLE];
  if (text === undefined) throw new Error('no peer is installed: start these tests with "npm run peers"');
  return settings.parse(JSON.parse(text));
}

import * as z from 'zod/mini';

const settings = z.object({
  /** This run's own folder: gone when it ends. */
  folder: z.string(),
  programs: z.object({ etcd: z.string(), apiServer: z.string(), controllerManager: z.string(), kubectl: z.string() }),
});
type Settings = z.infer<typeof settings>;
export type KubePrograms = Settings['programs'];

const VARIABLE = 'EVERLEAF_KUBE';

export const toEnvironment = (value: Settings): NodeJS.ProcessEnv => ({ [VARIABLE]: JSON.stringify(value) });

/** What `run.ts` installed. */
export function readSettings(): Settings {
  const text = process.env[VARIABLE];
  if (text === undefined) throw new Error('no Kubernetes is installed: start these tests with "npm run kube"');
  return settings.parse(JSON.parse(text));
}

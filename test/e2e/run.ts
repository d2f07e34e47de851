import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { installPeers } from '../peers/install/install.ts';
import { toEnvironment } from '../peers/settings.ts';
import { CannotRun } from './host/cannot-run.ts';
import { claimPort, type Emulator, startEmulator } from './host/emulator.ts';
import { awsSettings, environmentOf } from './host/environment.ts';
import { installEmulator } from './host/install.ts';
import { outcomeOf, Programs } from './host/programs.ts';

/**
 * The whole app, deployed by the real CDK command into an AWS emulator that we did not write, with a public CA that we did not
 * write either. This process owns what runs: the emulator, and vitest with the assertions, which starts the CA in its own
 * process group. Whatever happens, all are gone when it ends.
 */

const ROOT = join(import.meta.dirname, '..', '..');
const EXIT_CANNOT_RUN = 2;
const EXIT_INTERRUPTED = 130;

const say = (line: string): void => void process.stdout.write(`e2e: ${line}\n`);

async function run(
  programs: Programs,
  folder: string,
  port: number | undefined,
  patterns: readonly string[],
): Promise<number> {
  const started = performance.now();
  const ports = { emulator: await claimPort(port), privateCa: await claimPort(undefined) };
  const python = await installEmulator(programs, ROOT, say);
  const peers = await installPeers(programs, say);
  const env = environmentOf(ROOT, folder);
  const emulator = await startEmulator(programs, {
    python,
    port: ports.emulator,
    privateCaEndpoint: `http://127.0.0.1:${ports.privateCa}`,
    folder,
    env,
  });
  say(`MiniStack is up at ${emulator.endpoint}, with TLS and IAM enforced`);
  const forTests = { ...env, ...toEnvironment({ folder, programs: peers }) };
  const code = await runTests(programs, emulator, folder, ports.privateCa, forTests, patterns);
  if (programs.closed) return code;
  if (code !== 0) say(`the emulator's log: ${keepLog(emulator)}`);
  say(`${code === 0 ? 'passed' : 'failed'} after ${Math.round((performance.now() - started) / 1_000)} s`);
  return code;
}

async function runTests(
  programs: Programs,
  emulator: Emulator,
  folder: string,
  privateCaPort: number,
  env: NodeJS.ProcessEnv,
  patterns: readonly string[],
): Promise<number> {
  const vitest = programs.start(
    'vitest',
    ['run', '--config', join(import.meta.dirname, 'vitest.config.ts'), ...patterns],
    {
      cwd: ROOT,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: {
        ...env,
        ...awsSettings(emulator.endpoint, emulator.certificateFile),
        EVERLEAF_E2E: JSON.stringify({
          folder,
          root: ROOT,
          home: homedir(),
          endpoint: emulator.endpoint,
          logFile: emulator.logFile,
          privateCaPort,
        }),
      },
    },
  );
  const { code } = await outcomeOf(vitest);
  // Servers that its tests left behind.
  await programs.stop(vitest);
  return code;
}

/** Settled in any case: a build that was stopped still tidies up after itself. */
async function ended(work: Promise<unknown> | undefined): Promise<void> {
  await Promise.allSettled([work]);
}

function keepLog({ logFile }: Emulator): string {
  const kept = join(ROOT, 'node_modules', '.cache', 'everleaf-e2e', 'emulator.log');
  if (existsSync(logFile)) copyFileSync(logFile, kept);
  return kept;
}

const isUsage = (error: unknown): error is Error =>
  error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');

function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new CannotRun(`--port is "${text}"; it must be a number from 1 to 65535`);
}

async function main(): Promise<number> {
  const programs = new Programs();
  const folder = mkdtempSync(join(tmpdir(), 'everleaf-e2e-'));
  const interrupted = new Promise<number>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => resolve(EXIT_INTERRUPTED));
  });
  let work: Promise<number> | undefined;
  try {
    const { values, positionals } = parseArgs({ options: { port: { type: 'string' } }, allowPositionals: true });
    work = run(programs, folder, portOf(values.port), positionals);
    return await Promise.race([work, interrupted]);
  } catch (error) {
    if (!(error instanceof CannotRun || isUsage(error))) throw error;
    process.stderr.write(`${error.message}\n`);
    return EXIT_CANNOT_RUN;
  } finally {
    await programs.stopAll();
    await ended(work);
    rmSync(folder, { recursive: true, force: true });
  }
}

process.exit(await main());

import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { installPeers } from '../peers/install/install.ts';
import { toEnvironment } from '../peers/settings.ts';
import { CannotRun } from './host/cannot-run.ts';
import { claimPort, type Emulator, startEmulator } from './host/emulator.ts';
import { awsSettings, environmentOf } from './host/environment.ts';
import { installEmulator } from './host/install.ts';
import { ownedRun, runSuite } from './host/owned-run.ts';
import type { Programs } from './host/programs.ts';

/**
 * The whole app, deployed by the real CDK command into an AWS emulator that we did not write, with a public CA that we did not
 * write either. This process owns what runs: the emulator, and vitest with the assertions, which starts the CA in its own
 * process group. Whatever happens, all are gone when it ends.
 */

const ROOT = join(import.meta.dirname, '..', '..');

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
  const PATH = [awsCommand(folder, python), env['PATH']].join(delimiter);
  const forTests = { ...env, PATH, ...toEnvironment({ folder, programs: peers }) };
  const code = await runTests(programs, emulator, folder, ports.privateCa, forTests, patterns);
  if (programs.closed) return code;
  if (code !== 0) say(`the emulator's log: ${keepLog(emulator)}`);
  say(`${code === 0 ? 'passed' : 'failed'} after ${Math.round((performance.now() - started) / 1_000)} s`);
  return code;
}

/** The runbook types `aws`, which is installed beside the emulator. For SQS it passes AWS_ENDPOINT_URL over. Answers its folder. */
function awsCommand(folder: string, python: string): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const aws = join(dirname(python), 'aws');
  writeFileSync(join(bin, 'aws'), `#!/bin/sh\nexec "${aws}" --endpoint-url "$AWS_ENDPOINT_URL" "$@"\n`, {
    mode: 0o755,
  });
  return bin;
}

async function runTests(
  programs: Programs,
  emulator: Emulator,
  folder: string,
  privateCaPort: number,
  env: NodeJS.ProcessEnv,
  patterns: readonly string[],
): Promise<number> {
  return runSuite(programs, {
    root: ROOT,
    suite: import.meta.dirname,
    patterns,
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
  });
}

function keepLog({ logFile }: Emulator): string {
  const kept = join(ROOT, 'node_modules', '.cache', 'everleaf-e2e', 'emulator.log');
  if (existsSync(logFile)) copyFileSync(logFile, kept);
  return kept;
}

function readOptions(): { readonly port: number | undefined; readonly patterns: readonly string[] } {
  try {
    const { values, positionals } = parseArgs({ options: { port: { type: 'string' } }, allowPositionals: true });
    return { port: portOf(values.port), patterns: positionals };
  } catch (error) {
    if (isUsage(error)) throw new CannotRun(error.message, { cause: error });
    throw error;
  }
}

const isUsage = (error: unknown): error is Error =>
  error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');

function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new CannotRun(`--port is "${text}"; it must be a number from 1 to 65535`);
}

process.exit(
  await ownedRun('e2e', async (programs, folder) => {
    const { port, patterns } = readOptions();
    return run(programs, folder, port, patterns);
  }),
);

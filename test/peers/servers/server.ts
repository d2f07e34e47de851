import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Processes } from '../processes.ts';

const READY_WITHIN_MS = 30_000;
const PAUSE_MS = 25;

/** What every starter answers. */
export interface Server {
  /** What it has printed so far. */
  readonly log: () => string;
  readonly stop: () => Promise<void>;
}

export interface ServerCommand {
  readonly program: string;
  readonly parameters: readonly string[];
  /** Working folder, and where the log goes. */
  readonly folder: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Throws while it does not serve yet. */
  readonly serves: () => Promise<unknown>;
}

/** Starts a server and waits until it serves. */
export async function startServer(processes: Processes, command: ServerCommand): Promise<Server> {
  const logFile = join(command.folder, 'log');
  const { env = {}, folder } = command;
  const child = processes.start(command.program, command.parameters, logFile, { env, cwd: folder });
  const log = (): string => readFileSync(logFile, 'utf8');
  await serving(child, command, log);
  return { log, stop: () => processes.stop(child) };
}

async function serving(child: ChildProcess, { program, serves }: ServerCommand, log: () => string): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  let problem = await problemOf(serves());
  while (problem !== undefined) {
    const ended = child.exitCode ?? child.signalCode ?? (child.pid === undefined ? 'no process' : undefined);
    if (ended !== undefined || Date.now() > deadline) {
      const what = ended === undefined ? `does not serve after ${READY_WITHIN_MS / 1_000} s` : `ended with ${ended}`;
      const tail = log().split('\n').slice(-20).join('\n');
      throw new Error(`${program} ${what}: ${problem}. Its log ends:\n${tail}`);
    }
    await wait(PAUSE_MS);
    problem = await problemOf(serves());
  }
}

const problemOf = (attempt: Promise<unknown>): Promise<string | undefined> =>
  attempt.then(
    () => undefined,
    (error: unknown) => String(error),
  );

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { type Finished, outcomeOf } from '../e2e/host/programs.ts';

const GRACE_MS = 5_000;

export interface ProcessOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

/**
 * What the tests of one file start. `afterAll(() => processes.stop())` ends it. They share vitest's process group: if vitest
 * is stopped, so are they.
 */
export class Processes {
  readonly #folder: string;
  readonly #running = new Set<ChildProcess>();

  /** `folder` is this run's own. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Gone when the run ends. */
  newFolder(name: string): string {
    return mkdtempSync(join(this.#folder, `${name}-`));
  }

  /** Starts a server. What it prints goes to `logFile`. */
  start(
    program: string,
    parameters: readonly string[],
    logFile: string,
    { env, cwd }: ProcessOptions = {},
  ): ChildProcess {
    const log = openSync(logFile, 'a');
    const child = spawn(program, parameters, { env: this.#environment(env), cwd, stdio: ['ignore', log, log] });
    closeSync(log);
    this.#running.add(child);
    child.once('error', () => this.#running.delete(child));
    return child;
  }

  /** Runs a command to its end. */
  async run(program: string, parameters: readonly string[], { env, cwd }: ProcessOptions = {}): Promise<Finished> {
    const child = spawn(program, parameters, { env: this.#environment(env), cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#running.add(child);
    const finished = await outcomeOf(child);
    this.#running.delete(child);
    return finished;
  }

  /** Like `run`; throws with everything it printed if it fails. Answers what it printed. */
  async succeed(program: string, parameters: readonly string[], options: ProcessOptions = {}): Promise<string> {
    const { code, output } = await this.run(program, parameters, options);
    if (code === 0) return output;
    throw new Error(`${[program, ...parameters].join(' ')} ended with ${code}:\n${output}`);
  }

  /** Ends one server, or all of them, the latest first. */
  async stop(child?: ChildProcess): Promise<void> {
    const children = child === undefined ? [...this.#running].toReversed() : [child];
    for (const each of children) {
      this.#running.delete(each);
      await end(each);
    }
  }

  /** Nothing of the person's own settings: no proxy, no account, no configuration at home. */
  #environment(env: NodeJS.ProcessEnv | undefined): NodeJS.ProcessEnv {
    return {
      // Hooks run on the Node that runs the tests.
      PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
      HOME: this.#folder,
      TMPDIR: process.env['TMPDIR'],
      LC_ALL: 'C.UTF-8',
      ...env,
    };
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  const impatience = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
  await exit;
  clearTimeout(impatience);
}

import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';

export interface Finished {
  readonly code: number;
  /** Standard output and standard error, as they came. */
  readonly output: string;
}

export interface ProgramOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly stdio?: StdioOptions;
}

/** How long a program may take to end by itself once it was asked to. */
const GRACE_MS = 5_000;

/**
 * Programs this run started. Each leads a process group of its own, so that a Ctrl-C reaches this process alone, which then
 * ends them in order, with whatever they have started in turn.
 */
export class Programs {
  readonly #running = new Set<ChildProcess>();
  #closed = false;

  /** Everything was stopped, or is being. */
  get closed(): boolean {
    return this.#closed;
  }

  start(program: string, parameters: readonly string[], { env, cwd, stdio = 'pipe' }: ProgramOptions): ChildProcess {
    if (this.#closed) throw new Error(`${program} is not started any more: the run is over`);
    const child = spawn(program, parameters, { env, cwd, stdio, detached: true });
    this.#running.add(child);
    const forget = (): void => void this.#running.delete(child);
    child.once('error', forget);
    return child;
  }

  async run(program: string, parameters: readonly string[], options: ProgramOptions): Promise<Finished> {
    const child = this.start(program, parameters, options);
    const finished = await outcomeOf(child);
    this.#running.delete(child);
    return finished;
  }

  async stop(child: ChildProcess): Promise<void> {
    this.#running.delete(child);
    if (child.pid === undefined) return;
    const ended = child.exitCode !== null || child.signalCode !== null ? Promise.resolve() : once(child, 'exit');
    signalGroup(child.pid, 'SIGTERM');
    const impatience = setTimeout(() => signalGroup(child.pid, 'SIGKILL'), GRACE_MS);
    await ended;
    clearTimeout(impatience);
    // Its leader is gone; what the leader left behind goes, too.
    signalGroup(child.pid, 'SIGKILL');
  }

  /** The latest first: tests end before the emulator they talk to. */
  async stopAll(): Promise<void> {
    this.#closed = true;
    for (const child of [...this.#running].toReversed()) await this.stop(child);
  }
}

/** Waits for a program's end. One that is not there answers as a shell would: 127. */
export function outcomeOf(child: ChildProcess): Promise<Finished> {
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
  const finished = (code: number): Finished => ({ code, output: Buffer.concat(chunks).toString('utf8') });
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: 127, output: error.message }));
    child.once('close', (code) => resolve(finished(code ?? 130)));
  });
}

function signalGroup(leader: number | undefined, signal: NodeJS.Signals): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, signal);
  } catch (error) {
    // Nobody is left in the group.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

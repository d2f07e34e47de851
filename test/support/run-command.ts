import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

const EVERLEAF = join(import.meta.dirname, '..', '..', 'bin', 'everleaf.ts');

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What the command left in the folder for temporary files. */
  readonly left: readonly string[];
}

/** Runs the command as a person does. `interruptAt`: sends Ctrl-C when that text appears. */
export async function everleaf(options: readonly string[], interruptAt?: string): Promise<Run> {
  const temporary = mkdtempSync(join(tmpdir(), 'everleaf-command-'));
  onTestFinished(() => rmSync(temporary, { recursive: true, force: true }));
  const child = spawn(process.execPath, [EVERLEAF, ...options], {
    env: { PATH: process.env['PATH'], TMPDIR: temporary, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  let isInterrupted = false;
  for (const channel of ['stdout', 'stderr'] as const) {
    child[channel].setEncoding('utf8').on('data', (text: string) => {
      output[channel] += text;
      // Once: a second one would end it at once.
      if (isInterrupted || interruptAt === undefined || !output[channel].includes(interruptAt)) return;
      isInterrupted = child.kill('SIGINT');
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...output, left: readdirSync(temporary) };
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..');

/** An entry's shell commands, block by block, as they stand. */
export interface Entry {
  readonly anchor: string;
  readonly blocks: readonly string[];
}

/** The runbook's own commands: first what it sets up for all of them, then its entries. */
export function readRunbook(): { readonly preface: Entry; readonly entries: readonly Entry[] } {
  const text = readFileSync(join(ROOT, 'docs', 'runbook.md'), 'utf8');
  const [preface = '', ...sections] = text.split(/^## /m);
  const blocksOf = (section: string): readonly string[] =>
    [...section.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
  return {
    preface: { anchor: '', blocks: blocksOf(preface) },
    entries: sections.map((section) => ({
      anchor: section.slice(0, section.indexOf('\n')),
      blocks: blocksOf(section),
    })),
  };
}

/** Lines of a block that belong together: a command, over as many lines as it takes. */
export function commandsIn(block: string): readonly string[] {
  const commands: string[] = [];
  let open = '';
  for (const line of block.split('\n')) {
    open += open === '' ? line : `\n${line}`;
    const isOpen = line.endsWith('\\') || (open.match(/\{/g)?.length ?? 0) > (open.match(/\}/g)?.length ?? 0);
    if (isOpen) continue;
    if (open.trim() !== '') commands.push(open);
    open = '';
  }
  return commands;
}

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const TIMEOUT_MS = 60_000;

/** Runs commands in one shell, in the checkout, as a person would. The shell's code is the last command's. */
export async function runInShell(commands: string, env: NodeJS.ProcessEnv): Promise<Ran> {
  const shell = spawn('bash', ['-o', 'pipefail', '-c', commands], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
  });
  const said = { stdout: '', stderr: '' };
  shell.stdout.setEncoding('utf8').on('data', (text: string) => void (said.stdout += text));
  shell.stderr.setEncoding('utf8').on('data', (text: string) => void (said.stderr += text));
  const [code] = (await once(shell, 'close')) as [number | null];
  return { code, ...said };
}

import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { GUARDS_PAGE, guardsTable, withGuards } from '../../tools/guards-page.ts';
import { GUARDS } from './guards.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** A copy of the sources, to be broken. */
const copy = mkdtempSync(join(tmpdir(), 'everleaf-guards-'));
for (const part of ['bin', 'certificates', 'docs', 'examples', 'functions', 'lib', 'local', 'test', 'tools']) {
  cpSync(join(ROOT, part), join(copy, part), { recursive: true });
}
for (const file of [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'vitest.config.ts',
  'cdk.json',
  'README.md',
]) {
  cpSync(join(ROOT, file), join(copy, file));
}
symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** How a suite ends in the copy, and what it says last. */
function run(suite: string): Promise<{ readonly failed: number; readonly passed: number; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(ROOT, 'node_modules', 'vitest', 'vitest.mjs'), 'run', suite], {
      cwd: copy,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.on('error', reject);
    child.on('close', () => {
      const plain = stripVTControlCharacters(output);
      const tests = /^\s*Tests\s+(.*)$/m.exec(plain)?.[1] ?? '';
      const count = (what: string): number => Number(new RegExp(`(\\d+) ${what}`).exec(tests)?.[1] ?? 0);
      resolve({ failed: count('failed'), passed: count('passed'), output: plain.slice(-2_000) });
    });
  });
}

describe('a guard that is broken turns something red:', () => {
  it.each(GUARDS.map((guard) => [guard.name, guard] as const))(
    '%s',
    async (_name, { file, code, broken, caughtBy }) => {
      const path = join(copy, file);
      const source = readFileSync(path, 'utf8');
      expect(source.split(code).length - 1, `${file} has the guard once`).toBe(1);
      writeFileSync(
        path,
        source.replace(code, () => broken),
      );
      try {
        const { failed, output } = await run(caughtBy);
        // A suite that does not even load has no failed test to show.
        expect(failed, output).toBeGreaterThan(0);
      } finally {
        writeFileSync(path, source);
      }
    },
  );

  it('and none of these suites is red by itself', async () => {
    for (const suite of new Set(GUARDS.map(({ caughtBy }) => caughtBy))) {
      const { failed, passed, output } = await run(suite);
      expect(passed, output).toBeGreaterThan(0);
      expect(failed, output).toBe(0);
    }
  });
});

describe('docs/guards.md', () => {
  it('lists them as they are; `node tools/guards-page.ts` writes it', () => {
    const page = readFileSync(GUARDS_PAGE, 'utf8');
    expect(page).toContain(guardsTable());
    expect(withGuards(page)).toBe(page);
  });
});

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const ROOT = join(import.meta.dirname, '..');

/** What continuous integration runs, in this order. Those that are `counted` end in vitest's summary. */
const SUITES: readonly { readonly name: string; readonly command: readonly string[]; readonly counted: boolean }[] = [
  { name: 'checks', command: ['npm', 'run', '--silent', 'check'], counted: false },
  { name: 'tests', command: ['npm', 'test'], counted: true },
  { name: 'faults', command: ['npm', 'run', '--silent', 'faults'], counted: true },
  { name: 'guards', command: ['npm', 'run', '--silent', 'guards'], counted: true },
  { name: 'OpenSSL', command: ['npm', 'run', '--silent', 'test:openssl'], counted: true },
  { name: 'peers', command: ['npm', 'run', '--silent', 'peers'], counted: true },
  { name: 'package', command: ['npm', 'run', '--silent', 'package'], counted: true },
  { name: 'Kubernetes', command: ['npm', 'run', '--silent', 'kube'], counted: true },
  { name: 'end to end', command: ['npm', 'run', '--silent', 'e2e'], counted: true },
];

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

/** Runs one command with its output shown, and answers how it ended and what it said. */
function run([program = '', ...options]: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, options, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        process.stdout.write(text);
      });
    }
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, output: stripVTControlCharacters(output) }));
  });
}

/** Vitest's own closing line: `Tests  1 failed | 700 passed | 1 skipped (702)`. */
function countTests(output: string): Tally | undefined {
  const line = /^\s*Tests\s+(.*\(\d+\))\s*$/m.exec(output)?.[1];
  if (line === undefined) return undefined;
  const count = (what: string): number => Number(new RegExp(`(\\d+) ${what}`).exec(line)?.[1] ?? 0);
  return { passed: count('passed'), failed: count('failed'), skipped: count('skipped') };
}

/** The most lines that a failed suite has repeated of it at the end, where a log cut to its last lines still has them. */
const LINES_REPEATED = 40;

/** What a reader of a failed suite wants to see first: what vitest says of its failed tests, or else the last lines. */
function gist(output: string): string {
  const lines = output.trimEnd().split('\n');
  const heading = lines.findIndex((line) => /Failed (Tests|Suites) \d+|Unhandled Errors/.test(line));
  const told = heading === -1 ? lines.slice(-LINES_REPEATED) : lines.slice(heading, heading + LINES_REPEATED);
  return told.map((line) => line.slice(0, 200)).join('\n');
}

const failures: string[] = [];
const total: Tally = { passed: 0, failed: 0, skipped: 0 };
for (const { name, command, counted } of SUITES) {
  process.stdout.write(`\n── ${name}: ${command.join(' ')}\n`);
  const { code, output } = await run(command);
  const tally = counted ? countTests(output) : { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
  // A suite that ends badly without saying which test failed, or says nothing at all, has failed.
  const silent = tally === undefined || tally.passed + tally.failed === 0 || (code !== 0 && tally.failed === 0);
  total.passed += tally?.passed ?? 0;
  total.skipped += tally?.skipped ?? 0;
  total.failed += (tally?.failed ?? 0) + (silent ? 1 : 0);
  if (code !== 0 || silent) failures.push(`\n── what failed of ${name}\n${gist(output)}\n`);
  if (silent) process.stdout.write(`${name} ended with ${code} and no failed test to show for it\n`);
}
process.stdout.write(failures.join(''));
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exitCode = total.failed === 0 ? 0 : 1;

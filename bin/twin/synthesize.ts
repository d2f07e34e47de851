import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { EverleafStack } from '../../lib/everleaf-stack.ts';

export interface SynthesizedApp {
  /** The cloud assembly: what `cdk synth` writes. */
  readonly assemblyDir: string;
  readonly remove: () => void;
}

/** Synthesizes the very app that `cdk deploy` would, into a folder that `remove` takes away. */
export function synthesize(manifest: string, stackName: string): SynthesizedApp {
  const assemblyDir = mkdtempSync(join(tmpdir(), 'everleaf-twin-'));
  const remove = (): void => rmSync(assemblyDir, { recursive: true, force: true });
  try {
    // CDK's own check of the template takes four seconds; `npx cdk synth`, and a test, have it on.
    const app = new App({ outdir: assemblyDir, builtinCloudFormationValidation: false });
    new EverleafStack(app, stackName, { manifest, deployment: stackName });
    app.synth();
    return { assemblyDir, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

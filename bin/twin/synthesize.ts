import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, cx_api } from 'aws-cdk-lib';
import { EverleafStack } from '../../lib/everleaf-stack.ts';

export interface SynthesizedApp {
  /** The cloud assembly: what `cdk synth` writes. */
  readonly assemblyDir: string;
  readonly remove: () => void;
}

/** An app for the twin. Assets stay where they are, uncopied; what an assembly says of them is the same. */
export function appForTwin(outdir: string): App {
  return new App({
    outdir,
    context: { [cx_api.DISABLE_ASSET_STAGING_CONTEXT]: true },
    // CDK's own check of the template takes four seconds; `npx cdk synth`, and a test, have it on.
    builtinCloudFormationValidation: false,
  });
}

/** Synthesizes the very app that `cdk deploy` would, into a folder that `remove` takes away. */
export function synthesize(manifest: string, stackName: string): SynthesizedApp {
  const assemblyDir = mkdtempSync(join(tmpdir(), 'everleaf-twin-'));
  const remove = (): void => rmSync(assemblyDir, { recursive: true, force: true });
  try {
    const app = appForTwin(assemblyDir);
    new EverleafStack(app, stackName, { manifest, deployment: stackName });
    app.synth();
    return { assemblyDir, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { EverleafStack } from '../../lib/everleaf-stack.ts';

/** The sample manifests, as `npm start` and `npx cdk synth` take them. */
export const SAMPLES = join(import.meta.dirname, '..', '..', 'certificates');

/** Manifests that deploy nothing anywhere. */
export const WITHOUT_HOOKS = join(import.meta.dirname, '..', '..', 'examples', 'every-field');

/** The template of the stack; nothing of the assembly is left on disk. */
export function synthesizeTemplate(manifest = SAMPLES, options: { readonly validate?: boolean } = {}): Template {
  const outdir = mkdtempSync(join(tmpdir(), 'everleaf-test-'));
  try {
    const app = new App({ outdir, builtinCloudFormationValidation: options.validate ?? false });
    return Template.fromStack(new EverleafStack(app, 'Everleaf', { manifest }));
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

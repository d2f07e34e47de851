import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { appForTwin } from '../../bin/twin/synthesize.ts';

/** Synthesizes a stack of one test file. Remove it once it is deployed. */
export function synthesizeOnce(build: (stack: Stack) => void): { directory: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'everleaf-roles-'));
  const app = appForTwin(folder);
  build(new Stack(app, 'Roles', { env: { account: '111122223333', region: 'us-east-1' } }));
  return { directory: app.synth().directory, remove: () => rmSync(folder, { recursive: true }) };
}

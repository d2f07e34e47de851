import { Stage } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

/** The cloud assembly that is being written: what is generated for it goes there, and nothing is left elsewhere. */
export function assemblyDir(scope: Construct): string {
  const stage = Stage.of(scope);
  if (stage === undefined) throw new Error(`${scope.node.path} stands in no app`);
  return stage.outdir;
}

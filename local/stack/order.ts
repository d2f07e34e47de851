import type { Template } from '../template/assembly.ts';
import { referencesIn } from '../template/intrinsics.ts';

/** The logical ids so that each comes after all it refers to or depends on; otherwise as the template has them. */
export function creationOrder({ Resources }: Template): string[] {
  const ordered = new Set<string>();
  const visit = (logicalId: string, path: readonly string[]): void => {
    const resource = Resources[logicalId];
    if (resource === undefined || ordered.has(logicalId)) return;
    if (path.includes(logicalId)) throw new Error(`circular dependency: ${[...path, logicalId].join(' -> ')}`);
    for (const needed of [...resource.DependsOn, ...referencesIn(resource.Properties)])
      visit(needed, [...path, logicalId]);
    ordered.add(logicalId);
  };
  for (const logicalId of Object.keys(Resources)) visit(logicalId, []);
  return [...ordered];
}

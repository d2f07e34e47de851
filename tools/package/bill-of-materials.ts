import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Component {
  readonly 'bom-ref': string;
}

interface BillOfMaterials {
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

export interface Parts {
  /** Packages that are installed along, by name. */
  readonly installed: ReadonlySet<string>;
  /** Packages of which something is in a bundle, as `name@version`. What they leave out there is no part. */
  readonly bundled: ReadonlySet<string>;
}

/** CycloneDX, by npm from the lockfile: what is installed with all that it stands on, and what is bundled. */
export function billOfMaterials(root: string, { installed, bundled }: Parts): string {
  const whole = fromLockfile(root);
  const needs = new Map(whole.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
  const [self = ''] = needs.keys();
  const refs = new Set<string>();
  const visit = (ref: string): void => {
    if (refs.has(ref)) return;
    refs.add(ref);
    for (const each of needs.get(ref) ?? []) visit(each);
  };
  const direct = (needs.get(self) ?? []).filter((ref) => installed.has(nameOf(ref)));
  for (const ref of direct) visit(ref);
  for (const ref of bundled) refs.add(ref);
  const components = whole.components.filter(({ 'bom-ref': ref }) => refs.has(ref));
  const missing = [...refs].filter((ref) => !components.some(({ 'bom-ref': each }) => each === ref));
  if (missing.length > 0) throw new Error(`the lockfile does not know ${missing.join(', ')}`);
  const dependencies = [
    { ref: self, dependsOn: [...new Set([...direct, ...bundled])] },
    ...whole.dependencies.filter(({ ref }) => refs.has(ref)),
  ].map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((each) => refs.has(each)) }));
  return `${JSON.stringify({ ...whole, components, dependencies }, undefined, 2)}\n`;
}

const nameOf = (ref: string): string => ref.slice(0, ref.lastIndexOf('@'));

/** In a folder that has the package's name, since npm calls the product by its folder. */
function fromLockfile(root: string): BillOfMaterials {
  const temporary = mkdtempSync(join(tmpdir(), 'everleaf-sbom-'));
  try {
    const cwd = join(temporary, 'everleaf');
    mkdirSync(cwd);
    for (const file of ['package.json', 'package-lock.json']) copyFileSync(join(root, file), join(cwd, file));
    const parameters = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'];
    const { status, stdout, stderr } = spawnSync('npm', parameters, { cwd, encoding: 'utf8', maxBuffer: 64 * 2 ** 20 });
    if (status !== 0) throw new Error(`npm sbom ended with ${status}:\n${stderr}`);
    return JSON.parse(stdout) as BillOfMaterials;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

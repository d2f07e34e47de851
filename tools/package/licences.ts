import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';

/** Packages of which something is in a bundle: their folders, from the root. */
export function bundledPackages(metafiles: readonly Metafile[]): ReadonlySet<string> {
  const folders = metafiles.flatMap(({ outputs }) =>
    Object.values(outputs).flatMap(({ inputs }) =>
      Object.entries(inputs).flatMap(([path, { bytesInOutput }]) =>
        bytesInOutput === 0 ? [] : (/^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []),
      ),
    ),
  );
  return new Set(folders);
}

interface Package {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

const readPackage = (root: string, folder: string): Package =>
  JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Package;

/** `zod@4.6.7` */
export function referenceTo(root: string, folder: string): string {
  const { name, version } = readPackage(root, folder);
  return `${name}@${version}`;
}

/** The licences of what is bundled, each text once, as their authors want them passed on. Throws where a package names none. */
export function thirdPartyLicences(root: string, folders: ReadonlySet<string>): string {
  const titlesByText = new Map<string, string[]>();
  for (const folder of [...folders].sort()) {
    const { name, version, license } = readPackage(root, folder);
    if (license === undefined) throw new Error(`${folder} names no licence, and is in a bundle`);
    const files = readdirSync(join(root, folder)).filter((name) => /^(?:licen[cs]e|notice|copying)/i.test(name));
    const text = files.sort().map((name) => readFileSync(join(root, folder, name), 'utf8').trim());
    const titles = titlesByText.get(text.join('\n\n')) ?? [];
    titlesByText.set(text.join('\n\n'), [...titles, `${name} ${version} (${license})`]);
  }
  const chapters = [...titlesByText].map(([text, titles]) => `${titles.join('\n')}\n\n${text}`);
  return `What the functions' bundles hold beside Everleaf's own code.\n\n${chapters.join(`\n\n${'='.repeat(80)}\n\n`)}\n`;
}

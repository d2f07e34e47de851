import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { once } from './once.ts';
import type { DebianProgram } from '../settings.ts';
import { step, type Workshop } from './workshop.ts';

const LIBRARIES = 'usr/lib/x86_64-linux-gnu';

/**
 * The machine's own, where it has one. Otherwise Debian's package with the libraries that few machines have, unpacked and not
 * installed: that needs no root, and starts no service.
 */
export async function findDebianProgram(
  workshop: Workshop,
  name: string,
  libraries: readonly string[] = [],
): Promise<DebianProgram> {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
  const installed = folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
  if (installed !== undefined) return { executable: installed };
  const remedy = `Install ${name} (Debian: apt-get install ${name}).`;
  const folder = await once(workshop.cache, `${name}-debian`, async (unfinished) => {
    workshop.say(`unpacking Debian's ${name} (once)`);
    const packages = join(unfinished, 'packages');
    mkdirSync(packages);
    await step(workshop, ['apt-get', 'download', name, ...libraries], remedy, { cwd: packages });
    for (const file of readdirSync(packages))
      await step(workshop, ['dpkg', '-x', join(packages, file), unfinished], remedy);
  });
  return { executable: join(folder, 'usr', 'sbin', name), libraries: join(folder, LIBRARIES) };
}

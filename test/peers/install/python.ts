import { join } from 'node:path';
import { CannotRun } from '../../e2e/host/cannot-run.ts';
import { once } from './once.ts';
import { step, type Workshop } from './workshop.ts';

/** What certbot asks for. */
const OLDEST_MINOR = 10;
const HOW_TO_GET = 'Install Python 3.10 or later with its venv module (Debian: apt-get install python3-venv).';
const OUT_OF_REACH = 'It comes from the Python Package Index: is that, or a mirror that pip knows of, within reach?';

export interface PythonPackage {
  readonly interpreter: string;
  /** Its `site-packages`. */
  readonly library: string;
}

/** A package of the Python Package Index, in an environment of its own. */
export async function installPythonPackage(
  workshop: Workshop,
  name: string,
  version: string,
  what: string,
): Promise<PythonPackage> {
  const python = await pythonVersion(workshop);
  const folder = await once(workshop.cache, `${name}-${version}-python${python}`, async (unfinished) => {
    workshop.say(`installing ${what} (once)`);
    await step(workshop, ['python3', '-m', 'venv', unfinished], HOW_TO_GET);
    const pip = [join(unfinished, 'bin', 'python'), '-m', 'pip', 'install', '--quiet', `${name}==${version}`];
    await step(workshop, pip, OUT_OF_REACH, { env: { PIP_DISABLE_PIP_VERSION_CHECK: '1' } });
  });
  return {
    interpreter: join(folder, 'bin', 'python'),
    library: join(folder, 'lib', `python${python}`, 'site-packages'),
  };
}

async function pythonVersion(workshop: Workshop): Promise<string> {
  const { output } = await step(workshop, ['python3', '--version'], HOW_TO_GET);
  const [, version = '', minor] = /^Python (3\.(\d+))/.exec(output) ?? [];
  if (Number(minor) >= OLDEST_MINOR) return version;
  throw new CannotRun(`python3 is ${output.trim()}. ${HOW_TO_GET}`);
}

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { apiFaults } from './api-report.ts';
import { bundleSizeFaults } from './bundle-sizes.ts';
import { readSources, wrongImports } from './import-direction.ts';

const ROOT = join(import.meta.dirname, '..');

interface Check {
  readonly name: string;
  /** Answers what is wrong; nothing: all is well. */
  readonly faults: () => string;
}

const command = (name: string, program: string, ...options: readonly string[]): Check => ({
  name,
  faults: () => {
    const { status, stdout, stderr, error } = spawnSync(program, options, {
      cwd: ROOT,
      encoding: 'utf8',
      shell: false,
    });
    if (error !== undefined) return `${program}: ${error.message}`;
    return status === 0 ? '' : `${stdout}${stderr}` || `${program} ended with ${status}`;
  },
});

/** The twin is there for the product's sake: it stays smaller than what it carries. */
function sizeFaults(): string {
  const lines = { product: 0, twin: 0 };
  for (const [file, text] of readSources(ROOT)) {
    const count = text.split('\n').length - 1;
    if (file.startsWith('local/')) lines.twin += count;
    else if (!file.startsWith('bin/')) lines.product += count;
  }
  return lines.twin < lines.product ? '' : `local/ has ${lines.twin} lines, functions/ and lib/ ${lines.product}`;
}

const PLANTED = new Map([
  ['functions/core/planted.ts', "import { S3Client } from '@aws-sdk/client-s3';"],
  ['functions/issuers/planted.ts', "import { secretsManagerStore } from '../stores/secrets-manager.ts';"],
  ['functions/issue/planted.ts', "import { App } from 'aws-cdk-lib';"],
  ['local/planted.ts', "import type { Issuer } from '../functions/core/ports.ts';"],
  ['lib/planted.ts', "import { Twin } from '../local/twin.ts';"],
]);

function importFaults(): string {
  const caught = wrongImports(PLANTED);
  if (caught.length !== PLANTED.size)
    return `the check itself is blind: of ${PLANTED.size} planted imports it caught ${caught.join(', ')}`;
  return wrongImports(readSources(ROOT)).join('\n');
}

const CHECKS: readonly Check[] = [
  command('format', 'prettier', '--check', '--log-level', 'warn', '.'),
  command('types', 'tsc', '--project', '.'),
  // CDK's own types do not hold under exactOptionalPropertyTypes, which people who deploy rarely have.
  command('types of examples', 'tsc', '--project', 'examples'),
  command('lint', 'oxlint', '--type-aware', '--deny-warnings'),
  { name: 'import direction', faults: importFaults },
  command('dead code', 'knip'),
  { name: 'size of the twin', faults: sizeFaults },
  { name: 'size of bundles', faults: bundleSizeFaults },
  { name: 'public API', faults: apiFaults },
];

let failed = 0;
for (const { name, faults } of CHECKS) {
  const startedAt = performance.now();
  const text = faults();
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  process.stdout.write(`${text === '' ? '✔' : '✘'} ${name.padEnd(18)} ${seconds} s\n${text === '' ? '' : `${text}\n`}`);
  if (text !== '') failed += 1;
}
process.exitCode = failed === 0 ? 0 : 1;

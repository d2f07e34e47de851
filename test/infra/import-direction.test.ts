import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSources, wrongImports } from '../../tools/import-direction.ts';

describe('the direction of imports', () => {
  it('is kept by every file', () => {
    const sources = readSources(join(import.meta.dirname, '..', '..'));
    expect(sources.size).toBeGreaterThan(100);
    expect(wrongImports(sources)).toEqual([]);
  });

  it.each([
    ['functions/core/x.ts', "import { S3Client } from '@aws-sdk/client-s3';"],
    ['functions/core/x.ts', "import { readFileSync } from 'node:fs';"],
    ['functions/core/x.ts', "export { y } from '../stores/bundle.ts';"],
    ['functions/issuers/x.ts', "const y = await import('../stores/bundle.ts');"],
    ['functions/stores/x.ts', "import { A } from '@aws-sdk/client-a';\nimport { B } from '@aws-sdk/client-b';"],
    ['functions/issue/renew.ts', "import { x } from '../stores/secrets-manager.ts';"],
    ['functions/issue/handler.ts', "import { x } from '../detect/detect.ts';"],
    ['functions/issue/handler.ts', "import { App } from 'aws-cdk-lib';"],
    ['lib/x.ts', "import { x } from '../local/twin.ts';"],
    ['local/x.ts', "import type { Issuer } from '../functions/core/ports.ts';"],
    ['local/x.ts', "import { SQSClient } from '@aws-sdk/client-sqs';"],
    ['functions/utils/x.ts', ''],
  ])('is violated by %s with %s', (file, text) => {
    expect(wrongImports(new Map([[file, text]]))).toHaveLength(1);
  });
});

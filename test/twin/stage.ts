import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duration, Stack } from 'aws-cdk-lib';
import { Code, Function as LambdaFunction, type FunctionProps, Runtime } from 'aws-cdk-lib/aws-lambda';
import { buildSync } from 'esbuild';
import { afterEach } from 'vitest';
import { appForTwin } from '../../bin/twin/synthesize.ts';
import { Twin, type TwinOptions } from '../../local/twin.ts';

/** One hour back: room for every `advance` in these tests. */
const ROOM_MS = 60 * 60 * 1_000;

const twins: Twin[] = [];
const directories: string[] = [];

afterEach(async () => {
  await Promise.all(twins.splice(0).map((twin) => twin.close()));
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'twin-test-'));
  directories.push(directory);
  return directory;
}

/** Synthesizes a stack of one test and answers the assembly's directory. */
export function synthesize(build: (stack: Stack) => void, stackName = 'Demo'): string {
  const app = appForTwin(temporaryDirectory());
  build(new Stack(app, stackName));
  return app.synth().directory;
}

/** Starts a twin that is closed after the test. */
export async function startTwin(
  build: (stack: Stack) => void,
  options: Omit<TwinOptions, 'assemblyDir'> = {},
): Promise<Twin> {
  const twin = await Twin.start({ startAt: Date.now() - ROOM_MS, ...options, assemblyDir: synthesize(build) });
  twins.push(twin);
  return twin;
}

/** A function whose `index.mjs` is exactly this source. */
export function functionOf(
  stack: Stack,
  id: string,
  source: string,
  props: Partial<FunctionProps> = {},
): LambdaFunction {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'index.mjs'), source);
  return new LambdaFunction(stack, id, {
    runtime: Runtime.NODEJS_24_X,
    handler: 'index.handler',
    timeout: Duration.seconds(20),
    code: Code.fromAsset(directory),
    ...props,
  });
}

/** The same for a source that imports the SDK: bundled, as the product's are. */
export function bundled(stack: Stack, id: string, source: string, props: Partial<FunctionProps> = {}): LambdaFunction {
  const directory = join(temporaryDirectory(), 'bundle');
  mkdirSync(directory);
  buildSync({
    stdin: { contents: source, resolveDir: import.meta.dirname, loader: 'js' },
    outfile: join(directory, 'index.mjs'),
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
  return functionOf(stack, id, '', { ...props, code: Code.fromAsset(directory) });
}

/** What an SDK client needs to speak to a twin as its operator. */
export function operatorOf(twin: Twin): {
  region: string;
  endpoint: string;
  credentials: Twin['operatorCredentials'];
  maxAttempts: number;
} {
  return { region: 'us-east-1', endpoint: twin.endpoint, credentials: twin.operatorCredentials, maxAttempts: 1 };
}

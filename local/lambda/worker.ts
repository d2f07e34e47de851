// The inside of one sandbox: a virtual clock instead of Date, loopback instead of the internet, then the function's own bundle,
// then one invocation at a time.
import { existsSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { reportKeys } from './key-report.ts';
import { keepOnLoopback } from './loopback.ts';
import type { FunctionFailure, Invoke, Report, SandboxData } from './protocol.ts';

type Handler = (event: unknown, context: unknown) => unknown;

const data = workerData as SandboxData;

function report(message: Report): void {
  parentPort?.postMessage(message, []);
}

/** `performance.now` stays as it is: durations are real, dates are not. */
function installClock(lag: BigInt64Array): void {
  const wallNow = Date.now;
  const now = (): number => wallNow() - Number(Atomics.load(lag, 0));
  const RealDate = Date;
  RealDate.now = now;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args: unknown[], newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as Date,
    apply: () => new RealDate(now()).toString(),
  });
  RealDate.prototype.constructor = globalThis.Date;
}

/** Lines go the way that results go, so that a line printed before an answer is heard before it. */
function installPrinting(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.write = (chunk: unknown, ...rest: unknown[]): boolean => {
      report({ kind: 'print', text: chunk instanceof Uint8Array ? Buffer.from(chunk).toString() : String(chunk) });
      const written = rest.at(-1);
      if (typeof written === 'function') queueMicrotask(() => Reflect.apply(written, undefined, []));
      return true;
    };
  }
}

/** In Lambda nothing is above /var/task; here a `package.json` further up must not decide what a `.js` file is. */
function treatJsAsCommonJs(taskRoot: string): void {
  if (existsSync(join(taskRoot, 'package.json'))) return;
  const root = pathToFileURL(`${taskRoot}/`).href;
  registerHooks({
    load: (url, context, nextLoad) =>
      url.startsWith(root) && url.endsWith('.js')
        ? nextLoad(url, { ...context, format: 'commonjs' })
        : nextLoad(url, context),
  });
}

async function loadHandler({ taskRoot, handler }: SandboxData): Promise<Handler> {
  const dot = handler.lastIndexOf('.');
  const module = join(taskRoot, handler.slice(0, dot));
  const file = ['.mjs', '.js', '.cjs'].map((extension) => module + extension).find((path) => existsSync(path));
  if (file === undefined) throw new Error(`Cannot find module '${handler.slice(0, dot)}' in ${taskRoot}`);
  const exported = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  const found = exported[handler.slice(dot + 1)] ?? Reflect.get(Object(exported['default']), handler.slice(dot + 1));
  if (typeof found !== 'function') throw new Error(`${handler} is undefined or not exported`);
  return found as Handler;
}

async function run(handler: Handler, { requestId, event, timeoutMs }: Invoke): Promise<Report> {
  const deadline = performance.now() + timeoutMs;
  const context = {
    awsRequestId: requestId,
    functionName: data.functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: data.functionArn,
    memoryLimitInMB: String(data.memoryMb),
    logGroupName: data.logGroupName,
    logStreamName: `twin/[$LATEST]${requestId}`,
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => Math.max(0, Math.round(deadline - performance.now())),
  };
  try {
    return { kind: 'result', payload: JSON.stringify((await handler(JSON.parse(event), context)) ?? null) };
  } catch (error) {
    return { kind: 'failure', failure: describe(error) };
  }
}

function describe(error: unknown): FunctionFailure {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error) };
  return { errorType: error.name, errorMessage: error.message, trace: error.stack?.split('\n') ?? [] };
}

installClock(data.lag);
installPrinting();
reportKeys((pem) => report({ kind: 'key', pem }));
keepOnLoopback(data.network);
treatJsAsCommonJs(data.taskRoot);
try {
  const handler = await loadHandler(data);
  // Listening first: what the parent sends on `ready` must find somebody.
  parentPort?.on('message', (invoke: Invoke) => void run(handler, invoke).then(report));
  report({ kind: 'ready' });
} catch (error) {
  report({ kind: 'failure', failure: { ...describe(error), errorType: 'Runtime.ImportModuleError' } });
}

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Duration, type Stack } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { expect, onTestFinished, test, vi } from 'vitest';
import { functionOf, startTwin, temporaryDirectory } from './stage.ts';

test('a function has the environment of the template and of Lambda, and nothing of ours', async () => {
  vi.stubEnv('TWIN_TEST_OWN_VARIABLE', 'the machine');
  onTestFinished(() => void vi.unstubAllEnvs());
  const source = 'export const handler = async () => process.env;';
  const twin = await startTwin((stack) => void functionOf(stack, 'Tell', source, { environment: { GIVEN: 'yes' } }));
  const environment = (await twin.invoke('Tell', {})) as Record<string, string>;
  expect(environment).toMatchObject({ GIVEN: 'yes', AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL: twin.endpoint });
  expect(environment).not.toHaveProperty('TWIN_TEST_OWN_VARIABLE');
  expect(environment).not.toHaveProperty('PATH');
  expect(environment['AWS_ACCESS_KEY_ID']).not.toBe(twin.operatorCredentials.accessKeyId);
});

test.each([
  ['throws', `throw new RangeError('too far');`, 'RangeError', 'too far'],
  ['throws no error', `throw 'text';`, 'string', 'text'],
  ['never ends', `await new Promise(() => setInterval(() => {}, 1000));`, 'Sandbox.Timedout', 'timed out after 1.00'],
  ['exits', `process.exit(3);`, 'Runtime.ExitError', 'Runtime exited'],
  [
    'rejects unheard',
    `Promise.reject(new Error('lost')); await new Promise(() => {});`,
    'Runtime.UnhandledError',
    'lost',
  ],
])(
  'a handler that %s fails as it does in Lambda, and the next invocation runs',
  async (_how, line, errorType, message) => {
    const source = `export const handler = async (event) => { if (event.go) { ${line} } return 'fine'; };`;
    const twin = await startTwin((stack) => void functionOf(stack, 'F', source, { timeout: Duration.seconds(1) }));
    await expect(twin.invoke('F', { go: true })).rejects.toMatchObject({
      errorType,
      message: expect.stringContaining(message) as string,
    });
    await expect(twin.invoke('F', {})).resolves.toBe('fine');
  },
);

test('a bundle that does not load says why', async () => {
  const twin = await startTwin((stack) => void functionOf(stack, 'F', `import 'not-there';`));
  await expect(twin.invoke('F', {})).rejects.toMatchObject({ errorType: 'Runtime.ImportModuleError' });
});

test('index.js is CommonJS, whatever package.json stands above', async () => {
  const parent = temporaryDirectory();
  writeFileSync(join(parent, 'package.json'), '{"type":"module"}');
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'index.js'), `exports.handler = async () => require('node:path').sep;`);
  const twin = await startTwin((stack) => void functionOf(stack, 'F', '', { code: Code.fromAsset(directory) }));
  await expect(twin.invoke('F', {})).resolves.toBe('/');
});

test('warm workers are used again, and no more run at once than the twin allows', async () => {
  const source = `
    let calls = 0;
    export const handler = async () => { calls += 1; await new Promise(setImmediate); return calls; };`;
  const twin = await startTwin((stack) => void functionOf(stack, 'F', source), { maxWorkersPerFunction: 2 });
  const counts = await Promise.all(Array.from({ length: 10 }, () => twin.invoke('F', {})));
  expect(counts.map(Number).reduce((most, count) => Math.max(most, count))).toBeGreaterThanOrEqual(5);
});

test('an asynchronous invocation is tried again as configured, then goes to its destination', async () => {
  const twin = await startTwin((stack: Stack) => {
    const failures = new Queue(stack, 'Failures');
    const onFailure = new SqsDestination(failures);
    const source = `export const handler = async (event) => { throw new Error('no ' + event['detail-type']); };`;
    const target = functionOf(stack, 'F', source, { onFailure, retryAttempts: 1 });
    new Rule(stack, 'Tick', { schedule: Schedule.cron({ hour: '4' }), targets: [new LambdaFunction(target)] });
  });
  await twin.tick();
  await twin.settled();
  const bodies = twin
    .queue('Failures')
    .messages()
    .map(({ body }) => JSON.parse(body) as unknown);
  expect(bodies).toMatchObject([
    {
      requestContext: { condition: 'RetriesExhausted', approximateInvokeCount: 2 },
      requestPayload: { source: 'aws.events', detail: {} },
      responsePayload: { errorType: 'Error', errorMessage: 'no Scheduled Event' },
    },
  ]);
});
